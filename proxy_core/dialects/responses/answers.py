"""Answer → whole response object."""

from __future__ import annotations

from dataclasses import replace

from proxy_core.chat import Answer, AnswerPart, Text, Thinking, ToolCall
from proxy_core.dialects.arguments import told_arguments
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.responses.output import (
    call_item,
    call_prefix,
    cut_short,
    echo_of,
    ended,
    is_shown,
    item_id,
    message_item,
    origin_of,
    reasoning_item,
    response_id,
    response_object,
    write_usage,
)
from proxy_core.dialects.responses.requests import Echo
from proxy_core.dialects.unsaid_usage import filled_of
from proxy_core.jsontypes import JsonObject


def write_answer(answer: Answer, context: ReplyContext) -> JsonObject:
    """The whole reply, under the name of the model that the client asked for; of an answer that was cut short the
    last item is incomplete. Raises UpstreamError for a call that is not whole."""
    echo = echo_of(context)
    identity = response_id(answer.id, context)
    shown = [part for part in answer.parts if _is_shown(part, echo)]
    is_cut = cut_short(answer.stop) is not None
    output = [
        _write_item(part, identity, index, "incomplete" if is_cut and index == len(shown) - 1 else "completed", echo)
        for index, part in enumerate(shown)
    ]
    news = {**ended(answer.stop), "usage": write_usage(filled_of(answer, context.told_prompt))}
    return response_object(identity, answer.created or context.created, context, output, **news)


def _is_shown(part: AnswerPart, echo: Echo) -> bool:
    match part:
        case Text(text):
            return bool(text)
        case Thinking():
            return is_shown(part, echo)
        case ToolCall():
            return True


def _write_item(part: AnswerPart, of_response: str, index: int, status: str, echo: Echo) -> JsonObject:
    match part:
        case Text(text):
            return message_item(item_id("msg", of_response, index), status, text)
        case Thinking():
            return reasoning_item(item_id("rs", of_response, index), part, echo)
        case ToolCall():
            origin = origin_of(part, echo)
            if not origin.is_freeform:
                part = replace(part, arguments=told_arguments(part.arguments, is_cut=status == "incomplete"))
            return call_item(item_id(call_prefix(origin), of_response, index), status, part, origin)
