"""Streams of the Messages API between an upstream and a client of the same dialect (protocols B.5, "A→A streaming
touch-ups").

Events go through as they came while they are regular: a message_start first, blocks numbered from 0 without a gap, one
open at a time, a message_delta with a stop_reason behind them, message_stop last. At the first event that is not, a
writer takes over where the relay stands, and tells what the events mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from proxy_core.chat import Delta, Failed, Finished, ToolCallDelta, ToolCallStarted
from proxy_core.dialects.anthropic.answers import hidden_thinking, is_shown_thinking, mended_stop, told_usage
from proxy_core.dialects.anthropic.asked import hides_thinking
from proxy_core.dialects.anthropic.errors import write_error
from proxy_core.dialects.anthropic.stream import KINDS, AnthropicStreamReader
from proxy_core.dialects.anthropic.writer import AnthropicStreamWriter, Passed
from proxy_core.dialects.arguments import completion_suffix
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.crossing import Telling
from proxy_core.errors import ProxyError, UpstreamError
from proxy_core.jsontypes import JsonObject
from proxy_core.tokens.scaling import scale_usage
from proxy_core.wire.sse import SseEvent, encode_comment, encode_event, encode_json, encode_silence

_NOTHING: JsonObject = {}
_UNWRITABLE = "The upstream sent an event that could not be read."
_TEXT_OF_DELTA = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
    "signature_delta": "signature",
}
_HOME_OF_DELTA = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "thinking",
    "input_json_delta": "tool_use",
}
_BLOCK_KINDS = ("content_block_start", "content_block_delta", "content_block_stop")
_NO_STOP: JsonObject = {"stop_reason": None, "stop_sequence": None}


@dataclass(slots=True)
class _OpenBlock:
    """The block that is open at the client. index: the upstream's and the client's number of it. kind: its type.
    call: its number among the calls, -1 for other blocks; fragments: the arguments so far. is_unsigned: thinking whose
    signature has not come."""

    index: int
    kind: object
    call: int = -1
    fragments: list[str] = field(default_factory=list)
    is_unsigned: bool = False

    def takes(self, delta_kind: object) -> bool:
        """Whether such a delta belongs into it. Nobody knows what belongs into blocks that nobody knows."""
        home = _HOME_OF_DELTA.get(delta_kind) if isinstance(delta_kind, str) else None
        return home is None or home == self.kind or self.kind not in _HOME_OF_DELTA.values()


class AnthropicRelay:
    """Events through as they came, but for the client's model name, usage that is missing or told larger, counts the
    SDKs demand, words that the protocol does not have, and `event:` lines that were left out."""

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self._hides_thinking = hides_thinking(context)
        self._reader = AnthropicStreamReader()
        self._telling: Telling | None = None
        self._has_begun = False
        self._is_stopped = False
        self._block: _OpenBlock | None = None
        self._passed = 0
        self._has_calls = False

    def relay(self, event: SseEvent) -> tuple[bytes, list[Delta]]:
        """The bytes to pass on and what they mean."""
        reader = self._reader
        if reader.is_done:
            return b"", []
        deltas = reader.read(event)
        if self._telling is not None:
            return self._telling.tell(deltas)
        if deltas and isinstance(failed := deltas[-1], Failed):
            return self._failure(event, failed.error), deltas
        if not reader.kind:
            return self._silence(event), deltas
        if self._is_late(reader.kind):
            return b"", deltas
        take = _TAKE.get(reader.kind)
        if take is not None and not take(self, reader.payload, deltas):
            return self._take_over(deltas)
        return self._pass(event, deltas)

    def close(self) -> tuple[bytes, list[Delta]]:
        """The body ended; an error event unless the model was done."""
        deltas = self._reader.close()
        if self._telling is not None:
            return self._telling.tell(deltas)
        match deltas:
            case [Failed(error)]:
                return self._error_event(error), deltas
            case [*_, Finished()]:
                return encode_json({"type": "message_stop"}, "message_stop"), deltas
            case _:
                return b"", deltas

    def _is_late(self, kind: str) -> bool:
        """A second start, or content behind the stop_reason that the client was told already."""
        return self._has_begun if kind == "message_start" else self._is_stopped and kind in _BLOCK_KINDS

    def _silence(self, event: SseEvent) -> bytes:
        """Comments pass; an end mark of the other dialect and the like do not."""
        return encode_silence(event) if not event.data or not event.data.strip() else b""

    def _pass(self, event: SseEvent, deltas: list[Delta]) -> tuple[bytes, list[Delta]]:
        kind, payload = self._reader.kind, self._reader.payload
        if kind == "ping" and not self._has_begun:
            return encode_comment("ping"), deltas
        touch = _TOUCH.get(kind)
        touched = touch(self, payload) if touch else None
        if touched is None and (self._reader.is_mended or payload.get("type") != kind):
            touched = {**payload, "type": kind}
        if touched is not None:
            return self._rewritten(touched, deltas)
        if kind not in KINDS:  # clients go by the name: an unknown event must not look like one of theirs
            return b"" if event.name in KINDS else event.raw, deltas
        if event.name == kind or event.data is None:
            return event.raw, deltas
        # Line breaks in JSON stand between its tokens only: a blank does as well.
        return encode_event(event.data.replace(b"\n", b" "), kind), deltas

    def _rewritten(self, payload: JsonObject, deltas: list[Delta]) -> tuple[bytes, list[Delta]]:
        if not payload:
            return b"", deltas
        try:
            return encode_json(payload, self._reader.kind), deltas
        except TypeError:  # read, but nested deeper than can be written
            error = UpstreamError(_UNWRITABLE, status=502)
            return self._error_event(error), self._reader.fail(error)

    def _failure(self, event: SseEvent, error: ProxyError) -> bytes:
        envelope = write_error(error, self._context.request_id)
        return event.raw if event.name == "error" and self._reader.payload == envelope else self._error_event(error)

    def _error_event(self, error: ProxyError) -> bytes:
        return encode_json(write_error(error, self._context.request_id), "error")

    def _take_over(self, deltas: list[Delta]) -> tuple[bytes, list[Delta]]:
        """From here on the writer tells the stream: it goes on in an open call, any other block is closed."""
        writer = AnthropicStreamWriter(self._context)
        self._telling = Telling(writer, prompt_scale=self._context.prompt_scale)
        ended = writer.resume(self._passed_on()) if self._has_begun else b""
        data, deltas = self._telling.tell(deltas)
        return ended + data, deltas

    def _passed_on(self) -> Passed:
        reader, block = self._reader, self._block
        usage = scale_usage(reader.usage, self._context.prompt_scale)
        passed = Passed(self._passed, usage, self._has_calls, reader.output_chars)
        if block is None:
            return passed
        if block.call >= 0:
            return replace(passed, open="call", call=block.call, fragments=tuple(block.fragments))
        return replace(passed, open="unsigned" if block.is_unsigned else "plain")

    def _take_message_start(self, payload: JsonObject, _: list[Delta]) -> bool:
        message = payload.get("message")
        self._has_begun = isinstance(message, dict)
        return self._has_begun

    def _take_block_start(self, payload: JsonObject, deltas: list[Delta]) -> bool:
        content = payload.get("content_block")
        is_next = self._has_begun and self._block is None
        if not is_next or payload.get("index") != self._passed or not isinstance(content, dict):
            return False
        started = deltas[0] if deltas and isinstance(deltas[0], ToolCallStarted) else None
        if started is not None and not (started.id and started.name):
            return False
        self._passed += 1
        self._has_calls = self._has_calls or started is not None
        kind = content.get("type")
        is_unsigned = kind == "thinking" and not content.get("signature")
        self._block = _OpenBlock(self._passed - 1, kind, started.index if started else -1, [], is_unsigned)
        return True

    def _take_block_delta(self, payload: JsonObject, deltas: list[Delta]) -> bool:
        block = self._block
        if block is None or payload.get("index") != block.index or not block.takes(_delta_of(payload).get("type")):
            return False
        for delta in deltas:
            if isinstance(delta, ToolCallDelta):
                block.fragments.append(delta.fragment)
        if block.is_unsigned and _delta_of(payload).get("type") == "signature_delta":
            block.is_unsigned = False
        return True

    def _take_block_stop(self, payload: JsonObject, deltas: list[Delta]) -> bool:
        block = self._block
        if block is None or payload.get("index") != block.index:
            return False
        if block.fragments and completion_suffix("".join(block.fragments)) != "":
            return False
        self._block = None
        return True

    def _take_message_delta(self, payload: JsonObject, _: list[Delta]) -> bool:
        if not self._has_begun:
            return False
        if not _delta_of(payload).get("stop_reason"):
            return True
        self._is_stopped = self._block is None
        return self._is_stopped

    def _take_message_stop(self, _: JsonObject, __: list[Delta]) -> bool:
        return self._is_stopped

    def _touch_message_start(self, payload: JsonObject) -> JsonObject | None:
        message = _object(payload.get("message"))
        changes: JsonObject = {} if message.get("model") == self._context.model else {"model": self._context.model}
        if not isinstance(message.get("content"), list):
            changes["content"] = []
        given = _object(message.get("usage"))
        usage = told_usage(given, self._context)
        if not self._reader.usage.prompt_tokens:
            estimate = self._context.told_prompt()
            if estimate or "input_tokens" not in given:
                usage = {"output_tokens": 0, **usage, "input_tokens": estimate}
        if usage is not given:
            changes["usage"] = usage
        return {**payload, "message": {**message, **changes}} if changes else None

    def _touch_block_start(self, payload: JsonObject) -> JsonObject | None:
        block = payload.get("content_block")
        if not self._hides_thinking or not is_shown_thinking(block):
            return None
        return {**payload, "content_block": hidden_thinking(block)}

    def _touch_block_delta(self, payload: JsonObject) -> JsonObject | None:
        """Nothing is told of hidden thinking, nor of what is not what its type says."""
        delta = _delta_of(payload)
        kind = delta.get("type")
        name = _TEXT_OF_DELTA.get(kind) if isinstance(kind, str) else ""
        is_hidden = self._hides_thinking and kind == "thinking_delta"
        is_odd = name == "" or (name is not None and not isinstance(delta.get(name), str))
        return _NOTHING if is_hidden or is_odd else None

    def _touch_message_delta(self, payload: JsonObject) -> JsonObject | None:
        changes: JsonObject = {}
        delta = payload.get("delta")
        stop = mended_stop(_object(delta), self._context, has_calls=self._has_calls)
        if stop is not None or not isinstance(delta, dict):
            changes["delta"] = {**_object(delta), **(stop or _NO_STOP)}
        usage = payload.get("usage")
        given = _object(usage)
        guessed = self._reader.guessed_usage().output_tokens
        told = told_usage(given, self._context)
        if not isinstance(usage, dict) or (self._is_stopped and not self._reader.usage.output_tokens and guessed):
            told = {**told, "output_tokens": guessed}
        if told is not given:
            changes["usage"] = told
        return {**payload, **changes} if changes else None


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else _NOTHING


def _delta_of(payload: JsonObject) -> JsonObject:
    return _object(payload.get("delta"))


_TAKE: dict[str, Callable[[AnthropicRelay, JsonObject, list[Delta]], bool]] = {
    "message_start": AnthropicRelay._take_message_start,
    "content_block_start": AnthropicRelay._take_block_start,
    "content_block_delta": AnthropicRelay._take_block_delta,
    "content_block_stop": AnthropicRelay._take_block_stop,
    "message_delta": AnthropicRelay._take_message_delta,
    "message_stop": AnthropicRelay._take_message_stop,
}
"""What each event changes of where the relay stands; False: it cannot pass as it is."""
_TOUCH: dict[str, Callable[[AnthropicRelay, JsonObject], JsonObject | None]] = {
    "message_start": AnthropicRelay._touch_message_start,
    "content_block_start": AnthropicRelay._touch_block_start,
    "content_block_delta": AnthropicRelay._touch_block_delta,
    "message_delta": AnthropicRelay._touch_message_delta,
}
"""The payload as it must be told; None: as it came, empty: not at all."""
