"""Rows of the history for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from app.history.reading import History
from app.history.rows import COLUMNS
from proxy_core.jsontypes import JsonObject

EXPORTED = tuple("cost" if name == "cost_nano" else name for name in COLUMNS)
_NANO = Decimal(1_000_000_000)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_rows(history: History, since: float) -> Iterator[JsonObject]:
    """Rows with readable times (ISO 8601, UTC) and costs in whole units; none where there is no history yet."""
    try:
        for row in history.rows(since):
            yield _readable(row)
    except FileNotFoundError:
        return


def _readable(row: JsonObject) -> JsonObject:
    cost = row["cost_nano"]
    at = datetime.fromtimestamp(float(str(row["started_at"])), UTC)
    readable = {**row, "started_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
    readable["stream"] = bool(row["stream"])
    readable["cost"] = None if cost is None else f"{Decimal(str(cost)) / _NANO:f}"
    return {name: readable[name] for name in EXPORTED}


def as_csv(rows: Sequence[JsonObject]) -> str:
    """With a line of names. Clients choose some of the texts: none of them may be a formula to a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(EXPORTED)
    for row in rows:
        writer.writerow([_harmless(row[name]) for name in EXPORTED])
    return out.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
