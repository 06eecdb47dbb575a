"""How long an upstream asks to wait: in headers, or as a time of day in its message.

z.ai sends no Retry-After; its messages name the end of a limit on Beijing's clock, with or without the date, and
never with a zone (protocols A.6). Taken for UTC such a time would be eight hours late.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

_BEIJING = timezone(timedelta(hours=8))
_DAY = timedelta(days=1)
_CLOCK = re.compile(r"\b(?:(\d{4})-(\d{2})-(\d{2})[ T])?(\d{2}):(\d{2}):(\d{2})\b")


def header_wait_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds by `retry-after-ms`, else by `retry-after` in either of its forms; None without a sensible one.

    now: unix seconds, for a header that is a date.
    """
    given = {name.lower(): value.strip() for name, value in headers.items()}
    milliseconds = _number(given.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = given.get("retry-after", "")
    seconds = _number(text)
    return seconds if seconds is not None else _until_date_s(text, now)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until_date_s(text: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - now) if moment.tzinfo else None
    except (ValueError, OverflowError, TypeError):
        return None


def reset_wait_s(message: str, now: float) -> float | None:
    """Seconds until the moment that a message names on Beijing's clock; None if it names none, or one gone by.

    Only a time of day means its next occurrence. now: unix seconds.
    """
    found = _CLOCK.search(message)
    if found is None:
        return None
    here = datetime.fromtimestamp(now, _BEIJING)
    year, month, day, hour, minute, second = (None if part is None else int(part) for part in found.groups())
    try:
        clock = here.replace(hour=hour or 0, minute=minute or 0, second=second or 0, microsecond=0)
        moment = clock if year is None else clock.replace(year=year, month=month or 0, day=day or 0)
    except ValueError:
        return None
    if year is None and moment <= here:
        moment += _DAY
    return (moment - here).total_seconds() if moment > here else None


def midnight_wait_s(now: float) -> float:
    """Seconds until the next day begins in Beijing."""
    here = datetime.fromtimestamp(now, _BEIJING)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
    return (midnight - here).total_seconds()
