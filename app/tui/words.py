"""Figures as a terminal shows them: short, so that they fit into columns."""

from __future__ import annotations

import time

from app.i18n import current_language, tr

NOTHING = "–"
_STEPS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_CHINESE_STEPS = ((1e8, "亿"), (1e4, "万"))
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def compact(number: float) -> str:
    """A count in at most six cells: 950, 12.3k, 4.5M, −120; 1.2万 in Chinese."""
    if number < 0:
        return f"−{compact(-number)}"
    steps = _CHINESE_STEPS if current_language().startswith("zh") else _STEPS
    for size, unit in steps:
        if number >= size:
            share = number / size
            return f"{share:.0f}{unit}" if share >= 100 else f"{share:.1f}{unit}"
    return f"{number:.0f}"


def rate(number: float) -> str:
    """A number per second: one decimal while it is small."""
    return f"{number:.1f}" if 0 < abs(number) < 10 else compact(number)


def seconds(value: float | None) -> str:
    """A time span in at most seven cells: 85 ms, 1.4 s, 2m05s; a dash where there is none."""
    if value is None:
        return NOTHING
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < _MINUTE:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), _MINUTE)
    return f"{minutes}m{rest:02d}s"


def uptime(age_s: float) -> str:
    """How long something has run, in its two largest units."""
    age = max(0, int(age_s))
    if age < _MINUTE:
        return tr("{seconds} s", seconds=age)
    if age < _HOUR:
        return tr("{minutes} min {seconds:02d} s", minutes=age // _MINUTE, seconds=age % _MINUTE)
    if age < _DAY:
        return tr("{hours} h {minutes:02d} min", hours=age // _HOUR, minutes=age % _HOUR // _MINUTE)
    return tr("{days} d {hours} h", days=age // _DAY, hours=age % _DAY // _HOUR)


def clock(unix_s: float) -> str:
    """The time of day, local."""
    return time.strftime("%H:%M:%S", time.localtime(unix_s))


def moment(unix_s: float) -> str:
    """Day and time, local."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_s))
