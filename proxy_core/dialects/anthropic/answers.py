"""Whole answers of the Messages API, both ways (protocols B.4, D.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from proxy_core.chat import Answer, AnswerPart, StopReason, Text, Thinking, ToolCall, Usage
from proxy_core.dialects.anthropic.asked import hides_thinking, knows_context_stop
from proxy_core.dialects.anthropic.scaled import MOST_TOKENS, scaled_usage
from proxy_core.dialects.arguments import arguments_object, arguments_text
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.unsaid_usage import filled_of
from proxy_core.dialects.upstream_errors import broken_off, error_of_body, is_error_body
from proxy_core.errors import UpstreamError
from proxy_core.jsontypes import JsonObject

_WORD_OF_STOP: dict[StopReason, str] = {
    StopReason.END_TURN: "end_turn",
    StopReason.MAX_TOKENS: "max_tokens",
    StopReason.STOP_SEQUENCE: "stop_sequence",
    StopReason.TOOL_USE: "tool_use",
    StopReason.PAUSE_TURN: "pause_turn",
    StopReason.REFUSAL: "refusal",
    StopReason.CONTEXT_EXCEEDED: "model_context_window_exceeded",
}
# z.ai's OpenAI-style words, in case they shine through.
_STOP_OF_WORD = {word: stop for stop, word in _WORD_OF_STOP.items()} | {
    "sensitive": StopReason.REFUSAL,
    "content_filter": StopReason.REFUSAL,
    "length": StopReason.MAX_TOKENS,
    "tool_calls": StopReason.TOOL_USE,
}
_SERVER_TOOL_COUNTS = ("web_search_requests", "web_fetch_requests")


def read_answer(body: JsonObject) -> Answer:
    """A parsed whole reply. Raises UpstreamError where it is an error (some come with HTTP 200) or no message."""
    if is_error_body(body):
        raise error_of_body(body)
    if (error := broken_off(body.get("stop_reason"))) is not None:
        raise error
    content = body.get("content")
    if not isinstance(content, list):
        raise UpstreamError("The upstream answered with something that is not a message.", status=502)
    parts = tuple([part for block in content if (part := _read_block(block)) is not None])
    sequence = body.get("stop_sequence")
    return Answer(
        id=text_of(body.get("id")),
        model=text_of(body.get("model")),
        parts=parts,
        stop=settled_stop(read_stop(body.get("stop_reason")), has_calls=_has_calls(parts)),
        usage=read_usage(body.get("usage")),
        stop_sequence=sequence if isinstance(sequence, str) else None,
    )


def _read_block(value: object) -> AnswerPart | None:
    """A block as a part; None for what only Anthropic's own servers can use (server tools and their results)."""
    block = value if isinstance(value, dict) else {}
    match block.get("type"):
        case "text":
            return Text(text_of(block.get("text")))
        case "thinking":
            return Thinking(text_of(block.get("thinking")), text_of(block.get("signature")))
        case "redacted_thinking":
            return Thinking("", redacted=text_of(block.get("data")))
        case "tool_use":
            arguments = arguments_text(block.get("input"))
            return ToolCall(text_of(block.get("id")), text_of(block.get("name")), arguments)
        case _:
            return None


def text_of(value: object) -> str:
    """`value` if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def _has_calls(parts: Iterable[AnswerPart]) -> bool:
    return any(isinstance(part, ToolCall) for part in parts)


def read_stop(word: object) -> StopReason:
    """The reason behind Anthropic's word; anything unknown means an ordinary end."""
    return _STOP_OF_WORD.get(text_of(word), StopReason.END_TURN)


def settled_stop(stop: StopReason, *, has_calls: bool) -> StopReason:
    """The reason that fits the content: clients run tools on "tool_use" only, and wait for a call they cannot see."""
    if stop is StopReason.END_TURN and has_calls:
        return StopReason.TOOL_USE
    return StopReason.END_TURN if stop is StopReason.TOOL_USE and not has_calls else stop


def read_usage(value: object) -> Usage:
    """Usage, tolerant of missing, null and odd figures."""
    usage = value if isinstance(value, dict) else {}
    details = usage.get("output_tokens_details")
    thinking = details.get("thinking_tokens") if isinstance(details, dict) else None
    return Usage(
        input_tokens=_count(usage.get("input_tokens")),
        cached_tokens=_count(usage.get("cache_read_input_tokens")),
        cache_write_tokens=_count(usage.get("cache_creation_input_tokens")),
        output_tokens=_count(usage.get("output_tokens")),
        thinking_tokens=_count(thinking) if thinking is not None else None,
    )


def _count(value: object) -> int:
    return min(value, MOST_TOKENS) if type(value) is int and value > 0 else 0


def write_answer(answer: Answer, context: ReplyContext) -> JsonObject:
    """The whole reply, under the model name that the client asked for."""
    content = [block for part in answer.parts if (block := _write_block(part, answer, context)) is not None]
    return {
        "id": message_id(answer.id, context),
        "type": "message",
        "role": "assistant",
        "model": context.model,
        "content": content or [{"type": "text", "text": ""}],
        **write_stop(answer.stop, answer.stop_sequence, context, has_calls=_has_calls(answer.parts)),
        "usage": write_usage(filled_of(answer, context.told_prompt)),
    }


