"""The sums of the older program's `stats.json`, taken over once: it kept no single requests, only totals."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path

from proxy_core.jsontypes import JsonObject

LEGACY_FILE = "stats.json"


def import_legacy(connection: sqlite3.Connection, folder: Path) -> bool:
    """Whether totals were taken over now, from `folder` or the one above it.

    A second time, or from a file that is none, nothing happens. The file itself is left as it is. Raises sqlite3.Error.
    """
    found = _read(folder / LEGACY_FILE) or _read(folder.parent / LEGACY_FILE)
    if not found:
        return False
    requests, failures, tokens = (
        _count(found.get(key)) for key in ("total_requests", "failed_requests", "total_tokens")
    )
    row = (LEGACY_FILE, requests, failures, tokens, _unix(found.get("start_time")))
    return connection.execute("INSERT OR IGNORE INTO imports VALUES (?, ?, ?, ?, ?)", row).rowcount == 1


def _read(path: Path) -> JsonObject:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):  # the last: nested too deeply
        return {}
    return found if isinstance(found, dict) else {}


def _count(value: object) -> int:
    is_count = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 2**62
    return int(value) if is_count and isinstance(value, (int, float)) else 0


def _unix(value: object) -> float | None:
    """Unix seconds of a number or an ISO time."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
