"""An answer as the real Anthropic-style side tells it: no usage at the start, all of it in `message_delta`."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from app.demo.frames import Frame, Split, arguments_object
from app.demo.sizes import pieces_of, rough_tokens
from proxy_core.chat import Answer, AnswerPart, StopReason, Text, Thinking, ToolCall, Usage
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.sse import encode_event

_STOPS = {reason: reason.value for reason in StopReason} | {
    StopReason.CONTEXT_EXCEEDED: "model_context_window_exceeded"
}


def whole(answer: Answer) -> JsonObject:
    """The plain reply."""
    return {
        "id": f"msg_{answer.id}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [_block(part) for part in answer.parts],
        "stop_reason": _STOPS[answer.stop],
        "stop_sequence": answer.stop_sequence,
        "usage": _usage(answer.usage),
    }


def frames(answer: Answer, split: Split = pieces_of, started_usage: Usage | None = None) -> Iterator[Frame]:
    """The streamed reply, event by event. started_usage: what `message_start` claims; the real one claims nothing."""
    usage = _usage(started_usage) if started_usage else {"input_tokens": 0, "output_tokens": 0}
    opening = {**whole(answer), "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    yield _event({"type": "message_start", "message": opening})
    yield _event({"type": "ping"})
    for index, part in enumerate(answer.parts):
        yield from _block_frames(index, part, split)
    delta = {"stop_reason": _STOPS[answer.stop], "stop_sequence": answer.stop_sequence}
    yield _event({"type": "message_delta", "delta": delta, "usage": _usage(answer.usage)})
    yield _event({"type": "message_stop"})


def network_error(_answer: Answer) -> list[Frame]:
    """How a stream ends that failed inside the real upstream."""
    error = {"type": "api_error", "code": "1234", "message": "[1234][Network error][demo0000000000000000]"}
    return [_event({"type": "error", "error": error})]


def _block_frames(index: int, part: AnswerPart, split: Split) -> Iterator[Frame]:
    yield _event({"type": "content_block_start", "index": index, "content_block": _empty_block(part)})
    kind, key, text = _flow(part)
    for piece in split(text):
        delta = {"type": kind, key: piece}
        yield _event({"type": "content_block_delta", "index": index, "delta": delta}, rough_tokens(piece))
    if isinstance(part, Thinking) and part.signature:
        delta = {"type": "signature_delta", "signature": part.signature}
        yield _event({"type": "content_block_delta", "index": index, "delta": delta})
    yield _event({"type": "content_block_stop", "index": index})


def _flow(part: AnswerPart) -> tuple[str, str, str]:
    """Type of the deltas, their key, and the text that flows through them."""
    match part:
        case Text(text):
            return "text_delta", "text", text
        case Thinking(text):
            return "thinking_delta", "thinking", text
        case ToolCall():
            return "input_json_delta", "partial_json", part.arguments


def _empty_block(part: AnswerPart) -> JsonObject:
    block = _block(part)
    if isinstance(part, Thinking) and part.redacted:
        return block
    emptied: JsonObject = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {key: emptied.get(key, value) for key, value in block.items()}


def _block(part: AnswerPart) -> JsonObject:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Thinking(redacted=redacted) if redacted:
            return {"type": "redacted_thinking", "data": redacted}
        case Thinking():
            return {"type": "thinking", "thinking": part.text, "signature": part.signature}
        case ToolCall():
            arguments = arguments_object(part.arguments)
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments}


def _usage(usage: Usage) -> JsonObject:
    # The real one leaves out `web_fetch_requests`, which the SDK's type requires (protocols A.5).
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "server_tool_use": {"web_search_requests": 0},
        "service_tier": "standard",
    }


def _event(payload: JsonObject, tokens: int = 0) -> Frame:
    return Frame(encode_event(orjson.dumps(payload), str(payload["type"])), tokens)
