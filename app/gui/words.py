"""Figures as people read them: short, with the unit, in the current language."""

from __future__ import annotations

from decimal import Decimal

from app.i18n import current_language, tr
from app.settings.book import UnknownServerError
from app.settings.problems import SettingsRefusedError
from proxy_core.facts import Currency
from proxy_core.ledger import Stage
from proxy_core.server.runner import ListenError, PortInUseError

_STEPS = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
_CHINESE_STEPS = ((1e8, "亿"), (1e4, "万"))
_SIGNS: dict[Currency, str] = {"USD": "$", "CNY": "¥"}


def compact(number: float) -> str:
    """A count in at most five characters or so: 950, 12.3k, 4.5M; 1.2万 in Chinese."""
    steps = _CHINESE_STEPS if current_language().startswith("zh") else _STEPS
    for size, unit in steps:
        if number >= size:
            share = number / size
            return f"{share:.0f}{unit}" if share >= 100 else f"{share:.1f}{unit}"
    return f"{number:.0f}"


def rate(number: float) -> str:
    """A number per second: one decimal while it is small, unless that would be a zero."""
    short = round(number, 1)
    return compact(number) if short >= 10 or short == int(short) else f"{short:.1f}"


def seconds(value: float | None) -> str:
    """A time span: 85 ms, 1.4 s, 2 min 05 s; a dash where there is none."""
    if value is None:
        return "–"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 59.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return tr("{minutes} min {seconds:02d} s", minutes=minutes, seconds=rest)


def ago(age_s: float) -> str:
    """How long ago something was, in its largest unit."""
    if age_s < 60:
        return tr("just now")
    if age_s < 3600:
        return tr("{count} min ago", count=int(age_s // 60))
    if age_s < 86_400:
        return tr("{count} h ago", count=int(age_s // 3600))
    return tr("{count} d ago", count=int(age_s // 86_400))


def bytes_words(count: int) -> str:
    """A size: 850 B, 12.3 KiB, 4 MiB."""
    for size, unit in ((2**20, "MiB"), (2**10, "KiB")):
        if count >= size:
            return f"{count / size:.1f} {unit}".replace(".0 ", " ")
    return f"{count} B"


def signed(tokens: int) -> str:
    """Tokens that may be fewer than none, with a true minus sign."""
    return f"−{compact(-tokens)}" if tokens < 0 else compact(tokens)


def stage_words(stage: Stage) -> str:
    """What a stage of editing takes out of prompts."""
    match stage:
        case Stage.VOLATILE:
            return tr("changing lines")
        case Stage.ENVIRONMENT:
            return tr("environment blocks")
        case Stage.PICTURES:
            return tr("pictures")
        case Stage.SUMMARY:
            return tr("summary")


def money(amount: Decimal, currency: Currency) -> str:
    """An amount: cents where there are some, else so many places that something is seen."""
    size = abs(amount)
    places = 2 if size >= Decimal("0.095") or not size else 4
    shown = f"{_SIGNS[currency]}{size:.{places}f}"
    return f"−{shown}" if amount < 0 else shown


def status_line(address: str, server: str, in_flight: int, *, paused: bool) -> str:
    """The one line that says how things stand; the tray menu, its tooltip and the window share it."""
    if not address:
        return tr("Not listening")
    state = tr("paused") if paused else tr("{count} in flight", count=in_flight)
    return f"{address} · {server} · {state}"


def error_words(error: BaseException) -> str:
    """A failed command as people read it; what nobody foresaw is named, and the log knows more."""
    match error:
        case PortInUseError():
            return tr("Port {port} is used by another program. Nothing was changed.", port=error.port)
        case ListenError() | SettingsRefusedError() | UnknownServerError():
            return str(error)
        case OSError():
            return tr("The settings could not be written: {reason}.", reason=error.strerror or error)
        case _:
            return tr("That did not work ({fault}). The log says more.", fault=type(error).__name__)
