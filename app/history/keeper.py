"""Joins the bus to the history: every exchange that ends becomes a row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from app.history.reading import History
from app.history.rows import row_of
from app.history.schema import FILE
from app.history.writer import Bounds, HistoryWriter
from proxy_core.events import Event, EventBus, ExchangeFinished


class HistoryKeeper:
    """The history of one running instance. folder: `stats/`; say: hears sentences for people, on the loop.

    bounds: what the settings allow at this moment. clock: unix seconds.
    """

    def __init__(
        self,
        folder: Path,
        bus: EventBus,
        bounds: Callable[[], Bounds],
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._bus = bus
        self._say = say
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: Callable[[], None] = lambda: None
        self._writer = HistoryWriter(folder / FILE, bounds, self._pass_on, clock)
        self.history = History(folder / FILE)

    def start(self) -> None:
        """Listen and write. On the loop."""
        self._loop = asyncio.get_running_loop()
        self._writer.start()
        self._leave = self._bus.subscribe(self._hear)

    async def close(self) -> None:
        """Write what is left and end."""
        self._leave()
        self._leave = lambda: None
        if self._loop is not None:
            await asyncio.to_thread(self._writer.close)

    def _hear(self, event: Event) -> None:
        if isinstance(event, ExchangeFinished):
            self._writer.add(row_of(event.exchange))

    def _pass_on(self, sentence: str) -> None:
        """From the writer's thread to the loop; at the very end nobody listens any more."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._say, sentence)
