"""What happens to a request, read top to bottom: read → route → write → send → turn → tell.

No dialect is named here: the door knows the client's, the route knows the upstream's, and the table in `dialects/`
has the readers and writers of both.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from proxy_core.chat import Answer, Conversation
from proxy_core.dialects.base import ClientDialect, Dialect, ReplyContext, StreamRelay, Target
from proxy_core.dialects.crossing import Crossing
from proxy_core.dialects.fold import Folder, unfold
from proxy_core.dialects.table import DIALECTS
from proxy_core.dialects.upstream_errors import is_error_body
from proxy_core.errors import AccessDeniedError, BadRequestError, Overflow, UpstreamError
from proxy_core.events import EventBus
from proxy_core.jsontypes import JsonObject
from proxy_core.pipeline.prompt_count import PromptCounter
from proxy_core.pipeline.record import ExchangeRecord
from proxy_core.pipeline.setup import Call, KeyOf, Setup, WholeReply
from proxy_core.pipeline.stream import StreamedReply
from proxy_core.routing.route import Route, choose_route
from proxy_core.settings import ProxySettings
from proxy_core.upstream.client import MAX_ERROR_BYTES, Limits, Outgoing, UpstreamClient, UpstreamReply
from proxy_core.upstream.faults import whole_request_fault
from proxy_core.upstream.retry import MAX_TOTAL_S, Budget, Pace, budget_of, persist
from proxy_core.upstream_codes import ErrorClass
from proxy_core.wire.headers import header_text, join_url, upstream_headers
from proxy_core.wire.sse import SseDecoder

log = logging.getLogger(__name__)

_EVENT_STREAM = "text/event-stream"
_JSON = {"content-type": "application/json"}
_OK = 200
_FIRST_ERROR = 400


@dataclass(frozen=True, slots=True)
class _Passage:
    """One request in mid-corridor: everything that the way back needs."""

    call: Call
    route: Route
    upstream: Dialect
    context: ReplyContext
    record: ExchangeRecord
    headers: dict[str, str]

    @property
    def is_same_dialect(self) -> bool:
        """Whether bytes can go through as they came."""
        return self.call.dialect.name == self.upstream.name


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
        pace: Pace,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._setup = setup
        self._key_of = key_of
        self._bus = bus
        self._client = client
        self._counter = counter
        self._pace = pace
        self._clock = clock

    async def serve(self, call: Call) -> WholeReply | StreamedReply:
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

    async def _serve(self, call: Call, record: ExchangeRecord) -> WholeReply | StreamedReply:
        setup = self._setup()
        conversation = call.dialect.read_request(call.body)
        record.exchange.asked_model = conversation.model
        route = choose_route(conversation, setup.settings, setup.server)
        record.route(route, stream=conversation.stream)
        upstream = DIALECTS[route.dialect.value]
        request = upstream.write_request(conversation, _target(route, setup.settings))
        body = encode_body(request.body)
        key = await self._credential(setup, call)
        outgoing = _outgoing(call, route, upstream, key, body, setup.settings, stream=conversation.stream)
        headers = _reply_headers(call, route, request.dropped)
        context = self._context(call.dialect, conversation, len(body))
        passage = _Passage(call, route, upstream, context, record, headers)
        try:
            return await self._send(passage, outgoing, setup.settings.max_retries)
        except UpstreamError as error:
            await self._measure_overflow(error, conversation, route)
            raise

    async def _send(self, passage: _Passage, outgoing: Outgoing, max_retries: int) -> WholeReply | StreamedReply:
        """The answer to the first try, or to a later one."""
        total_s = outgoing.limits.total_s
        if outgoing.stream:
            return await self._persist(passage, outgoing, self._budget(max_retries, outgoing, MAX_TOTAL_S))
        budget = self._budget(max_retries, outgoing, min(MAX_TOTAL_S, total_s))
        try:
            async with asyncio.timeout(total_s):
                return await self._persist(passage, outgoing, budget)
        except TimeoutError as error:
            raise whole_request_fault(total_s) from error

    def _budget(self, max_retries: int, outgoing: Outgoing, patience_s: float) -> Budget:
        return budget_of(max_retries, len(outgoing.body), self._pace.clock() + patience_s)

    async def _persist(self, passage: _Passage, outgoing: Outgoing, budget: Budget) -> WholeReply | StreamedReply:
        async def send_once() -> WholeReply | StreamedReply:
            return await self._answer(passage, await self._client.send(outgoing), stream=outgoing.stream)

        def on_retry(error: UpstreamError, wait_s: float) -> None:
            log.info("%s: %s (%s), once more in %.1f s", passage.call.id, error.kind.value, error.code, wait_s)
            passage.record.retry()

        return await persist(send_once, budget, self._pace, on_retry)

    async def _measure_overflow(self, error: UpstreamError, conversation: Conversation, route: Route) -> None:
        """Clients compact by the figures in the message, which the upstream leaves out.

        Our count may be below the window where the upstream's is not: the sentence must not contradict itself.
        """
        if error.error_class is ErrorClass.TOO_LONG and error.overflow is None:
            window = route.facts.window_tokens
            error.overflow = Overflow(max(await self._counter.count(conversation), window + 1), window)

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

    def _context(self, dialect: ClientDialect, conversation: Conversation, body_bytes: int) -> ReplyContext:
        wants_count = conversation.stream and dialect.starts_with_usage
        estimate = self._counter.begin(conversation, body_bytes) if wants_count else lambda: 0
        return ReplyContext(
            model=conversation.model,
            fresh_id=uuid.uuid4().hex[:24],
            created=int(self._clock()),
            wants_usage=conversation.wants_usage,
            estimate_prompt=estimate,
            echo=conversation.echo,
        )

    async def _answer(self, passage: _Passage, reply: UpstreamReply, *, stream: bool) -> WholeReply | StreamedReply:
        try:
            if reply.status >= _FIRST_ERROR:
                raise self._refusal(passage, reply, await reply.read(MAX_ERROR_BYTES))
            if reply.content_type == _EVENT_STREAM:
                if stream:
                    return _streamed(passage, reply)
                whole = _whole(passage, await _fold(passage.upstream, reply))
            else:
                raw = await reply.read()
                body = _parse_answer(raw)
                if is_error_body(body):
                    raise self._refusal(passage, reply, raw)
                whole = _unstreamed(passage, raw, body, stream=stream)
        except BaseException:
            reply.close()
            raise
        reply.close()
        return whole

    def _refusal(self, passage: _Passage, reply: UpstreamReply, raw: bytes) -> UpstreamError:
        return passage.upstream.read_error(reply.status, raw, reply.headers, self._clock())


def _unstreamed(passage: _Passage, raw: bytes, body: JsonObject, *, stream: bool) -> WholeReply:
    """A plain answer; to a client that asked for a stream it is told as one."""
    answer = passage.upstream.read_answer(body)
    if stream:
        return _whole_as_stream(passage, answer)
    if not passage.is_same_dialect:
        return _whole(passage, answer)
    passage.record.hear_answer(answer)
    touched = passage.upstream.touch_answer(body, passage.context)
    passage.record.finish(_OK)
    return WholeReply(raw if touched == body else orjson.dumps(touched), {**passage.headers, **_JSON})


def _whole(passage: _Passage, answer: Answer) -> WholeReply:
    passage.record.hear_answer(answer)
    body = passage.call.dialect.write_answer(answer, passage.context)
    passage.record.finish(_OK)
    return WholeReply(orjson.dumps(body), {**passage.headers, **_JSON})


def _whole_as_stream(passage: _Passage, answer: Answer) -> WholeReply:
    writer = passage.call.dialect.open_writer(passage.context)
    deltas = unfold(answer)
    passage.record.hear(deltas)
    body = b"".join([writer.write(delta) for delta in deltas])
    passage.record.finish(_OK)
    return WholeReply(body, {**passage.headers, "content-type": _EVENT_STREAM})


def _streamed(passage: _Passage, reply: UpstreamReply) -> StreamedReply:
    """Same dialect: a relay. Otherwise one writer both tells the deltas and, if need be, the failure."""
    headers = {**passage.headers, "content-type": f"{_EVENT_STREAM}; charset=utf-8", "cache-control": "no-cache"}
    writer = passage.call.dialect.open_writer(passage.context)
    relay: StreamRelay
    if passage.is_same_dialect:
        relay = passage.upstream.open_relay(passage.context)
    else:
        relay = Crossing(passage.upstream.open_reader(), writer)
    return StreamedReply(reply, relay, passage.record, writer.write, headers)


async def _fold(upstream: Dialect, reply: UpstreamReply) -> Answer:
    """An upstream that streams although it was not asked to."""
    decoder, reader, folder = SseDecoder(), upstream.open_reader(), Folder()
    async for chunk in reply.chunks():
        for event in decoder.feed(chunk):
            for delta in reader.read(event):
                folder.add(delta)
    for event in decoder.flush():
        for delta in reader.read(event):
            folder.add(delta)
    for delta in reader.close():
        folder.add(delta)
    return folder.answer()


def encode_body(body: JsonObject) -> bytes:
    """The body as bytes. Raises BadRequestError for what no JSON writer takes (nested some 250 levels deep)."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise BadRequestError("The body is nested too deeply.", hint="Flatten it.") from error


