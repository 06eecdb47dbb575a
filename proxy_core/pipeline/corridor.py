"""What happens to a request, read top to bottom: read → route → write → send → turn → tell.

No dialect is named here: the door knows the client's, the route knows the upstream's, and the table in `dialects/`
has the readers and writers of both.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from proxy_core.chat import Conversation
from proxy_core.dialects.base import ReplyContext, UpstreamRequest
from proxy_core.dialects.table import DIALECTS
from proxy_core.errors import AccessDeniedError, Overflow, UpstreamError
from proxy_core.events import EventBus
from proxy_core.pictures import needs_fitting
from proxy_core.pipeline.failover import Attempt, Detour, FailoverSender
from proxy_core.pipeline.outgoing import address_request, encode_body, target_of
from proxy_core.pipeline.patience import PatientReply, with_patience
from proxy_core.pipeline.picture_fitting import PictureFitter
from proxy_core.pipeline.prompt_count import PromptCounter
from proxy_core.pipeline.record import ExchangeRecord
from proxy_core.pipeline.sending import Sender
from proxy_core.pipeline.setup import Call, KeyOf, Setup, WholeReply
from proxy_core.pipeline.stream import StreamedReply, stream_headers
from proxy_core.pipeline.turning import Passage
from proxy_core.routing.route import Route, choose_route
from proxy_core.upstream.client import UpstreamClient
from proxy_core.upstream.retry import Pace
from proxy_core.upstream_codes import ErrorClass
from proxy_core.wire.headers import header_text

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
        self._sender = FailoverSender(Sender(client, pace, clock), pace.clock)
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
        upstream = DIALECTS[route.dialect.value]
        request = upstream.write_request(conversation, target_of(route, setup.settings))
        body = encode_body(request.body)
        key = await self._credential(setup, call)
        context = self._context(call, conversation, request, len(body))

        def attempt(route: Route, key: str) -> Attempt:
            crossing = call.headers if call.dialect.name == upstream.name else {}
            stream = conversation.stream
            outgoing = address_request(route, upstream, key, body, setup.settings, stream=stream, crossing=crossing)
            headers = _reply_headers(call, route, request)
            passage = Passage(call, route, upstream, context, record, headers, self._beat_s, request.restraints, key)
            is_background = route.model == setup.settings.fast_model
            return Attempt(passage, outgoing, setup.settings.max_retries, is_background)

        own = attempt(route, key)
        coming = self._send(own, self._detour(setup, route, attempt))
        if not conversation.stream:
            return await coming
        writer = call.dialect.open_writer(context)
        return await with_patience(coming, record, writer.write, stream_headers(own.passage.headers), self._beat_s)

    def _detour(self, setup: Setup, route: Route, attempt: Callable[[Route, str], Attempt]) -> Detour | None:
        """The same request for the fail-over server: with that one's own stored key and never the client's."""
        other = setup.failover
        if other is None:
            return None

        async def detour(reason: str) -> Attempt | None:
            key = await self._key_of(other.name)
            return attempt(replace(route, server=other, reason=reason), key) if key else None

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
        estimate = self._counter.begin(conversation, body_bytes) if wants_count else lambda: 0
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


def _reply_headers(call: Call, route: Route, request: UpstreamRequest) -> dict[str, str]:
    headers = {
        "request-id": call.id,
        "x-request-id": call.id,
        "x-proxy-route": header_text(f"{route.server.name}/{route.dialect.value}/{route.model}"),
    }
    for name, fields in (("x-proxy-dropped", request.dropped), ("x-proxy-emulated", request.emulated)):
        if fields:
            headers[name] = header_text(",".join(fields))
    return headers
