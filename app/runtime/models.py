"""Keeps up with the models that the current server lists: asked when a client asks us, at most once an hour and server.

Never unasked: a server hears from us only what a client's request makes necessary.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from proxy_core.errors import UpstreamError
from proxy_core.redact import MASK, redact_text
from proxy_core.settings import DialectName, Server

log = logging.getLogger(__name__)

PERIOD_S = 3600.0

Ask: TypeAlias = Callable[[Server, str], Awaitable[tuple[str, ...]]]
KeyOf: TypeAlias = Callable[[str], Awaitable[str | None]]


class ModelWatch:
    """What the servers list, by address. on_news: called after every answer. clock: seconds, of any origin."""

    def __init__(
        self,
        current: Callable[[], Server],
        key_of: KeyOf,
        ask: Ask,
        on_news: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._current = current
        self._key_of = key_of
        self._ask = ask
        self._on_news = on_news
        self._clock = clock
        self._asked_at: dict[str, float] = {}
        self._ids: dict[str, tuple[str, ...]] = {}
        self._nudged = asyncio.Event()

    def models_of(self, server: Server) -> tuple[str, ...]:
        """The ids that the server listed when it was last asked; () if it never did."""
        return self._ids.get(_address(server), ())

    def nudge(self) -> None:
        """Somebody wants to know: worth a look, if the last is an hour old. The answer serves the next who asks."""
        self._nudged.set()

    async def run(self) -> None:
        """Look whenever nudged, until cancelled."""
        while True:
            await self._nudged.wait()
            self._nudged.clear()
            await self.look()

    async def look(self) -> None:
        """Ask the current server if there is a key for it and its last answer is an hour old."""
        server = self._current()
        address = _address(server)
        if self._clock() - self._asked_at.get(address, -PERIOD_S) < PERIOD_S:
            return
        key = await self._key_of(server.name)
        if key is None:
            return
        self._asked_at[address] = self._clock()
        try:
            self._ids[address] = await self._ask(server, key)
        except UpstreamError as error:
            log.info("%s does not list its models: %s", server.name, redact_text(str(error).replace(key, MASK)))
            return
        log.info("%s lists %d models", server.name, len(self._ids[address]))
        self._on_news()


def _address(server: Server) -> str:
    return server.base(DialectName.OPENAI)
