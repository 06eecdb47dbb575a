"""What happens to a request, read top to bottom: read → trim → route → condense → write → send → turn → tell.

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

from proxy_core.chat import Conversation, with_messages
from proxy_core.dialects.base import Dialect, ReplyContext, UpstreamRequest
from proxy_core.errors import AccessDeniedError, Overflow, UpstreamError
from proxy_core.events import EventBus
from proxy_core.jsontypes import JsonObject
from proxy_core.pictures import needs_fitting
from proxy_core.pipeline.attempt import Ask, Attempt, Draft, basic_headers, scale_of
from proxy_core.pipeline.failover import Detour, FailoverSender
from proxy_core.pipeline.patience import Opening, PatientReply, with_patience
from proxy_core.pipeline.picture_fitting import PictureFitter
from proxy_core.pipeline.preview import Preview, preview_request
from proxy_core.pipeline.prompt_count import BegunCount, Counted, PromptCounter
from proxy_core.pipeline.record import ExchangeRecord
from proxy_core.pipeline.repairing import RepairingSender
from proxy_core.pipeline.sending import Sender
from proxy_core.pipeline.setup import Call, KeyOf, Setup, WholeReply
from proxy_core.pipeline.stream import StreamedReply, stream_headers
from proxy_core.pipeline.trimming import Trimmed, Trimmer
from proxy_core.pipeline.turning import Passage
from proxy_core.routing.route import choose_route
from proxy_core.settings import Server
from proxy_core.tokens.scaling import scale_tokens
from proxy_core.upstream.breaker import BreakerStore
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
        sender: Sender,
        trimmer: Trimmer,
        counter: PromptCounter,
        fitter: PictureFitter,
        pace: Pace,
        clock: Callable[[], float] = time.time,
        shared: BreakerStore | None = None,
    ) -> None:
        self._setup = setup
        self._key_of = key_of
        self._bus = bus
        self._counter = counter
        self._clock = clock
        self._beat_s = pace.beat_s
        self._fitter = fitter
        self._trimmer = trimmer
        repairing = RepairingSender(sender, pace.clock, further={"condensed": self._condensed})
        self._lessons = repairing.lessons
        self._sender = FailoverSender(repairing, pace.clock, shared)
        self.breakers = self._sender.breakers

    async def serve(self, call: Call) -> Reply:
        """One chat request. Raises ProxyError where no answer came to be."""
        record = ExchangeRecord(call, self._bus, self._clock)
        try:
            return await self._serve(call, record)
        except BaseException as error:
            record.fail(error)
            raise

    async def count(self, call: Call) -> Counted:
        """Tokens of the prompt, counted here and never asked of the upstream."""
        setup = self._setup()
        conversation = call.dialect.read_request(call.body)
        route = choose_route(conversation, setup.settings, setup.server, setup.discovered)
        tokens = await self._counter.count(conversation, route.model)
        scale = scale_of(call.dialect, route, setup.settings)
        return Counted(scale_tokens(tokens, scale), self._counter.source(route.model))

    async def _serve(self, call: Call, record: ExchangeRecord) -> Reply:
        setup = self._setup()
        conversation = call.dialect.read_request(call.body)
        record.exchange.asked_model = conversation.model
        route = choose_route(conversation, setup.settings, setup.server, setup.discovered)
        record.route(route, stream=conversation.stream)
        ask = Ask(conversation, route, Trimmed(conversation, conversation))
        draft = Draft(call, setup, record, ask, partial(self._context, call, record), self._beat_s)
        coming = self._go(draft, record, await self._credential(setup, call), call.body_bytes)
        if not conversation.stream:
            return await coming
        return await with_patience(coming, record, partial(self._open_stream, call, draft), self._beat_s)

    async def _go(self, draft: Draft, record: ExchangeRecord, key: str, body_bytes: int) -> WholeReply | StreamedReply:
        """From what the client asked to its reply; everything that may take its time."""
        ask = draft.ask = await self._prepared(draft.ask, draft.setup, key, body_bytes)
        record.route(ask.route, stream=ask.conversation.stream)
        record.exchange.ledger = ask.trimmed.ledger
        return await self._send(draft.write(ask, key), self._detour(draft.setup.failover, draft))

    async def _prepared(self, ask: Ask, setup: Setup, key: str, body_bytes: int) -> Ask:
        """With a smaller prompt, and the route that this takes: a picture that became words needs no eyes."""
        trimmed, route = await self._trimmer.trim(ask.conversation, setup, key), ask.route
        if trimmed.conversation is not ask.conversation:
            route = choose_route(trimmed.conversation, setup.settings, setup.server, setup.discovered)
        fit = await self._with_fit_pictures(trimmed.conversation)
        trimmed = await self._trimmer.condense(replace(trimmed, conversation=fit), route, key, setup, body_bytes)
        return Ask(trimmed.conversation, self._lessons.known(route), trimmed)

    async def _condensed(self, error: UpstreamError, attempt: Attempt) -> Ask | None:
        """The last resort for a prompt that the upstream calls too long."""
        if error.error_class is not ErrorClass.TOO_LONG:
            return None
        ask, draft = attempt.ask, attempt.draft
        shorter = await self._trimmer.condense_now(ask.trimmed, ask.route, attempt.passage.key, draft.setup)
        if shorter is None:
            return None
        attempt.passage.record.exchange.ledger = shorter.ledger
        messages = shorter.conversation.messages
        return Ask(with_messages(ask.conversation, messages), ask.route, shorter)

    async def preview(self, dialect: Dialect, body: JsonObject) -> Preview:
        """What would become of a request of this dialect, sent nowhere. Raises as `serve` would."""
        return await preview_request(dialect, body, self._setup(), self._trimmer, self._counter)

    def _open_stream(self, call: Call, draft: Draft) -> Opening:
        """What can be said of a stream whose reply is not there yet, by what was written up to now."""
        newest = draft.newest
        if newest is not None:
            return Opening(
                call.dialect.open_writer(newest.passage.context).write, stream_headers(newest.passage.headers)
            )
        context = self._plain_context(call, draft.ask.conversation)
        return Opening(call.dialect.open_writer(context).write, stream_headers(basic_headers(call, draft.ask.route)))

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
            count = await self._counter.count(passage.call.dialect.read_request(passage.call.body), passage.route.model)
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
        self, call: Call, record: ExchangeRecord, ask: Ask, request: UpstreamRequest, body_bytes: int
    ) -> ReplyContext:
        """With the prompt being counted, where the figure is needed or teaches us something.

        A stream that we cut at a stop sequence may never come to the upstream's own figures. For others one matters
        only if the upstream tells none: a guess by size will do.
        """
        conversation, model = ask.conversation, ask.route.model
        is_needed = conversation.stream and (call.dialect.starts_with_usage or bool(request.restraints.stops))
        begun = BegunCount(self._counter, model, body_bytes, None)
        if is_needed or self._trimmer.wants_sample(model):
            begun = self._counter.begin(conversation, body_bytes, model)
        record.settle = partial(self._trimmer.settle, ask.trimmed.trace, begun)
        return replace(self._plain_context(call, conversation), estimate_prompt=begun)

    def _plain_context(self, call: Call, conversation: Conversation) -> ReplyContext:
        return ReplyContext(
            model=conversation.model,
            fresh_id=uuid.uuid4().hex[:24],
            created=int(self._clock()),
            wants_usage=conversation.wants_usage,
            echo=conversation.echo,
            request_id=call.id,
            headers=call.headers,
        )
