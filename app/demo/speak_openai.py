"""An answer as the real OpenAI-style side tells it: no `object`, reasoning first, usage on the finishing chunk."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from app.demo.frames import Frame, Split
from app.demo.sizes import pieces_of, rough_tokens
from proxy_core.chat import Answer, StopReason, Text, Thinking, ToolCall, Usage
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.sse import encode_event

_STOPS = {
    StopReason.END_TURN: "stop",
    StopReason.MAX_TOKENS: "length",
    StopReason.STOP_SEQUENCE: "stop",
    StopReason.TOOL_USE: "tool_calls",
    StopReason.PAUSE_TURN: "stop",
    StopReason.REFUSAL: "sensitive",
    StopReason.CONTEXT_EXCEEDED: "model_context_window_exceeded",
}
_CREATED = 1_767_225_600
"""A fixed time: the answer depends on the request alone."""


def whole(answer: Answer) -> JsonObject:
    """The plain reply."""
    message: JsonObject = {"role": "assistant", "content": _joined(answer, Text)}
    if reasoning := _joined(answer, Thinking):
        message["reasoning_content"] = reasoning
    if calls := _calls(answer):
        message["tool_calls"] = [_call(index, call, call.arguments) for index, call in enumerate(calls)]
    choice = {"index": 0, "finish_reason": _STOPS[answer.stop], "message": message}
    return {**_head(answer), "request_id": answer.id, "choices": [choice], "usage": _usage(answer.usage)}


def frames(answer: Answer, split: Split = pieces_of) -> Iterator[Frame]:
    """The streamed reply, chunk by chunk."""
    for piece in split(_joined(answer, Thinking)):
        yield _chunk(answer, {"role": "assistant", "reasoning_content": piece}, piece)
    for piece in split(_joined(answer, Text)):
        yield _chunk(answer, {"role": "assistant", "content": piece}, piece)
    for index, call in enumerate(_calls(answer)):
        yield _chunk(answer, {"tool_calls": [_call(index, call, "")]}, "")
        for piece in split(call.arguments):
            fragment = {"index": index, "function": {"arguments": piece}}
            yield _chunk(answer, {"tool_calls": [fragment]}, piece)
    yield _last_chunk(answer, _STOPS[answer.stop])
    yield Frame(encode_event(b"[DONE]"))


def network_error(answer: Answer) -> list[Frame]:
    """How a stream ends that failed inside the real upstream: no error code, an odd reason."""
    return [_last_chunk(answer, "network_error"), Frame(encode_event(b"[DONE]"))]


def _last_chunk(answer: Answer, reason: str) -> Frame:
    choice = {"index": 0, "finish_reason": reason, "delta": {"role": "assistant", "content": ""}}
    payload = {**_head(answer), "choices": [choice], "usage": _usage(answer.usage)}
    return Frame(encode_event(orjson.dumps(payload)))


def _chunk(answer: Answer, delta: JsonObject, piece: str) -> Frame:
    payload = {**_head(answer), "choices": [{"index": 0, "delta": delta}]}
    return Frame(encode_event(orjson.dumps(payload)), rough_tokens(piece))


def _head(answer: Answer) -> JsonObject:
    return {"id": answer.id, "created": answer.created or _CREATED, "model": answer.model}


def _joined(answer: Answer, kind: type[Text] | type[Thinking]) -> str:
    return "".join(part.text for part in answer.parts if isinstance(part, kind))


def _calls(answer: Answer) -> list[ToolCall]:
    return [part for part in answer.parts if isinstance(part, ToolCall)]


def _call(index: int, call: ToolCall, arguments: str) -> JsonObject:
    function = {"name": call.name, "arguments": arguments}
    return {"index": index, "id": call.id, "type": "function", "function": function}


def _usage(usage: Usage) -> JsonObject:
    """`prompt_tokens` includes the cached ones."""
    told: JsonObject = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.prompt_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }
    if usage.thinking_tokens is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": usage.thinking_tokens}
    return told