def _parse_answer(raw: bytes) -> JsonObject:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise UpstreamError("The upstream's answer is not JSON.", status=502) from error
    if not isinstance(body, dict):
        raise UpstreamError("The upstream's answer is not a JSON object.", status=502)
    return body


def _target(route: Route, settings: ProxySettings) -> Target:
    return Target(route.model, route.facts, default_thinking=settings.enable_zai_thinking or None)


def _outgoing(
    call: Call, route: Route, upstream: Dialect, key: str, body: bytes, settings: ProxySettings, *, stream: bool
) -> Outgoing:
    crossing = call.headers if call.dialect.name == upstream.name else {}
    return Outgoing(
        url=join_url(route.server.base(route.dialect), upstream.path),
        headers=upstream_headers(upstream.headers, upstream.credential(key), crossing, stream=stream),
        body=body,
        stream=stream,
        limits=limits_of(settings),
        outbound_proxy=settings.outbound_proxy,
    )


def limits_of(settings: ProxySettings) -> Limits:
    """The time limits that these settings mean."""
    return Limits(
        connect_s=settings.connect_timeout,
        first_byte_s=settings.first_byte_timeout,
        idle_s=settings.stream_timeout,
        total_s=settings.request_timeout,
    )


def _reply_headers(call: Call, route: Route, dropped: tuple[str, ...]) -> dict[str, str]:
    headers = {
        "request-id": call.id,
        "x-request-id": call.id,
        "x-proxy-route": header_text(f"{route.server.name}/{route.dialect.value}/{route.model}"),
    }
    if dropped:
        headers["x-proxy-dropped"] = header_text(",".join(dropped))
    return headers
