"""What happens to a request, read top to bottom: read → route → write → send → turn → tell.

No dialect is named here: the door knows the client's, the route knows the upstream's, and the table in `dialects/`
has the readers and writers of both. Writing may happen again (`attempt.Draft`): for a repair, or for another server.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from proxy_core.chat import Conversation
from proxy_core.dialects.base import ReplyContext, UpstreamRequest
from proxy_core.errors import AccessDeniedError, Overflow, UpstreamError
from proxy_core.events import EventBus
from proxy_core.pictures import needs_fitting
from proxy_core.pipeline.attempt import Ask, Attempt, Draft
from proxy_core.pipeline.failover import Detour, FailoverSender
from proxy_core.pipeline.patience import PatientReply, with_patience
from proxy_core.pipeline.picture_fitting import PictureFitter
from proxy_core.pipeline.prompt_count import BegunCount, PromptCounter
from proxy_core.pipeline.record import ExchangeRecord
from proxy_core.pipeline.repairing import RepairingSender
from proxy_core.pipeline.sending import Sender
from proxy_core.pipeline.setup import Call, KeyOf, Setup, WholeReply
from proxy_core.pipeline.stream import StreamedReply, stream_headers
from proxy_core.pipeline.turning import Passage
from proxy_core.routing.route import choose_route
from proxy_core.settings import Server
from proxy_core.upstream.client import UpstreamClient
from proxy_core.upstream.retry import Pace
from proxy_core.upstream_codes import ErrorClass

Reply: TypeAlias = WholeReply | StreamedReply | PatientReply


class Corridor:
    """Serves calls. Everything it needs is given; it owns nothing but the way through."""

    def __init__(
        self,
        *,
        setup: Callable[[], Setup],
        key_of: KeyOf,
        bus: EventBus,
        client: UpstreamClient,
        counter: PromptCounter,
        fitter: PictureFitter,
        pace: Pace,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._setup = setup
        self._key_of = key_of
        self._bus = bus
        self._counter = counter
        self._clock = clock
        self._beat_s = pace.beat_s
        self._fitter = fitter
        repairing = RepairingSender(Sender(client, pace, clock), pace.clock, further={})
        self._lessons = repairing.lessons
        self._sender = FailoverSender(repairing, pace.clock)
        self.breakers = self._sender.breakers

    async def serve(self, call: Call) -> Reply:
        """One chat request. Raises ProxyError where no answer came to be."""
        record = ExchangeRecord(call, self._bus, self._clock)
        try:
            return await self._serve(call, record)
        except BaseException as error:
            record.fail(error)
            raise

    async def count(self, call: Call) -> int:
        """Tokens of the prompt, counted here and never asked of the upstream."""
        return await self._counter.count(call.dialect.read_request(call.body))

    async def _serve(self, call: Call, record: ExchangeRecord) -> Reply:
        setup = self._setup()
        conversation = call.dialect.read_request(call.body)
        record.exchange.asked_model = conversation.model
        route = choose_route(conversation, setup.settings, setup.server, setup.discovered)
        record.route(route, stream=conversation.stream)
        conversation = await self._with_fit_pictures(conversation)
        ask = Ask(conversation, self._lessons.known(route))
        draft = Draft(call, setup, record, ask, partial(self._context, call), self._beat_s)
        own = draft.write(ask, await self._credential(setup, call))
        coming = self._send(own, self._detour(setup.failover, draft))
        if not conversation.stream:
            return await coming
        writer = call.dialect.open_writer(own.passage.context)
        return await with_patience(coming, record, writer.write, stream_headers(own.passage.headers), self._beat_s)

    def _detour(self, other: Server | None, draft: Draft) -> Detour | None:
        """The same request for the fail-over server: with that one's own stored key and never the client's."""
        if other is None:
            return None

        async def detour(reason: str) -> Attempt | None:
            key = await self._key_of(other.name)
            route = self._lessons.known(replace(draft.ask.route, server=other, reason=reason))
            return draft.write(replace(draft.ask, route=route), key, draft.repairs) if key else None

        return detour

    async def _with_fit_pictures(self, conversation: Conversation) -> Conversation:
        """Pictures only ever go to the side that has limits for them."""
        return await self._fitter.fit(conversation) if needs_fitting(conversation) else conversation

    async def _send(self, own: Attempt, detour: Detour | None) -> WholeReply | StreamedReply:
        try:
            return await self._sender.send(own, detour)
        except UpstreamError as error:
            await self._measure_overflow(error, own.passage)
            raise

    async def _measure_overflow(self, error: UpstreamError, passage: Passage) -> None:
        """Clients compact by the figures in the message, which the upstream leaves out.

        Our count may be below the window where the upstream's is not: the sentence must not contradict itself.
        """
        if error.error_class is ErrorClass.TOO_LONG and error.overflow is None:
            window = passage.route.facts.window_tokens
            count = await self._counter.count(passage.call.dialect.read_request(passage.call.body))
            error.overflow = Overflow(max(count, window + 1), window)

    async def _credential(self, setup: Setup, call: Call) -> str:
        """The stored key; only without one the client's own."""
        key = await self._key_of(setup.server.name)
        if not key and setup.settings.forward_client_key:
            key = call.client_key
        if not key:
            raise AccessDeniedError(
                f"No key is stored for the server {setup.server.name!r}, and the client sent none that may be used.",
                hint="Store one in Settings, or set SERVER_API_KEY.",
            )
        return key

    def _context(
        self, call: Call, conversation: Conversation, request: UpstreamRequest, body_bytes: int
    ) -> ReplyContext:
        """A stream that we cut at a stop sequence may never come to the upstream's own figures."""
        is_counted = call.dialect.starts_with_usage or bool(request.restraints.stops)
        wants_count = conversation.stream and is_counted
        # For others a figure matters only if the upstream tells none: a guess by size will do.
        guess = BegunCount(self._counter, conversation.model, body_bytes, None)
        estimate = self._counter.begin(conversation, body_bytes) if wants_count else guess
        return ReplyContext(
            model=conversation.model,
            fresh_id=uuid.uuid4().hex[:24],
            created=int(self._clock()),
            wants_usage=conversation.wants_usage,
            estimate_prompt=estimate,
            echo=conversation.echo,
            request_id=call.id,
            headers=call.headers,
        )
