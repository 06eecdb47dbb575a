"""What the history tells: sums by model, server, client or day, steps for sparklines, and rows for export."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeAlias

from app.history.rows import COLUMNS
from app.history.schema import open_for_reading
from proxy_core.jsontypes import JsonObject

By: TypeAlias = Literal["model", "server", "client", "day", "none"]
_KEYS: dict[By, str] = {
    "model": "served_model",
    "server": "server",
    "client": "client",
    "day": "date(started_at, 'unixepoch', 'localtime')",
    "none": "''",
}
_NANO = Decimal(1_000_000_000)
_SUMS = """
    count(*), sum(outcome = 'failed'), sum(outcome = 'cancelled'), sum(retries),
    sum(input_tokens), sum(cached_tokens), sum(output_tokens), sum(thinking_tokens), sum(saved_tokens),
    sum(CASE WHEN currency = 'USD' THEN cost_nano END), sum(CASE WHEN currency = 'CNY' THEN cost_nano END),
    avg(first_token_s), avg(duration_s), max(duration_s)
"""


@dataclass(frozen=True, slots=True)
class HistorySum:
    """The sums of one group. Money in whole units; None where no price was known. Times: seconds."""

    key: str
    requests: int
    failures: int
    cancelled: int
    retries: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    thinking_tokens: int
    saved_tokens: int
    cost_usd: Decimal | None
    cost_cny: Decimal | None
    mean_first_token_s: float | None
    mean_duration_s: float | None
    longest_s: float | None


class History:
    """Reads a history file; each call opens it for itself, so it may be used from any thread and beside a writer.

    Each raises FileNotFoundError (nothing was written yet), HistoryTooNewError and sqlite3.Error (damaged).
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def sums(self, since: float, by: By = "none") -> list[HistorySum]:
        """Sums of all requests begun after `since` (unix seconds), the largest group first, days in order."""
        order = "1" if by == "day" else "2 DESC, 1"
        query = f"SELECT {_KEYS[by]}, {_SUMS} FROM exchanges WHERE started_at >= ? GROUP BY 1 ORDER BY {order}"
        with closing(open_for_reading(self._path)) as connection:
            return [_sum_of(row) for row in connection.execute(query, (since,))]

    def steps(self, since: float, until: float, count: int) -> list[tuple[int, int]]:
        """(requests, tokens) of `count` equal steps of time, for a sparkline."""
        width = max((until - since) / count, 1e-9)
        found = [(0, 0)] * count
        query = """
            SELECT min(max(cast((started_at - ?) / ? AS INTEGER), 0), ?), count(*), sum(input_tokens + output_tokens)
            FROM exchanges WHERE started_at >= ? AND started_at <= ? GROUP BY 1
        """
        with closing(open_for_reading(self._path)) as connection:
            for step, requests, tokens in connection.execute(query, (since, width, count - 1, since, until)):
                found[step] = (requests, tokens)
        return found

    def rows(self, since: float) -> Iterator[JsonObject]:
        """Every row as an object of its columns, oldest first."""
        query = f"SELECT {', '.join(COLUMNS)} FROM exchanges WHERE started_at >= ? ORDER BY id"
        with closing(open_for_reading(self._path)) as connection:
            for row in connection.execute(query, (since,)):
                yield dict(zip(COLUMNS, row, strict=True))

    def imported(self) -> list[JsonObject]:
        """What was taken over from an older program's files."""
        with closing(open_for_reading(self._path)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM imports")]


def _sum_of(row: tuple[object, ...]) -> HistorySum:
    counts = [int(str(figure or 0)) for figure in row[1:10]]
    requests, failures, cancelled, retries, prompt, cached, output, thinking, saved = counts
    usd, cny = (None if nano is None else Decimal(str(nano)) / _NANO for nano in row[10:12])
    first, mean, longest = (None if value is None else float(str(value)) for value in row[12:])
    return HistorySum(
        key=str(row[0]),
        requests=requests,
        failures=failures,
        cancelled=cancelled,
        retries=retries,
        input_tokens=prompt,
        cached_tokens=cached,
        output_tokens=output,
        thinking_tokens=thinking,
        saved_tokens=saved,
        cost_usd=usd,
        cost_cny=cny,
        mean_first_token_s=first,
        mean_duration_s=mean,
        longest_s=longest,
    )
