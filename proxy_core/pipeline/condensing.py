"""Summaries of the oldest turns: found again, made while nobody waits, waited for only where the prompt needs it.

Where nothing can be had in time, the request goes as it is. One summary of a conversation is made at a time, and it
is finished for the next turn even if the request that began it left.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeAlias, TypeVar

from proxy_core.chat import Answer, Conversation
from proxy_core.context.ceilings import Level, ceiling_of
from proxy_core.context.condensing import first_turn
from proxy_core.context.digests import chain
from proxy_core.context.summary_prompt import read_summary
from proxy_core.errors import ProxyError
from proxy_core.ledger import Cut, SideCall, Stage
from proxy_core.pipeline.condensing_drafts import Draft, Order, Talk, alone, order_summary, with_summary
from proxy_core.pipeline.setup import Setup
from proxy_core.routing.route import Route
from proxy_core.settings import ProxySettings
from proxy_core.stores.summaries import StoredSummary, SummaryStore

log = logging.getLogger(__name__)

Count: TypeAlias = Callable[[Conversation], Awaitable[int]]
Flight: TypeAlias = asyncio.Task[StoredSummary | None]

_Value = TypeVar("_Value")

_LEAST_BYTES_PER_TOKEN = 2
"""A body with fewer bytes than this for each token of the ceiling cannot reach it: nothing is counted."""
_URGENT_WAITS = 3
"""How many times CONDENSATION_TIMEOUT a request waits that would be refused as it is."""
_FIRST_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 3_600.0
_MOST_REMEMBERED = 500
_NOTE = "a summary stands for the oldest turns"


class Asker(Protocol):
    """Makes model calls of our own; `SideCaller` is the one."""

    async def ask(
        self, stage: Stage, conversation: Conversation, route: Route, key: str, settings: ProxySettings, limit_s: float
    ) -> Answer:
        """The whole answer, within `limit_s` seconds. Raises ProxyError."""
        ...


@dataclass(frozen=True, slots=True)
class Condensed:
    """What became of a conversation. Without cuts it is the very object that went in."""

    conversation: Conversation
    cuts: tuple[Cut, ...] = ()
    side_calls: tuple[SideCall, ...] = ()


@dataclass(slots=True)
class _Pause:
    until: float
    length_s: float


class Condenser:
    """Condenses for one proxy. count: tokens of a whole prompt. clock: monotonic seconds; time: unix seconds."""

    def __init__(
        self,
        asker: Asker,
        count: Count,
        store: SummaryStore,
        *,
        clock: Callable[[], float],
        time: Callable[[], float],
    ) -> None:
        self._asker = asker
        self._count = count
        self._store = store
        self._clock = clock
        self._time = time
        self._flights: dict[tuple[int, str], Flight] = {}
        self._is_closed = False
        self._pauses: OrderedDict[str, _Pause] = OrderedDict()
        self._unreported: OrderedDict[str, SideCall] = OrderedDict()
        self._refused: OrderedDict[str, None] = OrderedDict()

    async def condense(
        self, original: Conversation, trimmed: Conversation, route: Route, key: str, setup: Setup, body_bytes: int
    ) -> Condensed:
        """The conversation as it shall go to this route: with the summary that there is, or a new one where it is due.

        original: as the client sent it; trimmed: the same messages after other edits. body_bytes: size of the body.
        """
        ceiling = ceiling_of(route.facts, setup.settings, original.sampling.max_tokens)
        is_short = body_bytes < _LEAST_BYTES_PER_TOKEN * ceiling.warning_tokens
        if is_short and not await self._was_refused(original):
            return Condensed(trimmed)
        return await self._safely(self._condense, original, trimmed, route, key, setup)

    async def condense_now(
        self,
        original: Conversation,
        trimmed: Conversation,
        route: Route,
        key: str,
        setup: Setup,
        messages: int | None = None,
    ) -> Condensed:
        """The last resort: the upstream called this prompt too long, whatever was counted here. Without cuts nothing
        shorter could be had, and there is no use in sending it again.

        trimmed: without any summary; messages: how many there were in what was refused, which may have had one.
        """
        work = partial(self._condense_now, len(trimmed.messages) if messages is None else messages)
        return await self._safely(work, original, trimmed, route, key, setup)

    async def preview(
        self, original: Conversation, trimmed: Conversation, route: Route, key: str, setup: Setup
    ) -> Condensed:
        """What `condense` would do with the summaries there are, without asking a model."""
        return await self._safely(self._preview, original, trimmed, route, key, setup)

    async def close(self) -> None:
        """Give up what is being made."""
        self._is_closed = True
        tasks = list(self._flights.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _safely(
        self,
        work: Callable[[Talk], Awaitable[Condensed]],
        original: Conversation,
        trimmed: Conversation,
        route: Route,
        key: str,
        setup: Setup,
    ) -> Condensed:
        """Whatever goes wrong here, the request goes as it is."""
        first = first_turn(original.messages)
        if not setup.settings.enable_message_condensation or first == len(original.messages):
            return Condensed(trimmed)
        try:
            if len(original.messages) != len(trimmed.messages):
                raise ValueError("an edit added or removed messages")
            digests = await asyncio.to_thread(chain, original.messages[first:])
            ceiling = ceiling_of(route.facts, setup.settings, original.sampling.max_tokens)
            return await work(Talk(trimmed, digests, first, route, key, setup, ceiling))
        except Exception:  # a supervisor's border: our own edit may not cost the user the request
            log.exception("A conversation could not be condensed and goes as it is")
            return Condensed(trimmed)

    async def _condense(self, talk: Talk) -> Condensed:
        draft = await self._known(talk)
        tokens = await self._count(draft.conversation)
        level = talk.ceiling.level(tokens)
        if level is not Level.CALM and not self._is_paused(talk):
            flight = self._begin(talk, draft, tokens, is_urgent=level is Level.EMERGENCY)
            if flight is not None and level is not Level.WARNING:
                draft = await self._arrived(talk, draft, flight, is_urgent=level is Level.EMERGENCY)
        return await self._report(talk, draft)

    async def _condense_now(self, messages: int, talk: Talk) -> Condensed:
        _remember(self._refused, talk.digests[0], None)
        draft = await self._known(talk)
        if len(draft.conversation.messages) < messages:  # paid for already, and not what was refused
            return await self._report(talk, draft)
        tokens = await self._count(draft.conversation)
        refused = replace(talk, ceiling=talk.ceiling.lowered_to(tokens))
        flight = self._begin(refused, draft, tokens, is_urgent=True)
        shorter = draft if flight is None else await self._arrived(refused, draft, flight, is_urgent=True)
        return Condensed(talk.trimmed) if shorter is draft else await self._report(talk, shorter)

    async def _preview(self, talk: Talk) -> Condensed:
        return await self._told(talk, await self._known(talk))

    async def _known(self, talk: Talk) -> Draft:
        """With the longest summary that fits. One made for a lower ceiling (another model's) stays out: this
        model may still read the turns themselves, and has them in its cache."""
        found = await self._store.find(talk.digests[::-1])
        fitting = [one for one in found if one.ceiling_tokens >= talk.ceiling.working_tokens]
        return with_summary(talk, fitting[0]) if fitting else Draft(talk.trimmed)

    def _begin(self, talk: Talk, draft: Draft, tokens: int, *, is_urgent: bool) -> Flight | None:
        """The making of a summary: the one under way for this conversation, else a new one where it is worth it."""
        further = set(talk.digests_from(draft.end))
        for (ceiling_tokens, digest), flight in self._flights.items():
            if digest in further and ceiling_tokens >= talk.ceiling.working_tokens:
                return flight
        try:
            order = order_summary(talk, draft, tokens, is_urgent=is_urgent)
        except ProxyError as error:
            log.warning("No summary can be asked for: %s", error)
            self._pause(talk)
            return None
        return None if order is None or self._is_closed else self._start(talk, order)

    def _start(self, talk: Talk, order: Order) -> Flight:
        name = (talk.ceiling.working_tokens, order.digest)
        flight = asyncio.get_running_loop().create_task(self._make(talk, order), name="summary")
        self._flights[name] = flight
        flight.add_done_callback(lambda _: self._flights.pop(name, None))
        return flight

    async def _make(self, talk: Talk, order: Order) -> StoredSummary | None:
        settings, model = talk.setup.settings, order.route.model
        limit_s = settings.condensation_timeout * _URGENT_WAITS
        try:
            answer = await self._asker.ask(Stage.SUMMARY, order.request, order.route, talk.key, settings, limit_s)
            text = read_summary(answer)
            summary = StoredSummary(order.digest, text, talk.ceiling.working_tokens, model, self._time())
            await self._store.put(summary)
        except Exception as error:  # noqa: BLE001 the supervisor of this task: whoever waits goes on without it
            log.warning("No summary could be had from %s: %s", model, str(error) or type(error).__name__)
            self._pause(talk)
            return None
        _remember(self._unreported, order.digest, SideCall(Stage.SUMMARY, model, answer.usage))
        self._pauses.pop(talk.digests[0], None)
        return summary

    async def _arrived(self, talk: Talk, draft: Draft, flight: Flight, *, is_urgent: bool) -> Draft:
        """With the summary, if it comes in time. The flight goes on without whoever leaves."""
        patience = talk.setup.settings.condensation_timeout * (_URGENT_WAITS if is_urgent else 1)
        done, _ = await asyncio.wait({flight}, timeout=patience)
        if not done:
            log.warning("A summary took too long; the request goes without it")
            return draft
        summary = None if flight.cancelled() else flight.result()
        if summary is None:
            return draft
        new = with_summary(talk, summary)
        return new if new.summary else draft

    async def _report(self, talk: Talk, draft: Draft) -> Condensed:
        """With figures, and the call that was paid: told once, with the first request that has its summary."""
        told = await self._told(talk, draft)
        call = self._unreported.pop(draft.summary.digest, None) if draft.summary and told.cuts else None
        return replace(told, side_calls=(call,)) if call else told

    async def _told(self, talk: Talk, draft: Draft) -> Condensed:
        """With figures."""
        if draft.summary is None:
            return Condensed(draft.conversation)
        before, after = await self._count(talk.trimmed), await self._count(draft.conversation)
        added = await self._count(alone(talk.trimmed, draft.summary))
        if after >= before:
            return Condensed(talk.trimmed)
        cut = Cut(Stage.SUMMARY, draft.end - talk.first, before - after + added, added, _NOTE)
        return Condensed(draft.conversation, (cut,))

    async def _was_refused(self, original: Conversation) -> bool:
        """Whether an upstream has called this conversation too long, against all that is believed here."""
        if not self._refused:
            return False
        first = first_turn(original.messages)
        digests = await asyncio.to_thread(chain, original.messages[first : first + 1])
        return bool(digests) and digests[0] in self._refused

    def _is_paused(self, talk: Talk) -> bool:
        pause = self._pauses.get(talk.digests[0])
        return pause is not None and self._clock() < pause.until

    def _pause(self, talk: Talk) -> None:
        """After a failure it is not tried again with every turn."""
        before = self._pauses.get(talk.digests[0])
        length = _FIRST_PAUSE_S if before is None else min(before.length_s * 2, _LONGEST_PAUSE_S)
        _remember(self._pauses, talk.digests[0], _Pause(self._clock() + length, length))


def _remember(memory: OrderedDict[str, _Value], key: str, value: _Value) -> None:
    """As the newest of a bounded number."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _MOST_REMEMBERED:
        memory.popitem(last=False)
