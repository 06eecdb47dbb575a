"""Whole chat completions: `{"id","object","created","model","choices":[…],"usage"}` ↔ Answer (protocols A.4, D.3)."""

from __future__ import annotations

from proxy_core.chat import Answer, AnswerPart, Text, Thinking, ToolCall, Usage
from proxy_core.dialects.arguments import arguments_text, made_id, told_arguments
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.openai.extras import Extras, extras_of, with_usage_extras
from proxy_core.dialects.openai.legacy import finish_for, is_legacy
from proxy_core.dialects.openai.messages import function_call, text_of_details
from proxy_core.dialects.openai.reasons import (
    is_cut,
    read_finish,
    read_usage,
    scaled_usage,
    write_finish,
    write_usage,
)
from proxy_core.dialects.unsaid_usage import filled_of
from proxy_core.dialects.upstream_errors import broken_off, error_of_body, is_error_body
from proxy_core.errors import UpstreamError
from proxy_core.jsontypes import JsonObject

ID_PREFIX = "chatcmpl-"


def read_answer(body: JsonObject) -> Answer:
    """The answer in a body. Raises UpstreamError for an error in disguise (HTTP 200) and for a body without one."""
    if is_error_body(body):
        raise error_of_body(body)
    choice = _first(body.get("choices"))
    message = choice.get("message")
    if not isinstance(message, dict):
        raise UpstreamError("The upstream's answer holds no message.", status=502)
    finish = choice.get("finish_reason")
    if (error := broken_off(finish)) is not None:
        raise error
    answer_id = text_of(body.get("id"))
    parts = _read_parts(message, answer_id)
    usage, created = body.get("usage"), body.get("created")
    extras = Extras()
    extras.add(body, "message")
    return Answer(
        id=answer_id,
        model=text_of(body.get("model")),
        parts=parts,
        stop=read_finish(finish, has_calls=any(isinstance(part, ToolCall) for part in parts)),
        usage=read_usage(usage) if isinstance(usage, dict) else Usage(),
        created=created if isinstance(created, int) else None,
        extras=extras,
    )


def _first(items: object) -> JsonObject:
    first = items[0] if isinstance(items, list) and items else None
    return first if isinstance(first, dict) else {}


def _read_parts(message: JsonObject, answer_id: str) -> tuple[AnswerPart, ...]:
    """Thinking, text, calls: the one order this dialect has."""
    thinking = reasoning_of(message)
    text = content_of(message)
    parts: list[AnswerPart] = [Thinking(thinking)] if thinking else []
    parts += [Text(text)] if text else []
    raw_calls = message.get("tool_calls")
    calls = list(raw_calls) if isinstance(raw_calls, list) else []
    if isinstance(message.get("function_call"), dict):
        calls.append({"function": message["function_call"]})
    parts += [call for i, raw in enumerate(calls) if (call := _read_call(raw, answer_id, i)) is not None]
    return tuple(parts)


def _read_call(raw: object, answer_id: str, position: int) -> ToolCall | None:
    """A call; None for one without a name, which nobody could carry out."""
    function = raw.get("function") if isinstance(raw, dict) else None
    name = text_of(function.get("name")) if isinstance(function, dict) else ""
    if not name or not isinstance(raw, dict) or not isinstance(function, dict):
        return None
    call_id = text_of(raw.get("id")) or made_id(answer_id, position)
    return ToolCall(call_id, name, arguments_text(function.get("arguments")))


def text_of(value: object) -> str:
    """The value if it is text, else ""."""
    return value if isinstance(value, str) else ""


def content_of(message: JsonObject) -> str:
    """Visible text of a message or a streamed delta: `content` as string or parts, else a refusal."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(text_of(part.get("text")) for part in content if isinstance(part, dict))
    return text_of(content) or text_of(message.get("refusal"))


def reasoning_of(message: JsonObject) -> str:
    """Reasoning text of a message or a streamed delta, under whichever of its three names."""
    text = text_of(message.get("reasoning_content")) or text_of(message.get("reasoning"))
    details = message.get("reasoning_details")
    if text or not isinstance(details, list):
        return text
    return text_of_details(details)


def write_answer(answer: Answer, context: ReplyContext) -> JsonObject:
    """The whole reply, under the name of the model that the client asked for. Raises UpstreamError for a call that
    is not whole."""
    extras = extras_of(answer.extras)
    usage = write_usage(filled_of(answer, context.told_prompt))
    choice = {
        **extras.choice,
        "index": 0,
        "message": {**extras.message, **_write_message(answer, context)},
        "logprobs": None,
        "finish_reason": finish_for(answer.stop, context),
    }
    return {
        **extras.body,
        "id": completion_id(answer.id, context),
        "object": "chat.completion",
        "created": answer.created or context.created,
        "model": context.model,
        "choices": [choice],
        "usage": with_usage_extras(usage, extras),
    }


def completion_id(answer_id: str, context: ReplyContext) -> str:
    """The upstream's id, or a fresh one, the way ids of this dialect look."""
    found = answer_id or context.fresh_id
    return found if found.startswith(ID_PREFIX) else ID_PREFIX + found


def _write_message(answer: Answer, context: ReplyContext) -> JsonObject:
    text = "".join(part.text for part in answer.parts if isinstance(part, Text))
    thinking = "".join(part.text for part in answer.parts if isinstance(part, Thinking))
    calls = [
        function_call(part.id, part.name, told_arguments(part.arguments, is_cut=is_cut(answer.stop)))
        for part in answer.parts
        if isinstance(part, ToolCall)
    ]
    message: JsonObject = {"role": "assistant", "content": None if calls and not text else text, "refusal": None}
    if thinking:
        message["reasoning_content"] = thinking
    if calls and is_legacy(context):
        return {**message, "function_call": calls[0]["function"]}
    return {**message, "tool_calls": calls} if calls else message


def touch_answer(body: JsonObject, context: ReplyContext) -> JsonObject:
    """z.ai's own reply with what clients stumble over set right; `body` itself is not changed.

    Raises UpstreamError for a call that is not whole.
    """
    choices, answer_id, usage = body.get("choices"), text_of(body.get("id")), body.get("usage")
    touched: JsonObject = {**body, "object": "chat.completion", "model": context.model}
    if isinstance(choices, list):
        touched["choices"] = [_touch_choice(choice, answer_id) for choice in choices]
    if isinstance(usage, dict):
        touched["usage"] = scaled_usage(usage, context.prompt_scale)
    return touched


def _touch_choice(choice: object, answer_id: str) -> object:
    """A choice with a finish_reason that fits its calls, and every call with an id and its arguments as JSON text."""
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return choice
    calls, finish = message.get("tool_calls"), choice.get("finish_reason")
    touched: JsonObject = {**choice}
    if "finish_reason" in choice and finish != "function_call":
        touched["finish_reason"] = write_finish(read_finish(finish, has_calls=bool(calls)))
    if isinstance(calls, list):
        is_over = not is_cut(read_finish(finish, has_calls=True))
        told = [_touch_call(call, answer_id, position, is_over=is_over) for position, call in enumerate(calls)]
        touched["message"] = {**message, "tool_calls": told}
    return touched


def _touch_call(call: object, answer_id: str, position: int, *, is_over: bool) -> object:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict):
        return call
    call_id = call.get("id") or made_id(answer_id, position)
    arguments = told_arguments(arguments_text(function.get("arguments")), is_cut=not is_over)
    return {**call, "id": call_id, "function": {**function, "arguments": arguments}}
