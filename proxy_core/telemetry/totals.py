"""Sums over the exchanges that ended since the start, whole and by server and model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Self

from proxy_core.facts import Currency
from proxy_core.ledger import Stage
from proxy_core.telemetry.rows import ExchangeRow

MAX_NAMES = 64
OTHER = "(other)"
"""Takes what comes after MAX_NAMES names: clients may ask for any model, and memory is finite."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over ended exchanges. cancelled (the client left) is not among failures; input_tokens excludes cached.

    saved_tokens, saved_by_stage, saved_money: what edits of prompts saved, the money at list prices and less what they
    cost; exchanges without a known price are left out of it.
    """

    requests: int = 0
    failures: int = 0
    cancelled: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    saved_tokens: int = 0
    saved_by_stage: Mapping[Stage, int] = field(default_factory=dict)
    saved_money: Mapping[Currency, Decimal] = field(default_factory=dict)

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
            saved_tokens=self.saved_tokens + row.saved_tokens,
            saved_by_stage=_with_stages(self.saved_by_stage, row),
            saved_money=_with_money(self.saved_money, row),
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


def _with_stages(saved: Mapping[Stage, int], row: ExchangeRow) -> Mapping[Stage, int]:
    if not row.saved_by_stage:
        return saved
    return {**saved, **{stage: saved.get(stage, 0) + tokens for stage, tokens in row.saved_by_stage}}


def _with_money(saved: Mapping[Currency, Decimal], row: ExchangeRow) -> Mapping[Currency, Decimal]:
    if not row.saved_money:
        return saved
    return {**saved, row.currency: saved.get(row.currency, Decimal(0)) + row.saved_money}


def _add(tallies: Mapping[str, Tally], name: str, row: ExchangeRow) -> Mapping[str, Tally]:
    if not name:
        return tallies
    key = name if name in tallies or len(tallies) < MAX_NAMES else OTHER
    return {**tallies, key: tallies.get(key, Tally()).plus(row)}
