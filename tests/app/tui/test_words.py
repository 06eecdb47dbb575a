from __future__ import annotations

import pytest

from app.i18n import set_language
from app.paths import resources
from app.tui.words import clock, compact, moment, rate, seconds, uptime
from tests.app.tui.fakes import NOW


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (compact(0), "0"),
        (compact(950), "950"),
        (compact(12_345), "12.3k"),
        (compact(123_456), "123k"),
        (compact(4_500_000), "4.5M"),
        (compact(-120), "−120"),
        (rate(0), "0"),
        (rate(0.25), "0.2"),
        (rate(1234), "1.2k"),
        (seconds(None), "–"),
        (seconds(0.085), "85 ms"),
        (seconds(1.44), "1.4 s"),
        (seconds(125), "2m05s"),
        (uptime(-3), "0 s"),
        (uptime(65), "1 min 05 s"),
        (uptime(7500), "2 h 05 min"),
        (uptime(180_000), "2 d 2 h"),
        (clock(NOW), "14:13:20"),
        (moment(NOW), "2026-09-21 14:13:20"),
    ],
)
def test_figures_are_short(said, words):
    assert said == words


def test_chinese_counts_in_ten_thousands():
    set_language("zh_CN", resources() / "locale")
    assert (compact(12_345), compact(345_000_000)) == ("1.2万", "3.5亿")
