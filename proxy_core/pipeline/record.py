"""The live record of one exchange: started once, finished once, whatever happens in between."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable

from proxy_core.chat import (
    Answer,
    Delta,
    Failed,
    Finished,
    Started,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    UsageDelta,
    merge_usage,
)
from proxy_core.errors import ProxyError
from proxy_core.events import EventBus, Exchange, ExchangeFinished, ExchangeStarted, Outcome
from proxy_core.pipeline.setup import Call
from proxy_core.redact import mask_key, redact_text
from proxy_core.routing.route import Route

log = logging.getLogger(__name__)

_MODEL_NAME = re.compile(r"[\w.:/@+\[\]-]{0,64}", re.ASCII)
_SHORTEST_KEY = 8
"""Shorter ones ("none", "x") stand for no key at all, and may be part of any word."""


class ExchangeRecord:
    """Writes the `Exchange` that everyone else reads. clock: unix seconds."""

    def __init__(self, call: Call, bus: EventBus, clock: Callable[[], float]) -> None:
        self._bus = bus
        self._clock = clock
        self._status_of = call.dialect.status_of
        self._client_key = call.client_key
        self._is_finished = False
        self.has_ended = False
        self.settle: Callable[[Exchange], None] = _nothing
        """What is to be learned from the exchange, and entered into it, before everybody hears of its end."""
        self.exchange = Exchange(
            id=call.id,
            started_at=clock(),
            door=call.door,
            client=call.client,
            client_dialect=call.dialect.name,
        )
        bus.publish(ExchangeStarted(self.exchange))

    def route(self, route: Route, *, stream: bool) -> None:
        """The decision was taken."""
        exchange = self.exchange
        exchange.asked_model = self._name(route.asked)
        exchange.served_model = self._name(route.model)
        exchange.server = route.server.name
        exchange.currency = route.server.currency
        exchange.upstream_dialect = route.dialect.value
        exchange.reason = route.reason
        exchange.stream = stream

    def queued(self, wait_s: float) -> None:
        """It waited for its place in the lane."""
        self.exchange.queued_s += wait_s

    def retry(self) -> None:
        """The request goes out once more."""
        self.exchange.retries += 1

    def hear(self, deltas: list[Delta]) -> None:
        """Look on at a stream: first token, growth, usage, end."""
        for delta in deltas:
            match delta:
                case TextDelta(text) | ThinkingDelta(text) | ToolCallDelta(fragment=text):
                    self._grow(len(text))
                case ToolCallStarted():
                    self._grow(0)
                case Started(usage=usage) | UsageDelta(usage) if usage is not None:
                    self.exchange.usage = merge_usage(self.exchange.usage, usage)
                case Finished():
                    self.has_ended = True
                case Failed(error):
                    self.has_ended = True
                    self._blame(error)
                case _:
                    pass

    def _grow(self, chars: int) -> None:
        exchange = self.exchange
        exchange.output_chars += chars
        if exchange.first_token_s is None:
            exchange.first_token_s = self._clock() - exchange.started_at

    def hear_answer(self, answer: Answer) -> None:
        """A whole answer arrived."""
        for part in answer.parts:
            match part:
                case Text(text) | Thinking(text) | ToolCall(arguments=text):
                    self._grow(len(text))
        self.exchange.usage = answer.usage

    def _blame(self, error: ProxyError) -> None:
        self.exchange.outcome = "failed"
        self.exchange.error_kind = error.kind.value
        self.exchange.error_message = self._without_key(str(error))

    def _name(self, model: str) -> str:
        """A model's name as it may be told to whoever looks on."""
        return _tellable(self._without_key(model))

    def _without_key(self, text: str) -> str:
        """A confused client sends its key for a model, too, and errors repeat that name."""
        key = self._client_key or ""
        return text.replace(key, mask_key(key)) if len(key) >= _SHORTEST_KEY else text

    def finish(self, status: int) -> None:
        """All went out, or a failed stream was told so."""
        self._finish("done" if self.exchange.outcome == "running" else self.exchange.outcome, status)

    def fail(self, error: BaseException) -> None:
        """The exchange ended by an exception: ours, the client's leaving, or a bug."""
        if isinstance(error, ProxyError):
            self._blame(error)
            self._finish("failed", self._status_of(error))
        elif isinstance(error, (asyncio.CancelledError, GeneratorExit, ConnectionError)):
            self._finish("cancelled", 499)
        else:
            self.exchange.error_kind = "internal"
            self.exchange.error_message = type(error).__name__
            self._finish("failed", 500)

    def _finish(self, outcome: Outcome, status: int) -> None:
        if self._is_finished:
            return
        self._is_finished = True
        self.exchange.asked_model = self._name(self.exchange.asked_model)
        self.exchange.outcome = outcome
        self.exchange.status = status
        self.exchange.duration_s = self._clock() - self.exchange.started_at
        self.settle(self.exchange)
        _log_exchange(self.exchange)
        self._bus.publish(ExchangeFinished(self.exchange))


def _nothing(_: Exchange) -> None:
    """Nothing to learn."""


def _log_exchange(exchange: Exchange) -> None:
    """One line an exchange: who asked for what, where it went, how it ended. Never a body, never a key."""
    level = logging.WARNING if exchange.outcome == "failed" else logging.DEBUG
    if not log.isEnabledFor(level):
        return
    log.log(
        level,
        "%s %s %s to %s/%s/%s: %s %d %s in %.3f s, tokens in %d cached %d out %d",
        exchange.id,
        exchange.door,
        exchange.asked_model,
        exchange.server,
        exchange.upstream_dialect,
        exchange.served_model,
        exchange.outcome,
        exchange.status,
        exchange.error_kind or "ok",
        exchange.duration_s,
        exchange.usage.input_tokens,
        exchange.usage.cached_tokens,
        exchange.usage.output_tokens,
    )


def _tellable(model: str) -> str:
    """The name, if it can be one: a client may put anything there, its prompt included."""
    return redact_text(model) if _MODEL_NAME.fullmatch(model) else "(an odd name)"
