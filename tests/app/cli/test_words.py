from __future__ import annotations

import time
from datetime import datetime

import pytest

from app.cli import words


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (words.count(12_345), "12,345"),
        (words.count(1_234_567), "1.23 M"),
        (words.count(2_500_000_000), "2.50 G"),
        (words.money("1234.5", "USD"), "$1,234.50"),
        (words.money("0.00042", "CNY"), "¥0.0004"),
        (words.money("0", "CNY"), "¥0.00"),
        (words.money(None, "USD"), "–"),
        (words.duration(None), "–"),
        (words.duration(0.85), "850 ms"),
        (words.duration(12.34), "12.3 s"),
        (words.duration(245), "4 min 05 s"),
        (words.duration(12_000), "3 h 20 min"),
        (words.duration(187_200), "2 d 4 h"),
        (words.milliseconds(3.14), "3.1 ms"),
        (words.milliseconds(1234), "1,234 ms"),
        (words.size(512), "512 B"),
        (words.size(1536), "1.5 KiB"),
        (words.size(3 * 2**30), "3.0 GiB"),
        (words.percent(1, 3), "33.3 %"),
        (words.percent(0, 0), "–"),
        (words.sparkline([0, 1, 4, 8]), "▁▂▅█"),
        (words.sparkline([0, 0]), "▁▁"),
        (words.clipped("a\n b", 9), "a b"),
        (words.clipped("abcdef", 4), "abc…"),
    ],
)
def test_figures_as_people_read_them(made, expected):
    assert made == expected


def test_today_is_a_time_and_before_that_a_date():
    at = datetime(2026, 11, 22, 14, 3, 22).astimezone()
    today, later = at.replace(hour=23), at.replace(day=23)
    assert words.moment(at.timestamp(), today) == "14:03:22"
    assert words.moment(at.timestamp(), later) == "2026-11-22 14:03"
    assert time.strftime("%H") in words.moment(time.time())
