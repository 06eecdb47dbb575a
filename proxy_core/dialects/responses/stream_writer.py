"""Deltas → a Responses stream (protocols C.6).

    state      what is written                                  what ends it
    before     comments                                         any delta: response.created, response.in_progress → open
    open       items, numbered from 0 as they begin             Finished: response.completed or .incomplete → over
    over       nothing

From every state Failed leads to response.failed → over. Every event has the next `sequence_number`.

An item is closed when the next begins, not before: only the end of the model's answer tells whether its last item was
cut. Calls whose arguments come interleaved stay open together until they are whole, or the upstream says that a block
is over. Items are closed in the order in which they began, as clients keep them in the order in which they end.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from itertools import takewhile
from typing import TypeAlias, assert_never

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
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
    merge_usage,
)
from proxy_core.dialects.arguments import bad_arguments
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.responses.errors import failure
from proxy_core.dialects.responses.output import (
    cut_short,
    echo_of,
    ended,
    is_shown,
    response_id,
    response_object,
    write_usage,
)
from proxy_core.dialects.responses.stream_items import (
    Events,
    StreamedCall,
    StreamedItem,
    StreamedMessage,
    StreamedReasoning,
)
from proxy_core.dialects.unsaid_usage import chars_of, filled
from proxy_core.errors import ProxyError, UpstreamError
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.sse import encode_comment, encode_json

_FAILED = "response.failed"
_LATE_ARGUMENTS = "The upstream sent arguments of a tool call that was not open."

_Content: TypeAlias = TextDelta | ThinkingDelta | ToolCallStarted | ToolCallDelta


class _State(Enum):
    BEFORE = auto()
    OPEN = auto()
    OVER = auto()


class ResponsesStreamWriter:
    """Writes one stream."""

    def __init__(self, context: ReplyContext) -> None:
        self.failure: ProxyError | None = None
        self._context = context
        self._echo = echo_of(context)
        self._state = _State.BEFORE
        self._id = response_id("", context)
        self._created = context.created
        self._next_sequence = 0
        self._items: list[StreamedItem] = []
        self._open: list[StreamedItem] = []
        self._calls: dict[int, StreamedCall] = {}
        self._over: set[int] = set()
        self._is_block_over = False
        self._usage = Usage()
        self._output_chars = 0
        self._stop = StopReason.END_TURN

    def write(self, delta: Delta) -> bytes:
        """The events of one delta, possibly none."""
        if self._state is _State.OVER:
            return b""
        match delta:
            case TextDelta() | ThinkingDelta() | ToolCallStarted() | ToolCallDelta():
                self._output_chars += chars_of((delta,))
                return self._start() + self._written(self._content(delta))
            case BlockEnded():
                self._is_block_over = True
                return b""
            case UsageDelta(usage):
                self._usage = merge_usage(self._usage, usage)
                return b""
            case _:
                return self._write_frame(delta)

    def _write_frame(self, delta: Started | Stopped | Finished | Failed | Pinged) -> bytes:
        match delta:
            case Started():
                return self._start(delta)
            case Stopped(reason):
                self._stop = reason
                return self._start() + self._written(self._close(self._open))
            case Finished():
                return self._start() + self._finish()
            case Failed(error):
                return self._start() + self._fail(error)
            case Pinged():
                return self._ping()
            case _:
                assert_never(delta)

    def _start(self, started: Started | None = None) -> bytes:
        if self._state is not _State.BEFORE:
            return b""
        self._state = _State.OPEN
        if started is not None:
            self._id = response_id(started.id, self._context)
            self._created = started.created or self._created
            self._usage = merge_usage(self._usage, started.usage or Usage())
        response = self._response()
        names = ("response.created", "response.in_progress")
        return self._written({"type": name, "response": response} for name in names)

    def _ping(self) -> bytes:
        """OpenAI's own sign of life, which resets the client's patience as comments do not; it may not come first."""
        if self._state is _State.BEFORE:
            return encode_comment("ping")
        return self._written([{"type": "keepalive"}])

    def _content(self, delta: _Content) -> Events:
        match delta:
            case TextDelta(text):
                if text:
                    yield from self._text(text)
            case ThinkingDelta():
                if is_shown(Thinking(delta.text, delta.signature, delta.redacted), self._echo):
                    yield from self._thinking(delta)
            case ToolCallStarted():
                call = ToolCall(delta.id, delta.name, "")
                self._calls[delta.index] = opened = StreamedCall(self._id, len(self._items), call, self._echo)
                yield from self._begin(opened)
            case ToolCallDelta():
                yield from self._arguments(delta)
            case _:
                assert_never(delta)

    def _text(self, text: str) -> Events:
        growing = self._growing()
        if not isinstance(growing, StreamedMessage):
            growing = StreamedMessage(self._id, len(self._items))
            yield from self._begin(growing)
        yield from growing.grow(text)

    def _thinking(self, delta: ThinkingDelta) -> Events:
        growing = self._growing()
        if not isinstance(growing, StreamedReasoning) or delta.redacted:
            growing = StreamedReasoning(self._id, len(self._items), self._echo)
            yield from self._begin(growing)
        yield from growing.grow(delta)

    def _arguments(self, delta: ToolCallDelta) -> Events:
        call = self._calls.get(delta.index)
        if call is not None and call in self._open:
            yield from call.grow(delta.fragment)
        elif delta.fragment.strip():
            yield from self._failed(UpstreamError(_LATE_ARGUMENTS, status=502))

    def _growing(self) -> StreamedItem | None:
        """The item that more of the same belongs to."""
        return self._open[-1] if self._open and not self._is_block_over else None

    def _begin(self, item: StreamedItem) -> Events:
        """A new item. Over are before it all but unfinished calls, and these too where the upstream ends its blocks."""
        self._over |= {id(other) for other in self._open if self._is_block_over or _is_over(other)}
        yield from self._close(takewhile(lambda other: id(other) in self._over, tuple(self._open)), "completed")
        self._is_block_over = False
        self._items.append(item)
        self._open.append(item)
        yield from item.open()

    def _close(self, items: Iterable[StreamedItem], status: str = "") -> Events:
        """Close these. Without a status the model is done: its last item may have been cut."""
        for item in tuple(items):
            is_cut = not status and cut_short(self._stop) is not None and item is self._items[-1]
            if isinstance(item, StreamedCall) and item.is_broken() and not is_cut:
                yield from self._failed(bad_arguments())
                return
            self._open.remove(item)
            yield from item.close("incomplete" if is_cut else "completed")

    def _finish(self) -> bytes:
        closing = self._written(self._close(self._open))
        if self._has_ended():
            return closing
        self._state = _State.OVER
        usage = filled(self._usage, self._context.told_prompt, self._output_chars)
        response = self._response(**ended(self._stop), usage=write_usage(usage))
        return closing + self._written([{"type": f"response.{response['status']}", "response": response}])

    def _fail(self, error: ProxyError) -> bytes:
        return self._written(self._failed(error))

    def _failed(self, error: ProxyError) -> Events:
        self._state = _State.OVER
        self.failure = error
        yield {"type": _FAILED, "response": self._response(status="failed", error=failure(error))}

    def _response(self, **news: object) -> JsonObject:
        """The response with the items that are closed."""
        output = [item.final for item in self._items if item.final]
        return response_object(self._id, self._created, self._context, output, **news)

    def _has_ended(self) -> bool:
        return self._state is _State.OVER

    def _written(self, events: Iterable[JsonObject]) -> bytes:
        """The bytes of these events, of a failure and what comes behind it the failure alone."""
        written: list[bytes] = []
        for event in events:
            name = str(event["type"])
            written.append(encode_json({"type": name, "sequence_number": self._next_sequence, **event}, name))
            self._next_sequence += 1
            if name == _FAILED:
                break
        return b"".join(written)


def _is_over(item: StreamedItem) -> bool:
    """Whether nothing more can belong to it once another item begins."""
    return not isinstance(item, StreamedCall) or item.is_complete()
