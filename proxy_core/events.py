"""Facts about exchanges, and the bus that carries them up: core publishes, nobody is waited for.

Rare facts are events. What changes with every chunk is a counter on the live `Exchange`, read by whoever samples
(10 Hz at most), so that a stream costs no event per chunk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from proxy_core.chat import Usage
from proxy_core.facts import Currency
from proxy_core.ledger import NOTHING_DONE, Ledger

log = logging.getLogger(__name__)

Outcome: TypeAlias = Literal["running", "done", "failed", "cancelled"]


@dataclass(slots=True)
class Exchange:
    """One request and its reply, as it stands now. Written by the pipeline alone; read on the same loop.

    Times: started_at is unix seconds, the others seconds since then. output_chars grows with the stream.
    queued_s: waited for a place in the lane of its server and model.
    ledger: what was cut out of the prompt, as far as it is known by now.
    outcome "cancelled": the client left; that is not a failure. retries: tries after the first one.
    """

    id: str
    started_at: float
    door: str
    client: str = ""
    asked_model: str = ""
    served_model: str = ""
    server: str = ""
    currency: Currency = "USD"
    client_dialect: str = ""
    upstream_dialect: str = ""
    reason: str = ""
    stream: bool = False
    outcome: Outcome = "running"
    status: int = 0
    retries: int = 0
    error_kind: str = ""
    error_message: str = ""
    queued_s: float = 0.0
    first_token_s: float | None = None
    duration_s: float | None = None
    output_chars: int = 0
    usage: Usage = field(default_factory=Usage)
    ledger: Ledger = NOTHING_DONE


@dataclass(frozen=True, slots=True)
class ExchangeStarted:
    """A request was read and is about to be routed."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class ExchangeFinished:
    """The exchange has its outcome; published exactly once per ExchangeStarted."""

    exchange: Exchange


Event: TypeAlias = ExchangeStarted | ExchangeFinished


class EventBus:
    """Synchronous and in order; a listener that fails is logged and the others still hear."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Hear every event from now on; the returned function ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, event: Event) -> None:
        """Tell every listener."""
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:  # a broken face must not break the traffic
                log.exception("listener failed on %s", type(event).__name__)
