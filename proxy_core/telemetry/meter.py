"""Turns what the bus tells into figures: rates for graphs, rows for lists, sums since the start.

Everything runs on the loop that publishes, so nothing is locked. Memory is bounded: a ring of samples, the last rows, a
limited number of names, and the exchanges that run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from proxy_core.events import Event, EventBus, Exchange, ExchangeStarted
from proxy_core.telemetry.rows import ExchangeRow, effective_ledger, reported_output, row_of
from proxy_core.telemetry.series import STEP_S, Sample, Series
from proxy_core.telemetry.totals import Totals

__all__ = ["ExchangeRow", "Meter", "Sample", "Totals"]

MAX_ROWS = 200
MAX_LIVE = 10_000
"""Far above what a listener takes at once; only an exchange that never ends could come near it."""

_START_RATIO = 3.6
_RATIO_BOUNDS = (0.5, 8.0)
_LEARNING_RATE = 0.2
_LEARN_FROM_TOKENS = 20
"""Shorter answers say too little about how many characters make a token."""


@dataclass(slots=True)
class _Live:
    """A running exchange and how much of it the rates have shown already."""

    exchange: Exchange
    seen_chars: int = 0
    output_shown: float = 0.0
    input_shown: int = 0
    saved_shown: int = 0


class _Flow:
    """Tokens on their way into a rate. What an estimate showed too much is held back from what follows."""

    def __init__(self) -> None:
        self._due = 0.0

    def add(self, tokens: float) -> None:
        self._due += tokens

    def take(self, *, is_idle: bool) -> float:
        """What to show now. Once nothing runs an old debt is forgiven, lest it hide the start of the next stream."""
        shown = max(self._due, 0.0)
        self._due = 0.0 if is_idle else min(self._due, 0.0)
        return shown


class Meter:
    """The figures of one proxy. `clock` gives unix seconds, like `Exchange.started_at`."""

    def __init__(self, bus: EventBus, clock: Callable[[], float]) -> None:
        self.series = Series()
        self.totals = Totals()
        """Sums over ended exchanges; a frozen value, replaced as a whole."""
        self._clock = clock
        self._live: dict[str, _Live] = {}
        self._rows: deque[ExchangeRow] = deque(maxlen=MAX_ROWS)
        self._output = _Flow()
        self._input = _Flow()
        self._saved = 0
        self._started = 0
        self._failed = 0
        self._chars_per_token = _START_RATIO
        self._sampled_at = clock()
        self._unsubscribe = bus.subscribe(self._hear)

    def close(self) -> None:
        """Stop listening."""
        self._unsubscribe()

    @property
    def in_flight(self) -> int:
        """Exchanges that run."""
        return len(self._live)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The running ones themselves, oldest first; the pipeline goes on writing to them."""
        return tuple(live.exchange for live in self._live.values())

    def live_rows(self) -> tuple[ExchangeRow, ...]:
        """The running ones as they stand now, newest first."""
        return tuple(self._row(live.exchange) for live in reversed(self._live.values()))

    def recent(self, count: int = MAX_ROWS) -> tuple[ExchangeRow, ...]:
        """The last `count` ended ones (at most 200), newest first, as they ended."""
        return tuple(self._rows)[: max(count, 0)]

    def sample(self, now: float) -> Sample:
        """Close a step at `now` (unix seconds) and append it to the series. To be called once a second."""
        for live in self._live.values():
            self._follow(live)
        elapsed = now - self._sampled_at if now > self._sampled_at else STEP_S  # a clock may be set back
        sample = Sample(
            at=now,
            requests_per_s=self._started / elapsed,
            output_tokens_per_s=self._output.take(is_idle=not self._live) / elapsed,
            input_tokens_per_s=self._input.take(is_idle=not self._live) / elapsed,
            in_flight=len(self._live),
            failures=self._failed,
            saved_tokens_per_s=self._saved / elapsed,
        )
        self._sampled_at, self._started, self._failed, self._saved = now, 0, 0, 0
        self.series.append(sample)
        return sample

    def _hear(self, event: Event) -> None:
        if isinstance(event, ExchangeStarted):
            self._start(event.exchange)
        else:
            self._finish(event.exchange)

    def _start(self, exchange: Exchange) -> None:
        self._started += 1
        self._live[exchange.id] = _Live(exchange)
        if len(self._live) > MAX_LIVE:
            del self._live[next(iter(self._live))]

    def _finish(self, exchange: Exchange) -> None:
        live = self._live.pop(exchange.id, None) or _Live(exchange)
        self._follow(live)
        row = self._row(exchange)
        self._output.add(row.output_tokens - live.output_shown)
        self._failed += exchange.outcome == "failed"
        self._learn(exchange)
        self.totals = self.totals.plus(row)
        self._rows.appendleft(row)

    def _follow(self, live: _Live) -> None:
        """Bring the rates up to what the exchange has delivered so far."""
        exchange = live.exchange
        fresh = (exchange.output_chars - live.seen_chars) / self._chars_per_token
        self._output.add(fresh)
        self._input.add(exchange.usage.prompt_tokens - live.input_shown)
        saved = effective_ledger(exchange).saved_tokens
        self._saved += saved - live.saved_shown
        live.seen_chars = exchange.output_chars
        live.output_shown += fresh
        live.input_shown = exchange.usage.prompt_tokens
        live.saved_shown = saved

    def _learn(self, exchange: Exchange) -> None:
        tokens = reported_output(exchange) or 0
        if tokens < _LEARN_FROM_TOKENS or not exchange.output_chars:
            return
        low, high = _RATIO_BOUNDS
        seen = min(max(exchange.output_chars / tokens, low), high)
        self._chars_per_token += _LEARNING_RATE * (seen - self._chars_per_token)

    def _row(self, exchange: Exchange) -> ExchangeRow:
        return row_of(exchange, self._clock(), round(exchange.output_chars / self._chars_per_token))
