"""Sending once more what was refused, repaired; and what servers taught us by refusing."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from proxy_core.errors import BadRequestError, UpstreamError
from proxy_core.facts import UpstreamQuirks
from proxy_core.pipeline.attempt import CALL_REPAIR, Ask, Attempt
from proxy_core.pipeline.repair import REPAIRS, is_of_the_request
from proxy_core.pipeline.sending import Sender
from proxy_core.pipeline.setup import WholeReply
from proxy_core.pipeline.stream import StreamedReply
from proxy_core.pipeline.turning import NoCallError
from proxy_core.routing.route import Route
from proxy_core.upstream.client import Outgoing

log = logging.getLogger(__name__)

FurtherRepair: TypeAlias = Callable[[UpstreamError, Attempt], Awaitable[Ask | None]]
"""A repair that takes time, as model calls of our own do: (refusal, what was refused) → what to ask instead, or None.
Raises nothing."""


class Lessons:
    """The quirks that servers were found to have, for the life of the process; by address, as names may be reused."""

    def __init__(self) -> None:
        self._quirks: dict[str, UpstreamQuirks] = {}

    def known(self, route: Route) -> Route:
        """The route with all that was learned about its server."""
        quirks = self._quirks.get(route.server.base(route.dialect))
        return route if quirks is None else replace(route, quirks=quirks)

    def learn(self, route: Route) -> None:
        """Its server took a request that was written for these quirks, and none without them."""
        self._quirks[route.server.base(route.dialect)] = route.quirks


class RepairingSender:
    """Sends an attempt and, where it is refused for what can be changed, the changed one: nothing has reached the
    client by then. clock: seconds, of any origin. further: more repairs under their names, for what the table does
    not help."""

    def __init__(
        self, sender: Sender, clock: Callable[[], float], further: Mapping[str, FurtherRepair] | None = None
    ) -> None:
        self._sender = sender
        self._clock = clock
        self._further = further or {}
        self.lessons = Lessons()

    async def send(self, attempt: Attempt) -> WholeReply | StreamedReply:
        """The answer to this attempt or to a repaired one. Raises UpstreamError."""
        began = self._clock()
        try:
            return await self._sender.send(
                attempt.passage, attempt.outgoing, attempt.max_retries, is_background=attempt.is_background
            )
        except NoCallError as error:
            return await self._demand_again(attempt, error, began)
        except UpstreamError as error:
            repaired = await self._repaired(attempt, error)
            again = None if repaired is None else self._in_time(repaired, attempt, began)
            if again is None:
                raise
        reply = await self._send_again(again)
        if again.ask.route.quirks != attempt.ask.route.quirks:
            self.lessons.learn(again.ask.route)
        return reply

    async def _send_again(self, again: Attempt) -> WholeReply | StreamedReply:
        record, route = again.passage.record, again.ask.route
        log.info("%s goes out once more to %s, repaired: %s", again.passage.call.id, again.server, again.repairs[-1])
        record.retry()
        record.route(route, stream=again.outgoing.stream)
        again.draft.adopt(again)
        return await self.send(again)

    async def _repaired(self, attempt: Attempt, error: UpstreamError) -> Attempt | None:
        """By the first repair that changes anything in what is sent."""
        if not is_of_the_request(error):
            return None
        async for name, ask in self._remedies(attempt, error):
            repaired = _rewritten(attempt, ask, name)
            if repaired is not None and not _is_same(repaired.outgoing, attempt.outgoing):
                return repaired
        return None

    async def _remedies(self, attempt: Attempt, error: UpstreamError) -> AsyncIterator[tuple[str, Ask]]:
        """The names and outcomes of all repairs that know one and may still be made."""
        draft = attempt.draft
        for name, repair in REPAIRS.items():
            if draft.may_repair(name, attempt.repairs):
                ask = repair(error, attempt.ask, draft.settings)
                if ask is not None:
                    yield name, ask
        for name, further in self._further.items():
            if draft.may_repair(name, attempt.repairs):
                ask = await further(error, attempt)
                if ask is not None:
                    yield name, ask

    async def _demand_again(self, attempt: Attempt, error: NoCallError, began: float) -> WholeReply | StreamedReply:
        """The same once more; if that fails, the answer without a call is better than none."""
        again = _rewritten(attempt, attempt.ask, CALL_REPAIR)
        again = None if again is None else self._in_time(again, attempt, began)
        if again is None:
            return error.pass_on()
        try:
            return await self._send_again(again)
        except UpstreamError as failure:
            log.info("%s: %s, the answer without a call is passed on", again.passage.call.id, failure.kind.value)
            return error.pass_on()

    def _in_time(self, again: Attempt, before: Attempt, began: float) -> Attempt | None:
        """With what is left of the time for the whole request, if anything is."""
        left_s = before.outgoing.limits.total_s - (self._clock() - began)
        return again.within(max(left_s, 0.0)) if left_s > 0 or again.outgoing.stream else None


def _is_same(one: Outgoing, other: Outgoing) -> bool:
    return (one.url, one.body) == (other.url, other.body)


def _rewritten(attempt: Attempt, ask: Ask, repair: str) -> Attempt | None:
    """The attempt with this asked instead; None where that cannot be written."""
    try:
        return attempt.draft.write(ask, attempt.passage.key, (*attempt.repairs, repair))
    except BadRequestError as error:
        log.debug("%s: no repair by %s: %s", attempt.passage.call.id, repair, error.param)
        return None
