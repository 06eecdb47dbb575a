"""Getting a request answered: a place in the lane, a try, and further tries where they are worth it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from proxy_core.errors import UpstreamError
from proxy_core.pipeline.setup import WholeReply
from proxy_core.pipeline.stream import StreamedReply
from proxy_core.pipeline.turning import Passage, turn_answer
from proxy_core.upstream.client import Outgoing, UpstreamClient
from proxy_core.upstream.faults import whole_request_fault
from proxy_core.upstream.retry import MAX_TOTAL_S, Budget, Pace, budget_of, persist
from proxy_core.upstream.throttle import LimitStore, Throttle, Ticket
from proxy_core.upstream_codes import ErrorClass

log = logging.getLogger(__name__)

_MOST_REFUSALS = 10
_QUEUE_S = 60.0
"""For a plain request, whose client hears nothing meanwhile; a stream waits as long as for its first byte."""


class Sender:
    """Sends for all exchanges. clock: unix seconds, for what the upstream says about times. limits: see `Throttle`."""

    def __init__(
        self, client: UpstreamClient, pace: Pace, clock: Callable[[], float], limits: LimitStore | None = None
    ) -> None:
        self._client = client
        self._pace = pace
        self._clock = clock
        self.throttle = Throttle(pace.clock, limits)

    async def send(
        self, passage: Passage, outgoing: Outgoing, max_retries: int, *, is_background: bool
    ) -> WholeReply | StreamedReply:
        """The answer to the first try, or to a later one. Raises UpstreamError; ProxyError if it queued in vain."""
        total_s = outgoing.limits.total_s
        patience_s = MAX_TOTAL_S if outgoing.stream else min(MAX_TOTAL_S, total_s)
        budget = budget_of(max_retries, len(outgoing.body), self._pace.clock() + patience_s)
        if outgoing.stream:
            return await self._persist(passage, outgoing, budget, is_background=is_background)
        try:
            async with asyncio.timeout(total_s):
                return await self._persist(passage, outgoing, budget, is_background=is_background)
        except TimeoutError as error:
            raise whole_request_fault(total_s) from error

    async def _persist(
        self, passage: Passage, outgoing: Outgoing, budget: Budget, *, is_background: bool
    ) -> WholeReply | StreamedReply:
        def on_retry(error: UpstreamError, wait_s: float) -> None:
            log.info("%s: %s (%s), once more in %.1f s", passage.call.id, error.kind.value, error.code, wait_s)
            passage.record.retry()

        async def send_once() -> WholeReply | StreamedReply:
            return await self._in_lane(
                passage, outgoing, is_background=is_background, has_retries=budget.max_retries > 0
            )

        return await persist(send_once, budget, self._pace, on_retry)

    async def _in_lane(
        self, passage: Passage, outgoing: Outgoing, *, is_background: bool, has_retries: bool
    ) -> WholeReply | StreamedReply:
        """One try in its lane. Refused for others in flight, it waits for their end and goes first then: such a
        refusal costs the upstream nothing and is no try of its own."""
        lane = self.throttle.lane(passage.route.server.name, passage.route.model, passage.key)
        limits = outgoing.limits
        patience_s = limits.first_byte_s if outgoing.stream else min(_QUEUE_S, limits.total_s)
        refusals = 0
        while True:
            began = self._pace.clock()
            ticket = await lane.enter(is_background=is_background, is_return=refusals > 0, within_s=patience_s)
            passage.record.queued(self._pace.clock() - began)
            try:
                return await self._try(passage, outgoing, ticket)
            except UpstreamError as error:
                if error.error_class is not ErrorClass.CONCURRENCY:
                    raise
                refusals += 1
                if not ticket.refused() or not has_retries or refusals > _MOST_REFUSALS:
                    raise
                passage.record.retry()
            finally:
                if not ticket.is_kept:
                    ticket.leave()

    async def _try(self, passage: Passage, outgoing: Outgoing, ticket: Ticket) -> WholeReply | StreamedReply:
        reply = await self._client.send(outgoing)
        if reply.status < 400:
            ticket.accepted()
        answered = await turn_answer(passage, reply, self._clock(), stream=outgoing.stream)
        if isinstance(answered, StreamedReply):
            ticket.is_kept = True
            answered.when_closed = ticket.leave
        return answered
