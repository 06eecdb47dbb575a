"""From the upstream's answer to the client's: whole or streamed, in one dialect or across two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import orjson

from proxy_core.chat import Answer, Failed, Started, StopReason, ToolCall, Usage
from proxy_core.dialects.base import Dialect, ReplyContext
from proxy_core.dialects.crossing import Crossing, Telling
from proxy_core.dialects.fold import Folder, unfold
from proxy_core.dialects.restraint import UNRESTRAINED, Restraints, restrain
from proxy_core.dialects.upstream_errors import is_error_body
from proxy_core.errors import UpstreamError
from proxy_core.jsontypes import JsonObject
from proxy_core.pipeline.record import ExchangeRecord
from proxy_core.pipeline.setup import Call, WholeReply
from proxy_core.pipeline.stream import EVENT_STREAM, StreamedReply, stream_headers
from proxy_core.routing.route import Route
from proxy_core.tokens.scaling import scale_answer
from proxy_core.upstream.client import UpstreamReply
from proxy_core.upstream.echoes import bytes_without_key, without_key
from proxy_core.wire.loose_json import load_loosely
from proxy_core.wire.sse import SseDecoder

_JSON = {"content-type": "application/json"}
_OK = 200
_FIRST_ERROR = 400
_RELAYED = Started("", "", Usage(input_tokens=1))
"""What a writer beside a relay is told: the stream has begun without it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One request in mid-corridor: everything that the way back needs. key: what the upstream was sent, and nobody
    else may see. demands_call: a tool call was demanded in words only, and may be demanded once more."""

    call: Call
    route: Route
    upstream: Dialect
    context: ReplyContext
    record: ExchangeRecord
    headers: dict[str, str]
    beat_s: float
    restraints: Restraints = UNRESTRAINED
    key: str = field(default="", repr=False)
    demands_call: bool = False

    @property
    def is_open(self) -> bool:
        """Whether bytes can go through as they came: one dialect, and nothing to be done to the answer."""
        return self.call.dialect.name == self.upstream.name and not self.restraints.is_needed


class NoCallError(UpstreamError):
    """A whole answer came without the tool call that it should have. pass_on: gives the client's reply all the same."""

    def __init__(self, pass_on: Callable[[], WholeReply]) -> None:
        super().__init__("The model called no tool although it was told to.", status=502)
        self.pass_on = pass_on


async def turn_answer(
    passage: Passage, reply: UpstreamReply, now: float, *, stream: bool
) -> WholeReply | StreamedReply:
    """The client's reply. Raises UpstreamError for a refusal, whatever its status. now: unix seconds."""
    try:
        if reply.status >= _FIRST_ERROR:
            raise _refusal(passage, reply, await reply.read_start(), now)
        if reply.content_type == EVENT_STREAM:
            if stream:
                return _streamed(passage, reply)
            whole = _whole(passage, await _fold(passage.upstream, reply))
        else:
            raw, body = _parse_answer(await reply.read())
            if is_error_body(body):
                raise _refusal(passage, reply, raw, now)
            whole = _unstreamed(passage, raw, body, stream=stream)
    except BaseException as error:
        reply.close()
        if isinstance(error, UpstreamError):
            without_key(error, passage.key)
        raise
    reply.close()
    return whole


def _refusal(passage: Passage, reply: UpstreamReply, raw: bytes, now: float) -> UpstreamError:
    """The key is masked before anything is cut off: half a key would not be found again."""
    return passage.upstream.read_error(reply.status, bytes_without_key(raw, passage.key), reply.headers, now)


def _unstreamed(passage: Passage, raw: bytes, body: JsonObject, *, stream: bool) -> WholeReply:
    """A plain answer; to a client that asked for a stream it is told as one."""
    answer = passage.upstream.read_answer(body)
    _demand_call(passage, answer, lambda calm: _unstreamed(calm, raw, body, stream=stream))
    if stream:
        return _whole_as_stream(passage, answer)
    if not passage.is_open:
        return _whole(passage, answer)
    passage.record.hear_answer(answer)
    touched = passage.upstream.touch_answer(body, passage.context)
    told = raw if touched == body else _encode(touched)
    passage.record.finish(_OK)
    return WholeReply(told, {**passage.headers, **_JSON})


def _demand_call(passage: Passage, answer: Answer, tell: Callable[[Passage], WholeReply]) -> None:
    """Raises NoCallError for an answer that was complete, and yet without a call."""
    has_call = any(isinstance(part, ToolCall) for part in answer.parts)
    if passage.demands_call and not has_call and answer.stop is StopReason.END_TURN:
        raise NoCallError(lambda: tell(replace(passage, demands_call=False)))


def _whole(passage: Passage, answer: Answer) -> WholeReply:
    _demand_call(passage, answer, lambda calm: _whole(calm, answer))
    answer = restrain(answer, passage.restraints)
    passage.record.hear_answer(answer)
    told = scale_answer(answer, passage.context.prompt_scale)
    body = _encode(passage.call.dialect.write_answer(told, passage.context))
    passage.record.finish(_OK)
    return WholeReply(body, {**passage.headers, **_JSON})


def _encode(body: JsonObject) -> bytes:
    """Before the record hears of an end: what was read may be nested deeper than can be written."""
    try:
        return orjson.dumps(body)
    except TypeError as error:
        raise UpstreamError("The upstream's answer cannot be told as JSON.", status=502) from error


def _whole_as_stream(passage: Passage, answer: Answer) -> WholeReply:
    writer = passage.call.dialect.open_writer(passage.context)
    telling = Telling(writer, prompt_scale=passage.context.prompt_scale)
    body, deltas = telling.tell(unfold(restrain(answer, passage.restraints)))
    if isinstance(failed := deltas[-1], Failed):
        raise failed.error
    passage.record.hear(deltas)
    passage.record.finish(_OK)
    return WholeReply(body, stream_headers(passage.headers))


def _streamed(passage: Passage, reply: UpstreamReply) -> StreamedReply:
    """Bytes that may pass: a relay. Otherwise one writer both tells the deltas and what we say ourselves."""
    context, headers = passage.context, stream_headers(passage.headers)
    writer = passage.call.dialect.open_writer(context)
    if passage.is_open:
        writer.write(_RELAYED)
        relay = passage.upstream.open_relay(context)
        say = Telling(writer).tell
        return StreamedReply(reply, relay, passage.record, say, headers, passage.beat_s, passage.key)
    reader, restraints = passage.upstream.open_reader(), passage.restraints
    crossing = Crossing(reader, writer, restraints, context.estimate_prompt, context.prompt_scale)
    return StreamedReply(reply, crossing, passage.record, crossing.say, headers, passage.beat_s, passage.key)


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


def _parse_answer(raw: bytes) -> tuple[bytes, JsonObject]:
    """The body as strict JSON, and parsed. What is JSON only almost, with NaN or half a surrogate pair in it, is
    understood all the same. Raises UpstreamError."""
    try:
        body: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = _parse_loosely(raw)
        raw = b""
    if not isinstance(body, dict):
        raise UpstreamError("The upstream's answer is not a JSON object.", status=502)
    return raw or _encode(body), body


def _parse_loosely(raw: bytes) -> object:
    try:
        return load_loosely(raw)
    except ValueError as error:
        raise UpstreamError("The upstream's answer is not JSON.", status=502) from error
