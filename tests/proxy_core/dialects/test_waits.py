"""Waits, told by headers or on Beijing's clock, in seconds from now."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from proxy_core.dialects.waits import header_wait_s, midnight_wait_s, reset_wait_s

HOUR, DAY = 3600.0, 86_400.0
NOW = datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC).timestamp()
"""20:00:00.5 in Beijing."""


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "9", "Retry-After-Ms": "1500"}, 1.5),
        ({"retry-after": "9", "retry-after-ms": "soon"}, 9.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 29.5),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30"}, None),
        ({"retry-after": "Sun, 99 Nov 2026 12:00:30 GMT"}, None),
        ({"retry-after": "later"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Sun, 22 Nov 99999999999999999999 12:00:30 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 +99999999999999999999"}, None),
        ({}, None),
    ],
)
def test_headers(headers, seconds):
    assert header_wait_s(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Your limit will reset at 2026-11-22 22:00:00", 2 * HOUR - 0.5),
        ("Your limit will reset at 2026-11-23T20:00:01.", DAY + 0.5),
        ("您的限额将在 2026-12-01 00:00:00 重置", 8 * DAY + 4 * HOUR - 0.5),
        ("Your limit will reset at 22:00:00", 2 * HOUR - 0.5),
        ("Your limit will reset at 19:59:59", DAY - 1.5),
        ("Your limit will reset at 20:00:00", DAY - 0.5),
        ("Your limit reset at 2026-11-22 19:00:00", None),
        ("Your limit will reset at 2026-13-22 22:00:00", None),
        ("Your limit will reset at 0000-01-01 22:00:00", None),
        ("Your limit will reset at 25:00:00", None),
        ("Your limit will reset soon", None),
        ("20261122220000ab12:34:567", None),
    ],
)
def test_reset_times_are_beijings(message, seconds):
    assert reset_wait_s(message, NOW) == seconds


def test_a_wall_clock_time_becomes_the_right_moment():
    told = datetime(2026, 9, 11, 16, 35, 41, tzinfo=UTC).timestamp()
    assert reset_wait_s("Your limit will reset at 2026-09-12 00:35:41", told - 10) == 10


def test_a_day_ends_at_beijings_midnight():
    assert midnight_wait_s(NOW) == 4 * HOUR - 0.5