def _write_block(part: AnswerPart, answer: Answer, context: ReplyContext) -> JsonObject | None:
    match part:
        case Text(text):
            return {"type": "text", "text": text} if text else None
        case Thinking(redacted=data) if data:
            return {"type": "redacted_thinking", "data": data}
        case Thinking(text, signature):
            if not text and not signature:
                return None
            told = "" if hides_thinking(context) else text
            return {"type": "thinking", "thinking": told, "signature": signature or issued_signature([text])}
        case ToolCall():
            calls = [other for other in answer.parts if isinstance(other, ToolCall)]
            call_id = part.id or made_call_id(context, next(n for n, call in enumerate(calls) if call is part))
            return {"type": "tool_use", "id": call_id, "name": part.name, "input": arguments_object(part.arguments)}


def message_id(upstream_id: str, context: ReplyContext) -> str:
    """The upstream's id in Anthropic's form, or one of ours."""
    given = upstream_id or context.fresh_id
    return given if given.startswith("msg_") else f"msg_{given}"


def made_call_id(context: ReplyContext, index: int) -> str:
    """An id for a call that came without one; the same in a stream and in a whole answer."""
    return f"toolu_{context.fresh_id}_{index}"


def issued_signature(texts: Iterable[str]) -> str:
    """A signature for thinking that came without one: strict clients refuse to send back an empty one."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass"))
    return f"zp1.{digest.hexdigest()[:32]}"


def write_stop(stop: StopReason, sequence: str | None, context: ReplyContext, *, has_calls: bool) -> JsonObject:
    """stop_reason and its companions, for a whole answer or for message_delta."""
    settled = settled_stop(stop, has_calls=has_calls)
    if settled is StopReason.CONTEXT_EXCEEDED and not knows_context_stop(context):
        settled = StopReason.MAX_TOKENS
    fields: JsonObject = {"stop_reason": _WORD_OF_STOP[settled], "stop_sequence": sequence}
    if settled is StopReason.REFUSAL:
        fields["stop_details"] = {"type": "refusal", "category": None, "explanation": None}
    return fields


def mended_stop(fields: Mapping[str, object], context: ReplyContext, *, has_calls: bool) -> JsonObject | None:
    """stop_reason and its companions where the upstream's do not fit the content, the protocol or the client's version;
    None where nothing is amiss. A word that nobody knows is none of ours."""
    word = fields.get("stop_reason")
    if not isinstance(word, str) or word not in _STOP_OF_WORD:
        return None
    sequence = text_of(fields.get("stop_sequence")) or None
    told = write_stop(_STOP_OF_WORD[word], sequence, context, has_calls=has_calls)
    return None if told["stop_reason"] == word else told


def write_usage(usage: Usage) -> JsonObject:
    """All four figures, disjoint as Anthropic counts them."""
    fields: JsonObject = {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
    }
    if usage.thinking_tokens is not None:
        fields["output_tokens_details"] = {"thinking_tokens": usage.thinking_tokens}
    return fields


def touch_answer(body: JsonObject, context: ReplyContext) -> JsonObject:
    """The upstream's own reply under the client's model name, mended where the SDKs would stumble.

    The very same object where nothing has to change; it is never changed itself.
    """
    changes: JsonObject = {} if body.get("model") == context.model else {"model": context.model}
    usage = body.get("usage")
    if isinstance(usage, dict) and (told := told_usage(usage, context)) is not usage:
        changes["usage"] = told
    blocks = body.get("content")
    content: list[object] = blocks if isinstance(blocks, list) else []
    has_calls = any(isinstance(block, dict) and block.get("type") == "tool_use" for block in content)
    changes |= mended_stop(body, context, has_calls=has_calls) or {}
    if hides_thinking(context) and any(is_shown_thinking(block) for block in content):
        changes["content"] = [hidden_thinking(block) for block in content]
    return {**body, **changes} if changes else body


def is_shown_thinking(block: object) -> bool:
    """Whether a raw block is thinking with its text."""
    return isinstance(block, dict) and block.get("type") == "thinking" and bool(block.get("thinking"))


def hidden_thinking(block: object) -> object:
    """A raw block; one of thinking without its text."""
    return {**block, "thinking": ""} if isinstance(block, dict) and is_shown_thinking(block) else block


def told_usage(usage: JsonObject, context: ReplyContext) -> JsonObject:
    """The upstream's own usage as the client is told it; the very same where nothing has to change."""
    return scaled_usage(mended_usage(usage) or usage, context.prompt_scale)


def mended_usage(usage: Mapping[str, object]) -> JsonObject | None:
    """Usage with both counts of `server_tool_use`, which z.ai leaves out in part; None where nothing is amiss."""
    used = usage.get("server_tool_use")
    if not isinstance(used, dict) or all(type(used.get(name)) is int for name in _SERVER_TOOL_COUNTS):
        return None
    counts = {name: _count(used.get(name)) for name in _SERVER_TOOL_COUNTS}
    return {**usage, "server_tool_use": {**used, **counts}}
