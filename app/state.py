"""What is going on, as faces show it: they poll a frozen snapshot and look closer only if its revision moved."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from proxy_core.events import Event, EventBus, ExchangeFinished
from proxy_core.redact import redact_text
from proxy_core.telemetry.meter import Meter
from proxy_core.telemetry.totals import Totals

log = logging.getLogger(__name__)

MAX_NOTICES = 50
_ERROR_CHARS = 300


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment. address: "127.0.0.1:5000", "" while nothing listens. servers: all names, in order.

    last_error: why the last exchange failed, "" once one went well.
    notices: what must be said to the user, oldest first.
    """

    revision: int = 0
    address: str = ""
    server: str = ""
    servers: tuple[str, ...] = ()
    paused: bool = False
    in_flight: int = 0
    last_error: str = ""
    totals: Totals = field(default_factory=Totals)
    notices: tuple[str, ...] = ()


class AppState:
    """Written by Runtime and by what the bus tells; the revision moves with every change."""

    def __init__(self, bus: EventBus, meter: Meter) -> None:
        self._meter = meter
        self._facts = Snapshot()
        self._notices: deque[str] = deque(maxlen=MAX_NOTICES)
        # After the meter, so that a moved revision never shows figures from before the event.
        self._unsubscribe: Callable[[], None] = bus.subscribe(self._hear)

    def close(self) -> None:
        """Stop listening."""
        self._unsubscribe()

    def snapshot(self) -> Snapshot:
        """This moment."""
        return replace(
            self._facts,
            in_flight=self._meter.in_flight,
            totals=self._meter.totals,
            notices=tuple(self._notices),
        )

    def show_listening(self, address: str) -> None:
        """Where the proxy listens; "" for nowhere."""
        self._change(replace(self._facts, address=address))

    def show_servers(self, current: str, names: tuple[str, ...]) -> None:
        """The current server and all there are."""
        self._change(replace(self._facts, server=current, servers=names))

    def show_paused(self, paused: bool) -> None:
        """Whether requests are turned away."""
        self._change(replace(self._facts, paused=paused))

    def add_notice(self, text: str) -> None:
        """Something the user must be told; said once however often it happens."""
        if text not in self._notices:
            log.warning(text)
            self._notices.append(text)
            self._change(self._facts)

    def clear_notices(self) -> None:
        """The user has read them."""
        self._notices.clear()
        self._change(self._facts)

    def _hear(self, event: Event) -> None:
        error = self._facts.last_error
        if isinstance(event, ExchangeFinished) and event.exchange.outcome == "failed":
            error = redact_text(event.exchange.error_message or event.exchange.error_kind)[:_ERROR_CHARS]
        elif isinstance(event, ExchangeFinished) and event.exchange.outcome == "done":
            error = ""
        self._change(replace(self._facts, last_error=error))

    def _change(self, facts: Snapshot) -> None:
        self._facts = replace(facts, revision=self._facts.revision + 1)
