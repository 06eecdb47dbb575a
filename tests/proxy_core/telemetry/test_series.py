"""The ring behind the graphs."""

from __future__ import annotations

import pytest

from proxy_core.telemetry.series import Sample, Series


def filled(capacity: int, count: int) -> Series:
    series = Series(capacity)
    for second in range(count):
        series.append(Sample(float(second)))
    return series


@pytest.mark.parametrize(("count", "kept"), [(0, []), (2, [0, 1]), (3, [0, 1, 2]), (5, [2, 3, 4])])
def test_the_oldest_fall_out(count: int, kept: list[int]) -> None:
    series = filled(3, count)
    assert [sample.at for sample in series.samples()] == kept
    assert len(series) == len(kept)


@pytest.mark.parametrize(("asked", "given"), [(0, []), (-1, []), (1, [2]), (2, [1, 2]), (9, [0, 1, 2])])
def test_the_newest_few(asked: int, given: list[int]) -> None:
    assert [sample.at for sample in filled(3, 3).samples(asked)] == given


def test_latest() -> None:
    assert Series().latest is None
    assert filled(3, 5).latest == Sample(4.0)


def test_ten_minutes_are_kept() -> None:
    assert len(filled(600, 700)) == len(filled(700, 600)) == 600
    series = Series()
    for second in range(700):
        series.append(Sample(float(second)))
    assert len(series) == 600
