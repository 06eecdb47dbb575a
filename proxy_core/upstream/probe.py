"""Whether the upstream answers at this moment: one tiny request, at most every 30 s however often somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from proxy_core.settings import Server
from proxy_core.upstream.trial import KeyTrial

EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found, and how many seconds ago."""

    trial: KeyTrial
    age_s: float


class Probe:
    """ask: makes the request (server, key). clock: seconds, of any origin. Whoever made it closes it."""

    def __init__(self, ask: Callable[[Server, str], Awaitable[KeyTrial]], clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._asked: tuple[Server, str] | None = None
        self._asked_at = 0.0
        self._asking: asyncio.Future[KeyTrial] | None = None

    async def look(self, server: Server, key: str) -> Looked:
        """The newest finding about this server with this key; a caller that leaves spoils it for nobody."""
        is_old = self._clock() - self._asked_at >= EVERY_S
        asking = self._asking
        if asking is None or asking.cancelled() or is_old or self._asked != (server, key):
            self.close()
            self._asked, self._asked_at = (server, key), self._clock()
            asking = self._asking = asyncio.get_running_loop().create_task(_awaited(self._ask(server, key)))
        trial = await asyncio.shield(asking)
        return Looked(trial, self._clock() - self._asked_at)

    def close(self) -> None:
        """Give up what is being asked."""
        if self._asking is not None:
            self._asking.cancel()


async def _awaited(asking: Awaitable[KeyTrial]) -> KeyTrial:
    return await asking
