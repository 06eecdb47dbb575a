"""Chat completion bodies → Conversation, and the door to the two ways of writing them.

A conversation that came in this dialect goes out as the client wrote it, with the few changes that z.ai needs
(`native.py`); any other is rendered anew (`rendered.py`).
"""

from __future__ import annotations

import re

from proxy_core.chat import Conversation, JsonFormat, Sampling, ThinkingRequest
from proxy_core.dialects.base import Target, UpstreamRequest
from proxy_core.dialects.openai.legacy import call_shape
from proxy_core.dialects.openai.messages import read_messages
from proxy_core.dialects.openai.native import adapt
from proxy_core.dialects.openai.rendered import render
from proxy_core.dialects.openai.tools import only_allowed, read_tool_choice, read_tools
from proxy_core.dialects.shape import (
    as_list,
    as_object,
    as_text,
    at,
    optional_bool,
    optional_int,
    optional_number,
    optional_object,
    optional_text,
    refuse,
    wrong,
)
from proxy_core.jsontypes import JsonObject

NAME = "openai"

_THINKING_FIELDS = ("thinking", "reasoning_effort", "enable_thinking", "reasoning")
_CARRIED_FIELDS = frozenset(
    [
        "model",
        "messages",
        "stream",
        "stream_options",
        "tools",
        "tool_choice",
        "tool_stream",
        "parallel_tool_calls",
        "functions",
        "function_call",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "stop",
        "n",
        "modalities",
        "response_format",
        "user",
        "safety_identifier",
        *_THINKING_FIELDS,
    ]
)
# The names end in a response header.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_IS_ENABLED = {"enabled": True, "disabled": False}


def read_request(body: JsonObject) -> Conversation:
    """A parsed body, read. Raises BadRequestError naming the field for whatever is malformed or impossible."""
    as_object(body, "")
    _refuse_impossible(body)
    options = optional_object(body, "stream_options") or {}
    return Conversation(
        dialect=NAME,
        model=_model(body),
        messages=read_messages(body.get("messages")),
        tools=only_allowed(read_tools(body), body),
        tool_choice=read_tool_choice(body),
        sampling=_sampling(body),
        thinking=_thinking(body),
        json_format=_json_format(body),
        stream=optional_bool(body, "stream") or False,
        wants_usage=optional_bool(options, "include_usage", "stream_options") or False,
        user_id=_user_id(body),
        dropped=uncarried(body),
        echo=call_shape(body),
        raw=body,
    )


def write_request(conversation: Conversation, target: Target) -> UpstreamRequest:
    """The body for z.ai's chat completions."""
    return adapt(conversation, target) if conversation.dialect == NAME else render(conversation, target)


def uncarried(raw: JsonObject) -> tuple[str, ...]:
    """The fields in use that our words do not hold (seed, penalties, logit_bias …), for `Conversation.dropped`.

    They only tune. A writer of another dialect adds them to what it dropped itself; the writer of this one leaves
    them in the body and therefore does not look at them.
    """
    return tuple(
        name
        for name, value in raw.items()
        if name not in _CARRIED_FIELDS and _is_in_use(name, value) and _PLAIN_NAME.fullmatch(name)
    )


def _is_in_use(name: str, value: object) -> bool:
    if name == "metadata" and isinstance(value, dict):
        return bool(value.keys() - {"user_id"})  # user_id is carried
    return not (value is None or value is False or value == {})


def _refuse_impossible(body: JsonObject) -> None:
    """What would change the meaning if it were left out (one answer instead of n, text instead of sound)."""
    answers = optional_int(body, "n")
    if answers is not None and answers != 1:
        raise refuse("n", "only one answer per request is possible")
    if body.get("mcp_servers"):
        raise refuse("mcp_servers", "servers of tools are not called from here; connect them in the client")
    modalities = body.get("modalities")
    if modalities is not None and "audio" in as_list(modalities, "modalities"):
        raise refuse("modalities", "audio output is not possible")


def _model(body: JsonObject) -> str:
    model = as_text(body.get("model"), "model")
    if not model.strip():
        raise refuse("model", "expected the name of a model")
    return model


def _sampling(body: JsonObject) -> Sampling:
    return Sampling(
        max_tokens=_max_tokens(body),
        temperature=_within(body, "temperature", 2.0),
        top_p=_within(body, "top_p", 1.0),
        stop=_stop(body.get("stop")),
    )


def _max_tokens(body: JsonObject) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        limit = optional_int(body, name)
        if limit is not None:
            if limit < 1:
                raise refuse(name, "expected at least 1")
            return limit
    return None


def _within(body: JsonObject, name: str, highest: float) -> float | None:
    value = optional_number(body, name)
    if value is not None and not 0 <= value <= highest:
        raise refuse(name, f"expected a number from 0 to {highest:g}")
    return value


def _stop(value: object) -> tuple[str, ...]:
    """Stop sequences; empty ones, which no upstream takes, are left out."""
    if value is None or isinstance(value, str):
        return (value,) if value else ()
    if not isinstance(value, list):
        raise wrong("stop", "a string or a list", value)
    return tuple(text for i, item in enumerate(value) if (text := as_text(item, f"stop.{i}")))


def _thinking(body: JsonObject) -> ThinkingRequest | None:
    """The four ways clients have to say it; where two are used the more specific one holds."""
    if all(body.get(name) is None for name in _THINKING_FIELDS):
        return None
    said = optional_object(body, "thinking") or {}
    reasoning = optional_object(body, "reasoning") or {}
    kind = optional_text(said, "type", "thinking") or ""
    enabled = _IS_ENABLED.get(kind)
    effort = optional_text(body, "reasoning_effort") or optional_text(reasoning, "effort", "reasoning")
    return ThinkingRequest(
        enabled=optional_bool(body, "enable_thinking") if enabled is None else enabled,
        effort=effort,
        budget_tokens=optional_int(said, "budget_tokens", "thinking"),
    )


def _json_format(body: JsonObject) -> JsonFormat | None:
    said = optional_object(body, "response_format")
    if said is None:
        return None
    path = "response_format"
    kind = as_text(said.get("type"), at(path, "type"))
    match kind:
        case "text":
            return None
        case "json_object":
            return JsonFormat()
        case "json_schema":
            holder = as_object(said.get(kind), at(path, kind))
            name = optional_text(holder, "name", at(path, kind)) or "response"
            return JsonFormat(optional_object(holder, "schema", at(path, kind)), name)
        case _:
            raise refuse(at(path, "type"), "expected text, json_object or json_schema")


def _user_id(body: JsonObject) -> str:
    metadata = optional_object(body, "metadata") or {}
    said = optional_text(body, "user") or optional_text(body, "safety_identifier")
    return said or optional_text(metadata, "user_id", "metadata") or ""
