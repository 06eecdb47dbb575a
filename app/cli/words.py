"""Figures as people read them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

_BARS = "▁▂▃▄▅▆▇█"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_SIGNS = {"USD": "$", "CNY": "¥"}
_CENT = Decimal("0.01")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def count(value: float) -> str:
    """12,345 up to a million, then 1.23 M."""
    if abs(value) >= 1_000_000_000:
        return f"{value / 1_000_000_000:.2f} G"
    if abs(value) >= 1_000_000:
        return f"{value / 1_000_000:.2f} M"
    return f"{value:,.0f}"


def money(amount: object, currency: str) -> str:
    """$1.23, ¥0.0042 (small amounts keep their first figures); "–" where it is not known."""
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        return "–"
    if not value.is_finite():
        return "–"
    shown = f"{value:,.2f}" if not value or abs(value) >= _CENT else f"{value:.4f}"
    return f"{_SIGNS.get(currency, currency + ' ')}{shown}"


def duration(seconds: float | None) -> str:
    """850 ms, 12.3 s, 4 min 05 s, 3 h 20 min, 2 d 4 h."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def moment(unix_s: float, now: datetime | None = None) -> str:
    """14:03:22 today, 2026-11-20 14:03 before; local time."""
    at = datetime.fromtimestamp(unix_s).astimezone()
    today = (now or datetime.now().astimezone()).date()
    return f"{at:%H:%M:%S}" if at.date() == today else f"{at:%Y-%m-%d %H:%M}"


def milliseconds(value: float) -> str:
    """A latency."""
    return f"{value:.1f} ms" if value < 10 else f"{value:,.0f} ms"


def size(count_of_bytes: float) -> str:
    """Bytes in the unit that fits."""
    for unit in ("B", "KiB", "MiB"):
        if count_of_bytes < 1024:
            return f"{count_of_bytes:.0f} {unit}" if unit == "B" else f"{count_of_bytes:.1f} {unit}"
        count_of_bytes /= 1024
    return f"{count_of_bytes:.1f} GiB"


def percent(part: float, whole: float) -> str:
    """A share; "–" of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def sparkline(values: Sequence[float], width: int = 48) -> str:
    """A curve of blocks, the newest value at the right; where all is zero, a flat line."""
    shown = list(values)[-width:]
    top = max(shown, default=0)
    if top <= 0:
        return _BARS[0] * len(shown)
    steps = len(_BARS) - 1
    return "".join(_BARS[0 if value <= 0 else max(1, round(value / top * steps))] for value in shown)


def harmless(text: str) -> str:
    """What models, servers and clients wrote, with its lines: no other control character reaches a terminal."""
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def clipped(line: str, length: int) -> str:
    """One line of at most so many characters."""
    flat = " ".join(line.split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"
