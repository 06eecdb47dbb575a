"""Deltas as a stream of the Messages API for a client (protocols D.4, B.5).

States of the writer; at most one block is open, and blocks are numbered from 0 without a gap:

    NONE       no block is open               content opens its block
    TEXT       a text block is open           anything else closes it
    THINKING   a thinking block is open       anything else closes it, behind its signature
    CALL       a tool_use block is open       closed once its arguments are complete; till then all else is held
    ENDED      message_stop or error is out   nothing more is written

Arguments of parallel calls may come interleaved, which this dialect cannot say: only the open call is written, and
what belongs elsewhere waits in order (`_held`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal, TypeAlias, assert_never

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
from proxy_core.dialects.anthropic.answers import (
    issued_signature,
    made_call_id,
    message_id,
    write_stop,
    write_usage,
)
from proxy_core.dialects.anthropic.asked import hides_thinking
from proxy_core.dialects.anthropic.errors import write_error
from proxy_core.dialects.arguments import arguments_object, arguments_text, completion_suffix
from proxy_core.dialects.base import ReplyContext
from proxy_core.errors import ProxyError, UpstreamError
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.sse import encode_comment, encode_json

_Content: TypeAlias = TextDelta | ThinkingDelta | ToolCallStarted | ToolCallDelta | BlockEnded

_BAD_ARGUMENTS = "The upstream sent tool arguments that are not JSON."
_LATE_ARGUMENTS = "The upstream sent arguments of a tool call that had already ended."
_CHARS_PER_TOKEN = 4
_KEEP_ALIVE = encode_comment("keep-alive")  # clients know pings only inside of a message


class _State(Enum):
    NONE = 0
    TEXT = 1
    THINKING = 2
    CALL = 3
    ENDED = 4


@dataclass(slots=True)
class _OpenCall:
    """The arguments of the open call. is_streamed: they began as an object and are written as they come;
    otherwise they are made an object at the end."""

    index: int = -1
    fragments: list[str] = field(default_factory=list)
    is_streamed: bool = False
    is_blank: bool = True
    checked_fragments: int = 0

    def add(self, fragment: str) -> str:
        """Take a fragment; what of the arguments can be written now."""
        self.fragments.append(fragment)
        if not self.is_blank:
            return fragment if self.is_streamed else ""
        text = fragment.lstrip()
        self.is_blank = not text
        self.is_streamed = text.startswith("{")
        return "".join(self.fragments) if self.is_streamed else ""

    def is_complete(self) -> bool:
        """Whether the arguments are whole. Looked at only when something new came that could have ended them."""
        if self.is_blank or self.checked_fragments == len(self.fragments):
            return False
        self.checked_fragments = len(self.fragments)
        if not self.fragments[-1].rstrip().endswith(("}", "]", '"')):
            return False
        try:
            orjson.loads("".join(self.fragments))
        except orjson.JSONDecodeError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Passed:
    """What a client was told of a stream before a writer took over.

    blocks: how many began. open: what the last of them is, if it has not ended; "unsigned" is thinking whose signature
    has not come. call, fragments: the number and the arguments so far of an open call.
    """

    blocks: int
    usage: Usage
    has_calls: bool
    output_chars: int
    open: Literal["nothing", "plain", "unsigned", "call"] = "nothing"
    call: int = -1
    fragments: tuple[str, ...] = ()


class AnthropicStreamWriter:
    """One client's stream: message_start first, then blocks, then one message_delta and message_stop, or an error.

    failure: the error that the stream ended with.
    """

    def __init__(self, context: ReplyContext) -> None:
        self.failure: ProxyError | None = None
        self._context = context
        self._hides_thinking = hides_thinking(context)
        self._state = _State.NONE
        self._is_started = False
        self._next_index = 0
        self._thoughts: list[str] = []
        self._signature = ""
        self._call = _OpenCall()
        self._has_calls = False
        self._held: deque[_Content] = deque()
        self._usage = Usage()
        self._stopped = Stopped(StopReason.END_TURN)
        self._output_chars = 0

    def resume(self, passed: Passed) -> bytes:
        """Go on where others began. A block that is open ends here, but for a call."""
        self._is_started = True
        self._next_index = passed.blocks
        self._usage = passed.usage
        self._has_calls = passed.has_calls
        self._output_chars = passed.output_chars
        if passed.open == "call":
            is_blank = not "".join(passed.fragments).strip()
            self._state = _State.CALL
            self._call = _OpenCall(passed.call, list(passed.fragments), not is_blank, is_blank)
        elif passed.open != "nothing":
            self._state = _State.THINKING if passed.open == "unsigned" else _State.TEXT
            return self._close_block()
        return b""

    def write(self, delta: Delta) -> bytes:
        """The client's bytes for this delta."""
        if self._state is _State.ENDED:
            return b""
        match delta:
            case TextDelta() | ThinkingDelta() | ToolCallDelta() | ToolCallStarted() | BlockEnded():
                return self._feed(delta) if self._is_started else self._start() + self._feed(delta)
            case UsageDelta(usage):
                self._usage = merge_usage(self._usage, usage)
                return b""
            case _:
                return self._write_frame(delta)

    def _write_frame(self, delta: Started | Stopped | Finished | Failed | Pinged) -> bytes:
        match delta:
            case Started():
                return self._start(delta)
            case Stopped():
                self._stopped = delta
                return self._start() + self._flush()
            case Finished():
                return self._start() + self._flush() + self._finish()
            case Failed(error):
                return self._fail(error)
            case Pinged():
                return encode_json({"type": "ping"}, "ping") if self._is_started else _KEEP_ALIVE
            case _:
                assert_never(delta)

    def _start(self, started: Started | None = None) -> bytes:
        """message_start, once. Its usage is the upstream's where it said any, else what was counted here."""
        if self._is_started:
            return b""
        self._is_started = True
        usage = (started.usage if started else None) or Usage()
        self._usage = merge_usage(self._usage, usage)
        if not usage.prompt_tokens:
            usage = replace(usage, input_tokens=self._context.told_prompt())
        message: JsonObject = {
            "id": message_id(started.id if started else "", self._context),
            "type": "message",
            "role": "assistant",
            "model": self._context.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(replace(usage, output_tokens=usage.output_tokens or 1, thinking_tokens=None)),
        }
        return encode_json({"type": "message_start", "message": message}, "message_start")

    def _feed(self, delta: _Content) -> bytes:
        """Content into its block. While a call is unfinished, what does not belong to it is held."""
        if self._is_due(delta):
            return self._put(delta)  # nothing is held unless a call is open
        written = b""
        waiting = deque([delta])
        while waiting and self._state is not _State.ENDED:
            item = waiting.popleft()
            if self._is_due(item):
                written += self._put(item)
            elif self._call.is_complete():
                written += self._close_block()
                waiting.appendleft(item)
                waiting.extendleft(reversed(self._held))
                self._held.clear()
            else:
                self._held.append(item)
        return written

    def _is_due(self, delta: _Content) -> bool:
        """Whether it can be written now: always, but while a call is open only what belongs to that call."""
        if self._state is not _State.CALL:
            return True
        match delta:
            case ToolCallDelta(index):
                return index == self._call.index
            case BlockEnded():
                return not self._held  # else it ends what is held
            case _:
                return False

    def _put(self, delta: _Content) -> bytes:
        if self._state is _State.ENDED:  # arguments among what was held turned out to be broken
            return b""
        match delta:
            case TextDelta(text):
                return self._put_text(text) if text else b""
            case ThinkingDelta():
                return self._put_thinking(delta)
            case ToolCallStarted():
                return self._open_call(delta)
            case ToolCallDelta():
                return self._put_fragment(delta)
            case BlockEnded():
                return self._close_block()
            case _:
                assert_never(delta)

    def _put_text(self, text: str) -> bytes:
        opened = b""
        if self._state is not _State.TEXT:
            opened = self._open_block(_State.TEXT, {"type": "text", "text": ""})
        self._output_chars += len(text)
        return opened + self._block_delta({"type": "text_delta", "text": text})

    def _put_thinking(self, delta: ThinkingDelta) -> bytes:
        if delta.redacted:
            block: JsonObject = {"type": "redacted_thinking", "data": delta.redacted}
            return self._open_block(_State.NONE, block) + self._block_stop()
        if not delta.text and not delta.signature:
            return b""
        written = b""
        if self._state is not _State.THINKING or (self._signature and delta.text):
            written = self._open_block(_State.THINKING, {"type": "thinking", "thinking": "", "signature": ""})
            self._thoughts, self._signature = [], ""
        if delta.text:
            self._thoughts.append(delta.text)
            self._output_chars += len(delta.text)
            if not self._hides_thinking:
                written += self._block_delta({"type": "thinking_delta", "thinking": delta.text})
        self._signature = delta.signature or self._signature
        return written

    def _open_call(self, started: ToolCallStarted) -> bytes:
        self._has_calls = True
        call_id = started.id or made_call_id(self._context, started.index)
        block: JsonObject = {"type": "tool_use", "id": call_id, "name": started.name, "input": {}}
        opened = self._open_block(_State.CALL, block)
        self._call = _OpenCall(started.index)
        return opened

    def _put_fragment(self, delta: ToolCallDelta) -> bytes:
        if self._state is not _State.CALL:
            return self._fail(UpstreamError(_LATE_ARGUMENTS, status=502)) if delta.fragment.strip() else b""
        self._output_chars += len(delta.fragment)
        return self._arguments_delta(self._call.add(delta.fragment))

    def _open_block(self, state: _State, block: JsonObject) -> bytes:
        closed = self._close_block()
        self._state = state
        self._next_index += 1
        event: JsonObject = {"type": "content_block_start", "index": self._next_index - 1, "content_block": block}
        return closed + encode_json(event, "content_block_start")

    def _block_delta(self, delta: JsonObject) -> bytes:
        event = {"type": "content_block_delta", "index": self._next_index - 1, "delta": delta}
        return encode_json(event, "content_block_delta")

    def _arguments_delta(self, text: str) -> bytes:
        return self._block_delta({"type": "input_json_delta", "partial_json": text}) if text else b""

    def _block_stop(self) -> bytes:
        return encode_json({"type": "content_block_stop", "index": self._next_index - 1}, "content_block_stop")

    def _close_block(self) -> bytes:
        """The end of the open block, whatever it is; arguments that stop in the middle are completed."""
        state = self._state
        if state in (_State.NONE, _State.ENDED):
            return b""
        tail: bytes | None = b""
        if state is _State.THINKING:
            signature = self._signature or issued_signature(self._thoughts)
            tail = self._block_delta({"type": "signature_delta", "signature": signature})
        elif state is _State.CALL:
            tail = self._rest_of_arguments()
        if tail is None:
            return self._fail(UpstreamError(_BAD_ARGUMENTS, status=502))
        self._state = _State.NONE
        return tail + self._block_stop()

    def _rest_of_arguments(self) -> bytes | None:
        text = "".join(self._call.fragments)
        rest = completion_suffix(text) if self._call.is_streamed else arguments_text(arguments_object(text))
        return None if rest is None else self._arguments_delta(rest)

    def _flush(self) -> bytes:
        """The model is done: end what is open, then all that was held, each call in turn."""
        written = self._close_block()
        while self._held and self._state is not _State.ENDED:
            held, self._held = self._held, deque()
            written += b"".join([self._feed(delta) for delta in held]) + self._close_block()
        return written

    def _finish(self) -> bytes:
        if self._state is _State.ENDED:
            return b""
        written = b""
        if not self._next_index:
            written = self._open_block(_State.TEXT, {"type": "text", "text": ""}) + self._close_block()
        stop = write_stop(self._stopped.reason, self._stopped.sequence, self._context, has_calls=self._has_calls)
        event: JsonObject = {"type": "message_delta", "delta": stop, "usage": self._final_usage()}
        written += encode_json(event, "message_delta") + encode_json({"type": "message_stop"}, "message_stop")
        self._state = _State.ENDED  # only now: what cannot be encoded must still be told as an error
        return written

    def _final_usage(self) -> JsonObject:
        """The upstream's figures. What it never said is left as message_start had it, output is guessed."""
        usage = self._usage
        if not usage.output_tokens:
            usage = replace(usage, output_tokens=-(-self._output_chars // _CHARS_PER_TOKEN))
        return write_usage(usage) if usage.prompt_tokens else {"output_tokens": usage.output_tokens}

    def _fail(self, error: ProxyError) -> bytes:
        written = encode_json(write_error(error, self._context.request_id), "error")
        self._state = _State.ENDED
        self.failure = error
        return written
