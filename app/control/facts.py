"""Facts about settings, servers and history as objects: the same from a running instance and from its files alone."""

from __future__ import annotations

import asyncio

from app.control.reach import Reach, reach
from app.history.reading import By, History
from app.settings.describe import SettingRow, choices, value_text
from app.settings.store import SettingsStore
from proxy_core.jsontypes import JsonObject
from proxy_core.settings import BUILTIN_SERVERS, DialectName, Server

STEPS = 48
LONGEST_HOURS = 24 * 3650.0
_HOUR_S = 3600.0
BUILTIN_NAMES = frozenset(server.name for server in BUILTIN_SERVERS)


def history_stats(history: History, hours: float, by: By, now: float) -> JsonObject:
    """Sums, and steps for a sparkline. Blocking. Raises sqlite3.Error and HistoryTooNewError; empty without a file."""
    since = now - hours * _HOUR_S
    found: JsonObject = {"since": since, "until": now, "hours": hours, "by": by}
    try:
        total = history.sums(since)
        groups = history.sums(since, by) if by != "none" else []
        steps = history.steps(since, now, STEPS)
    except FileNotFoundError:
        total, groups, steps = [], [], [(0, 0)] * STEPS
    return found | {"total": total[0] if total else None, "groups": groups, "steps": steps}


def server_object(server: Server, *, current: str, key: str, breaker: str = "") -> JsonObject:
    """One server as it is shown. key: where its key comes from; breaker: "" where nobody knows."""
    return {
        "name": server.name,
        "endpoint": server.endpoint,
        "plan": server.plan,
        "region": server.region,
        "anthropic_base": server.base(DialectName.ANTHROPIC),
        "openai_base": server.base(DialectName.OPENAI),
        "currency": server.currency,
        "builtin": server.name in BUILTIN_NAMES,
        "current": server.name == current,
        "key": key or "none",
        "breaker": breaker,
    }


async def reaches(servers: tuple[Server, ...]) -> list[Reach]:
    """How far away each of them is, all asked at once."""
    return await asyncio.gather(*(reach(server.base(DialectName.OPENAI)) for server in servers))


def setting_object(row: SettingRow, store: SettingsStore) -> JsonObject:
    """One setting for people and programs. origin: where it was read from, "default" where nowhere."""
    origin = store.origin(row.field)
    return {
        "field": row.field,
        "value": getattr(store.current, row.field),
        "text": value_text(getattr(store.current, row.field)),
        "default": row.default,
        "allowed": row.allowed,
        "choices": choices(row.field),
        "help": row.help,
        "title": row.title,
        "group": row.group,
        "live": row.live,
        "advanced": row.advanced,
        "environment": row.environment,
        "origin": "default" if origin is None else str(origin),
        "fixed_by": store.fixed_by(row.field),
    }
