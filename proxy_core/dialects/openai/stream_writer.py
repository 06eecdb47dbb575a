"""Deltas → a chat completion stream, in the order of protocols C.3.

delta                             chunk
Started                           delta:{"role":"assistant","content":""}
TextDelta, ThinkingDelta          delta:{"content"} or {"reasoning_content"}
ToolCallStarted, ToolCallDelta    delta:{"tool_calls":[{"index",…}]}; {"function_call"} for clients of functions
Finished                          what arguments lack; finish_reason; usage if asked for; [DONE]
Finished, arguments not JSON      as Failed
Failed                            {"error":…}; [DONE]
Pinged                            a comment
"""

from __future__ import annotations

from typing import assert_never

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
from proxy_core.dialects.arguments import bad_arguments, completion_suffix
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.openai.answers import completion_id
from proxy_core.dialects.openai.errors import write_error
from proxy_core.dialects.openai.extras import Extras, extras_of, with_usage_extras
from proxy_core.dialects.openai.legacy import finish_for, is_legacy
from proxy_core.dialects.openai.messages import function_call
from proxy_core.dialects.openai.reasons import is_cut, write_usage
from proxy_core.dialects.unsaid_usage import chars_of, filled
from proxy_core.errors import ProxyError
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.sse import encode_comment, encode_event, encode_json

DONE = encode_event(b"[DONE]")


def error_end(error: ProxyError) -> bytes:
    """How a broken stream ends: an error event, which SDKs raise, and `[DONE]`."""
    return encode_json(write_error(error, "")) + DONE


class OpenAiStreamWriter:
    """Writes one stream; all chunks carry the same id, time and model."""

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self.failure: ProxyError | None = None
        self._is_legacy = is_legacy(context)
        self._head: JsonObject = _head(completion_id("", context), context.created, context)
        self._usage = Usage()
        self._output_chars = 0
        self._extras = Extras()
        self._stop = StopReason.END_TURN
        self._calls: dict[int, list[str]] = {}

    def write(self, delta: Delta) -> bytes:
        """The chunks of one delta, possibly none."""
        self._output_chars += chars_of((delta,))
        match delta:
            case TextDelta(text):
                return self._chunk({"content": text}) if text else b""
            case ThinkingDelta(text):
                return self._chunk({"reasoning_content": text}) if text else b""
            case ToolCallDelta(index, fragment):
                return self._fragment(index, fragment)
            case ToolCallStarted():
                return self._begin_call(delta)
            case Started():
                return self._start(delta)
            case _:
                return self._write_other(delta)

    def _write_other(self, delta: UsageDelta | Stopped | Finished | Failed | Pinged | BlockEnded) -> bytes:
        match delta:
            case UsageDelta(usage):
                self._usage = merge_usage(self._usage, usage)
                return b""
            case Stopped(reason):
                self._stop = reason
                return b""
            case Finished():
                self._extras = extras_of(delta.extras or self._extras)
                return self._finish()
            case Failed(error):
                return error_end(error)
            case Pinged():
                return encode_comment("ping")
            case BlockEnded():
                return b""
            case _:
                assert_never(delta)

    def _start(self, started: Started) -> bytes:
        self._usage = started.usage or self._usage
        created = started.created or self._context.created
        self._extras = extras_of(started.extras)
        head = _head(completion_id(started.id, self._context), created, self._context)
        self._head = {**self._extras.body, **head}
        return self._chunk({"role": "assistant", "content": ""})

    def _begin_call(self, call: ToolCallStarted) -> bytes:
        self._calls[call.index] = []
        if self._is_legacy:
            return self._chunk({"function_call": {"name": call.name, "arguments": ""}})
        return self._chunk({"tool_calls": [{"index": call.index, **function_call(call.id, call.name, "")}]})

    def _fragment(self, index: int, fragment: str) -> bytes:
        if not fragment:
            return b""
        self._calls.setdefault(index, []).append(fragment)
        if self._is_legacy:
            return self._chunk({"function_call": {"arguments": fragment}})
        return self._chunk({"tool_calls": [{"index": index, "function": {"arguments": fragment}}]})

    def _finish(self) -> bytes:
        rests = {index: self._rest("".join(said)) for index, said in sorted(self._calls.items())}
        ending = [self._fragment(index, rest) for index, rest in rests.items() if rest is not None]
        if len(ending) < len(rests):
            self.failure = bad_arguments()
            return error_end(self.failure)
        extras = self._extras
        self._head = {**extras.body, **self._head}
        finish = finish_for(self._stop, self._context)
        ending.append(self._chunk({**extras.message}, finish, extras.choice))
        if self._context.wants_usage:
            usage = filled(self._usage, self._context.told_prompt, self._output_chars)
            ending.append(
                encode_json({**self._head, "choices": [], "usage": with_usage_extras(write_usage(usage), extras)})
            )
        return b"".join([*ending, DONE])

    def _rest(self, arguments: str) -> str | None:
        """What the arguments of a call lack; nothing where the finish_reason says that they were cut."""
        return "" if is_cut(self._stop) and arguments.strip() else completion_suffix(arguments)

    def _chunk(self, said: JsonObject, finish: str | None = None, extras: JsonObject | None = None) -> bytes:
        choice = {**(extras or {}), "index": 0, "delta": said, "logprobs": None, "finish_reason": finish}
        return encode_json({**self._head, "choices": [choice]})


def _head(chunk_id: str, created: int, context: ReplyContext) -> JsonObject:
    head: JsonObject = {
        "id": chunk_id,
        "object": "chat.completion.chunk",
        "created": created,
        "model": context.model,
    }
    # By the standard every chunk but the last says usage null, where usage was asked for at all.
    return {**head, "usage": None} if context.wants_usage else head
