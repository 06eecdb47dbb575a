"""Streams of the Messages API as they come from an upstream: read into deltas (protocols B.5).

States of a reader:

    BEFORE    nothing of the message yet      message_start (or, lacking it, the first content) → OPEN
    OPEN      the message has begun           message_delta with a stop_reason                  → STOPPED
    STOPPED   the model is done               message_stop, or the end of the body              → DONE
    DONE      Finished or Failed was given    nothing more is read

In BEFORE and OPEN the end of the body is a failure, and so is message_stop inside of a block; an error event or broken
JSON is one in every state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import orjson

from proxy_core.chat import (
    BlockEnded,
    Delta,
    Failed,
    Finished,
    Pinged,
    Started,
    Stopped,
    StopReason,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
    merge_usage,
)
from proxy_core.dialects.anthropic.answers import read_stop, read_usage, settled_stop, text_of
from proxy_core.dialects.arguments import arguments_text
from proxy_core.dialects.restraint import nothing_counted
from proxy_core.dialects.unsaid_usage import filled
from proxy_core.dialects.upstream_errors import broken_off, error_of_body, is_error_body
from proxy_core.errors import ProxyError, UpstreamError
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.loose_json import load_loosely
from proxy_core.wire.sse import SseEvent

_NOTHING: JsonObject = {}
_BROKEN = "The upstream sent an event that could not be read."
_CLOSED_EARLY = "The upstream closed the stream before it was complete."


class _State(Enum):
    BEFORE = 0
    OPEN = 1
    STOPPED = 2
    DONE = 3


@dataclass(slots=True)
class _Call:
    """An open tool_use block: its place among the calls, and what its start already held as input."""

    index: int
    input: object
    is_fed: bool = False


class AnthropicStreamReader:
    """Events in, deltas out.

    For whoever relays them: `kind` and `payload` are the last event's type and JSON, which `is_mended` if they were
    JSON only almost. output_chars: all that the model said.
    """

    def __init__(self) -> None:
        self.kind = ""
        self.payload: JsonObject = _NOTHING
        self.usage = Usage()
        self.is_mended = False
        self.output_chars = 0
        self._state = _State.BEFORE
        self._calls: dict[int, _Call] = {}
        self._calls_begun = 0
        self._open_blocks: set[int] = set()
        self._unread_blocks: set[int] = set()

    @property
    def is_done(self) -> bool:
        """Whether Finished or Failed was given."""
        return self._state is _State.DONE

    def read(self, event: SseEvent) -> list[Delta]:
        """The deltas that this event means."""
        if self._state is _State.DONE:
            return []
        self.kind, self.payload, self.is_mended = "", _NOTHING, False
        if event.data is None:
            return [Pinged()]
        try:
            payload = orjson.loads(event.data)
        except orjson.JSONDecodeError:
            payload = self._loosely(event.data)
            if payload is None:
                return self._read_odd(event.data)
        if not isinstance(payload, dict):
            return self.fail(UpstreamError(_BROKEN, status=502))
        self.payload = payload
        self.kind = text_of(payload.get("type")) or event.name
        take = _TAKE.get(self.kind)
        if take is None:
            return self.fail(error_of_body(payload)) if is_error_body(payload) else []
        if self._state is _State.BEFORE and self.kind in _CONTENT_KINDS:
            self._state = _State.OPEN
            return [Started("", ""), *take(self, payload)]
        return take(self, payload)

    def close(self) -> list[Delta]:
        """The body ended: what was stopped is complete, everything else is broken off."""
        if self._state is _State.DONE:
            return []
        if self._state is _State.STOPPED:
            return self._finish()
        return self.fail(UpstreamError(_CLOSED_EARLY, status=502))

    def fail(self, error: ProxyError) -> list[Delta]:
        """End here, with this error."""
        self._state = _State.DONE
        return [Failed(error)]

    def _finish(self) -> list[Delta]:
        """The end, with a guess at the output where the upstream never said a figure."""
        self._state = _State.DONE
        if self.usage.output_tokens or not self.output_chars:
            return [Finished()]
        self.usage = self.guessed_usage()
        return [UsageDelta(self.usage), Finished()]

    def guessed_usage(self) -> Usage:
        """The figures so far; the output guessed from its length where none was said."""
        return filled(self.usage, nothing_counted, self.output_chars)

    def _loosely(self, data: bytes) -> object:
        """What only almost is JSON; None for what is none at all."""
        try:
            payload = load_loosely(data)
        except ValueError:
            return None
        self.is_mended = True
        return payload

    def _read_odd(self, data: bytes) -> list[Delta]:
        """Not JSON: some gateways send empty events as heartbeats, or OpenAI's end mark behind the real end."""
        if not data.strip():
            return [Pinged()]
        return [] if data.strip() == b"[DONE]" else self.fail(UpstreamError(_BROKEN, status=502))

    def _take_message_start(self, payload: JsonObject) -> list[Delta]:
        if self._state is not _State.BEFORE:
            return []
        self._state = _State.OPEN
        message = _object(payload.get("message"))
        usage = message.get("usage")
        if isinstance(usage, dict):
            self.usage = read_usage(usage)
        is_said = isinstance(usage, dict)
        return [Started(text_of(message.get("id")), text_of(message.get("model")), self.usage if is_said else None)]

    def _take_block_start(self, payload: JsonObject) -> list[Delta]:
        index = _index(payload)
        self._calls.pop(index, None)
        self._open_blocks.add(index)
        self._unread_blocks.discard(index)
        block = _object(payload.get("content_block"))
        match block.get("type"):
            case "text" | "thinking":
                return self._initial_content(block)
            case "redacted_thinking":
                return [ThinkingDelta(redacted=text_of(block.get("data")))]
            case "tool_use":
                call = _Call(self._calls_begun, block.get("input"))
                self._calls_begun += 1
                self._calls[index] = call
                return [ToolCallStarted(call.index, text_of(block.get("id")), text_of(block.get("name")))]
            case _:
                self._unread_blocks.add(index)
                return []

    def _initial_content(self, block: JsonObject) -> list[Delta]:
        if text := text_of(block.get("text")):
            self.output_chars += len(text)
            return [TextDelta(text)]
        delta = ThinkingDelta(text_of(block.get("thinking")), text_of(block.get("signature")))
        return [delta] if delta.text or delta.signature else []

    def _take_block_delta(self, payload: JsonObject) -> list[Delta]:
        delta = payload.get("delta")
        if not isinstance(delta, dict) or (self._unread_blocks and _index(payload) in self._unread_blocks):
            return []
        match delta.get("type"):
            case "text_delta":
                text = text_of(delta.get("text"))
                self.output_chars += len(text)
                return [TextDelta(text)] if text else []
            case "thinking_delta":
                text = text_of(delta.get("thinking"))
                self.output_chars += len(text)
                return [ThinkingDelta(text)] if text else []
            case "input_json_delta":
                return self._take_fragment(_index(payload), delta.get("partial_json"))
            case "signature_delta":
                signature = text_of(delta.get("signature"))
                return [ThinkingDelta(signature=signature)] if signature else []
            case _:
                return []

    def _take_fragment(self, index: int, fragment: object) -> list[Delta]:
        call = self._calls.get(index)
        if call is None or not fragment or not isinstance(fragment, str):
            return []
        call.is_fed = True
        self.output_chars += len(fragment)
        return [ToolCallDelta(call.index, fragment)]

    def _take_block_stop(self, payload: JsonObject) -> list[Delta]:
        index = _index(payload)
        self._open_blocks.discard(index)
        if index in self._unread_blocks:
            return []
        call = self._calls.pop(index, None)
        if call is None or call.is_fed:
            return [BlockEnded()]
        return [ToolCallDelta(call.index, arguments_text(call.input)), BlockEnded()]

    def _take_message_delta(self, payload: JsonObject) -> list[Delta]:
        deltas: list[Delta] = []
        delta = _object(payload.get("delta"))
        if reason := text_of(delta.get("stop_reason")):
            if (error := broken_off(reason)) is not None:
                return self.fail(error)
            self._state = _State.STOPPED
            deltas.append(self._stopped(read_stop(reason), text_of(delta.get("stop_sequence")) or None))
        usage = payload.get("usage")
        if isinstance(usage, dict):
            self.usage = merge_usage(self.usage, read_usage(usage))
            deltas.append(UsageDelta(self.usage))
        return deltas

    def _stopped(self, reason: StopReason, sequence: str | None = None) -> Stopped:
        return Stopped(settled_stop(reason, has_calls=self._calls_begun > 0), sequence)

    def _take_message_stop(self, _: JsonObject) -> list[Delta]:
        if self._state is _State.STOPPED:
            return self._finish()
        if self._open_blocks:  # cut off: a tool call would be run with half of its arguments
            return self.fail(UpstreamError(_CLOSED_EARLY, status=502))
        return [self._stopped(StopReason.END_TURN), *self._finish()]

    def _take_ping(self, _: JsonObject) -> list[Delta]:
        return [Pinged()]

    def _take_error(self, payload: JsonObject) -> list[Delta]:
        return self.fail(error_of_body(payload))


_TAKE: dict[str, Callable[[AnthropicStreamReader, JsonObject], list[Delta]]] = {
    "message_start": AnthropicStreamReader._take_message_start,
    "content_block_start": AnthropicStreamReader._take_block_start,
    "content_block_delta": AnthropicStreamReader._take_block_delta,
    "content_block_stop": AnthropicStreamReader._take_block_stop,
    "message_delta": AnthropicStreamReader._take_message_delta,
    "message_stop": AnthropicStreamReader._take_message_stop,
    "ping": AnthropicStreamReader._take_ping,
    "error": AnthropicStreamReader._take_error,
}
KINDS = frozenset(_TAKE)
"""The events that mean something to us."""
_CONTENT_KINDS = KINDS - {"message_start", "ping", "error"}


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else _NOTHING


def _index(payload: JsonObject) -> int:
    """The block's index; upstreams that leave it out have one block at a time."""
    index = payload.get("index")
    return index if isinstance(index, int) else -1
