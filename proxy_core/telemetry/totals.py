"""Sums over the exchanges that ended since the start, whole and by server and model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from proxy_core.telemetry.rows import ExchangeRow

MAX_NAMES = 64
OTHER = "(other)"
"""Takes what comes after MAX_NAMES names: clients may ask for any model, and memory is finite."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over ended exchanges. cancelled (the client left) is not among failures; input_tokens excludes cached."""

    requests: int = 0
    failures: int = 0
    cancelled: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0

    def plus(self, row: ExchangeRow) -> Self:
        """With one more exchange."""
        return replace(
            self,
            requests=self.requests + 1,
            failures=self.failures + (row.outcome == "failed"),
            cancelled=self.cancelled + (row.outcome == "cancelled"),
            input_tokens=self.input_tokens + row.input_tokens,
            cached_tokens=self.cached_tokens + row.cached_tokens,
            output_tokens=self.output_tokens + row.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class Totals(Tally):
    """The sums over all, and their shares. What was refused before it was routed is in no share."""

    by_server: Mapping[str, Tally] = field(default_factory=dict)
    by_model: Mapping[str, Tally] = field(default_factory=dict)

    def plus(self, row: ExchangeRow) -> Self:
        """With one more exchange, in its shares too."""
        return replace(
            Tally.plus(self, row),
            by_server=_add(self.by_server, row.server, row),
            by_model=_add(self.by_model, row.served_model, row),
        )


def _add(tallies: Mapping[str, Tally], name: str, row: ExchangeRow) -> Mapping[str, Tally]:
    if not name:
        return tallies
    key = name if name in tallies or len(tallies) < MAX_NAMES else OTHER
    return {**tallies, key: tallies.get(key, Tally()).plus(row)}
