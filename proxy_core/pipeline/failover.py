"""Another server for requests whose own is down; only where the user named one, and only before the first byte."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from proxy_core.errors import UpstreamError
from proxy_core.pipeline.attempt import Attempt
from proxy_core.pipeline.repairing import RepairingSender
from proxy_core.pipeline.setup import WholeReply
from proxy_core.pipeline.stream import StreamedReply
from proxy_core.upstream.breaker import Breakers, BreakerStore, is_outage

log = logging.getLogger(__name__)


Detour: TypeAlias = Callable[[str], Awaitable[Attempt | None]]
"""Why the own server is passed by → the same request for the other one; None where no key is stored for that."""


class FailoverSender:
    """Sends to a request's own server, or, while that is down, by the detour."""

    def __init__(self, sender: RepairingSender, clock: Callable[[], float], shared: BreakerStore | None = None) -> None:
        self._sender = sender
        self._clock = clock
        self.breakers = Breakers(clock, shared)

    async def send(self, own: Attempt, detour: Detour | None) -> WholeReply | StreamedReply:
        """The answer of whichever server gave one. Raises UpstreamError, that of the server asked last."""
        if detour is None:
            return await self._sender.send(own)
        began = self._clock()
        if not await self.breakers.admits(own.server):
            other = await self._other(own, detour, f"{own.server} has been failing", began)
            if other is not None:
                return await self._watched(other)
            # Both down, or no key for the other: better to ask than to refuse.
        try:
            return await self._watched(own)
        except UpstreamError as error:
            if not is_outage(error):
                raise
            other = await self._other(own, detour, f"{own.server} failed ({error.kind.value})", began)
            if other is None:
                raise
        return await self._watched(other)

    async def _other(self, own: Attempt, detour: Detour, why: str, began: float) -> Attempt | None:
        """The attempt at the other server, if that may be asked; the exchange is then told so."""
        other = await detour(f"fail-over, as {why}")
        left_s = own.outgoing.limits.total_s - (self._clock() - began)
        if other is None or (left_s <= 0 and not own.outgoing.stream) or not await self.breakers.admits(other.server):
            return None
        log.warning("%s goes to %s: %s", own.passage.call.id, other.server, why)
        own.passage.record.route(other.passage.route, stream=own.outgoing.stream)
        return other.within(max(left_s, 0.0))

    async def _watched(self, attempt: Attempt) -> WholeReply | StreamedReply:
        breaker = self.breakers.of(attempt.server)
        try:
            reply = await self._sender.send(attempt)
        except UpstreamError as error:
            if is_outage(error):
                breaker.failed()
            else:
                breaker.succeeded()
            raise
        except BaseException:
            breaker.dropped()
            raise
        breaker.succeeded()
        return reply
