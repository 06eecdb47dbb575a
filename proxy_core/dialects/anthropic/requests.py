"""Requests of the Messages API: body → Conversation, and Conversation → body (protocols B.3, D.1).

A conversation that was read here goes out as it came, unknown fields included; only what must change is changed.
"""

from __future__ import annotations

import re

from proxy_core.chat import (
    Conversation,
    JsonFormat,
    Message,
    Role,
    Sampling,
    ThinkingRequest,
    Tool,
    ToolChoice,
)
from proxy_core.dialects.anthropic.asked import Asked
from proxy_core.dialects.anthropic.foreign import json_instruction, max_tokens_for, write_foreign
from proxy_core.dialects.anthropic.parts import read_content, read_texts, write_message, write_part
from proxy_core.dialects.anthropic.reminders import fold_system
from proxy_core.dialects.base import Target, UpstreamRequest
from proxy_core.dialects.effort import choose_thinking, is_off
from proxy_core.dialects.restraint import Restraints
from proxy_core.dialects.shape import (
    as_list,
    as_object,
    as_text,
    at,
    optional_bool,
    optional_int,
    optional_list,
    optional_number,
    optional_object,
    optional_text,
    refuse,
)
from proxy_core.jsontypes import JsonObject

NAME = "anthropic"
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_SWITCHED = {"enabled": True, "disabled": False}
_TOP_FIELDS = ("model", "messages", "system", "max_tokens", "stream", "stop_sequences", "temperature", "top_p")
_CARRIED_FIELDS = {*_TOP_FIELDS, "tools", "tool_choice", "thinking", "output_config", "output_format", "metadata"}
# The names end in a response header.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def read_request(body: JsonObject) -> Conversation:
    """A parsed body as a conversation. Raises BadRequestError, which names the field."""
    thinking, json_format = _read_output(body)
    return Conversation(
        dialect=NAME,
        model=_read_model(body),
        messages=_read_messages(body),
        system=read_texts(body.get("system"), "system"),
        tools=tuple([_read_tool(tool, at("tools", n)) for n, tool in enumerate(optional_list(body, "tools") or ())]),
        tool_choice=_read_tool_choice(body),
        sampling=_read_sampling(body),
        thinking=thinking,
        json_format=json_format,
        stream=optional_bool(body, "stream") or False,
        user_id=optional_text(optional_object(body, "metadata") or {}, "user_id", "metadata") or "",
        dropped=_uncarried_fields(body),
        echo=_read_asked(body),
        raw=body,
    )


def _read_asked(body: JsonObject) -> Asked:
    thinking = optional_object(body, "thinking") or {}
    return Asked(hides_thinking=thinking.get("display") == "omitted")


def _uncarried_fields(body: JsonObject) -> tuple[str, ...]:
    """Fields that another dialect's upstream will not see."""
    names = [name for name in body if name not in _CARRIED_FIELDS and body[name] is not None]
    return tuple([name for name in names if _PLAIN_NAME.fullmatch(name)])


def _read_model(body: JsonObject) -> str:
    model = as_text(body.get("model"), "model")
    if not model.strip():
        raise refuse("model", "must not be empty")
    return model


def _read_messages(body: JsonObject) -> tuple[Message, ...]:
    messages = as_list(body.get("messages"), "messages")
    if not messages:
        raise refuse("messages", "must hold at least one message")
    return tuple([_read_message(message, at("messages", index)) for index, message in enumerate(messages)])


def _read_message(value: object, path: str) -> Message:
    message = as_object(value, path)
    role = _ROLES.get(as_text(message.get("role"), at(path, "role")))
    if role is None:
        raise refuse(at(path, "role"), "expected user, assistant or system")
    return Message(role, read_content(message.get("content"), at(path, "content")), raw=message)


def _read_tool(value: object, path: str) -> Tool:
    tool = as_object(value, path)
    kind = optional_text(tool, "type", path)
    is_ours = kind is None or kind == "custom"
    # Typed tools of Anthropic's own may come without a name (tool sets) and without a schema.
    name = as_text(tool.get("name"), at(path, "name")) if is_ours else optional_text(tool, "name", path)
    return Tool(
        name=name or kind or "",
        description=optional_text(tool, "description", path) or "",
        schema=optional_object(tool, "input_schema", path) or {},
        kind="function" if kind is None or is_ours else kind,
        raw=tool,
    )


def _read_tool_choice(body: JsonObject) -> ToolChoice | None:
    choice = optional_object(body, "tool_choice")
    if choice is None:
        return None
    is_parallel = not optional_bool(choice, "disable_parallel_tool_use", "tool_choice")
    match as_text(choice.get("type"), "tool_choice.type"):
        case "tool":
            return ToolChoice("tool", as_text(choice.get("name"), "tool_choice.name"), is_parallel)
        case ("auto" | "any" | "none") as mode:
            return ToolChoice(mode, parallel=is_parallel)
        case _:
            raise refuse("tool_choice.type", "expected auto, any, tool or none")


def _read_sampling(body: JsonObject) -> Sampling:
    max_tokens = optional_int(body, "max_tokens")
    if max_tokens is not None and max_tokens < 0:
        raise refuse("max_tokens", "must not be negative")
    texts = optional_list(body, "stop_sequences") or ()
    stop = [as_text(text, at("stop_sequences", index)) for index, text in enumerate(texts)]
    return Sampling(max_tokens, optional_number(body, "temperature"), optional_number(body, "top_p"), tuple(stop))


def _read_output(body: JsonObject) -> tuple[ThinkingRequest | None, JsonFormat | None]:
    thinking = optional_object(body, "thinking")
    output = optional_object(body, "output_config") or {}
    effort = optional_text(output, "effort", "output_config")
    json_format = optional_object(output, "format", "output_config") or optional_object(body, "output_format")
    schema = optional_object(json_format, "schema", "output_config.format") if json_format else None
    asked = None
    if thinking is not None:
        switched = _SWITCHED.get(as_text(thinking.get("type"), "thinking.type"))
        asked = ThinkingRequest(switched, effort, optional_int(thinking, "budget_tokens", "thinking"))
    elif effort is not None:
        asked = ThinkingRequest(effort=effort)
    return asked, JsonFormat(schema) if schema is not None else None


def write_request(conversation: Conversation, target: Target) -> UpstreamRequest:
    """The body for an Anthropic-style upstream. Raises BadRequestError for what another dialect's request holds
    and this one cannot carry. The conversation and its raw JSON are left as they are."""
    if conversation.dialect == NAME:
        return _write_own(conversation, target)
    return write_foreign(conversation, target)


def _write_own(conversation: Conversation, target: Target) -> UpstreamRequest:
    body = dict(conversation.raw)
    body["model"] = target.model
    # Raw messages are the very objects that stand in the raw body: an unedited list stays equal to it.
    messages = [
        write_message(message, own=True) if message.raw is None else message.raw for message in conversation.messages
    ]
    body["messages"] = messages if target.quirks.system_turns else fold_system(messages)
    if conversation.system != read_texts(body.get("system"), "system"):
        body["system"] = [write_part(text, own=True) for text in conversation.system]
    max_tokens = max_tokens_for(conversation, target)
    if conversation.sampling.max_tokens != max_tokens:
        body["max_tokens"] = max_tokens
        _keep_budget_below(body, max_tokens)
    is_emulated = conversation.json_format is not None and not target.quirks.json_schema
    if is_emulated:
        _ask_for_json(body, conversation)
    dropped = _with_least_effort(body, conversation.thinking, target)
    emulated = ("output_config.format",) if is_emulated else ()
    return UpstreamRequest(body, dropped, emulated, Restraints(strips_fences=is_emulated))


def _ask_for_json(body: JsonObject, conversation: Conversation) -> None:
    """JSON by a schema in words, behind the client's own system prompt; the fields, which mean nothing here, go."""
    output = {**(optional_object(body, "output_config") or {})}
    output.pop("format", None)
    body.pop("output_format", None)
    body.pop("output_config", None)
    if output:
        body["output_config"] = output
    given = body.get("system")
    system: list[object] = given if isinstance(given, list) else [{"type": "text", "text": given}] if given else []
    body["system"] = [*system, *(write_part(text, own=True) for text in json_instruction(conversation.json_format))]


def _with_least_effort(body: JsonObject, asked: ThinkingRequest | None, target: Target) -> tuple[str, ...]:
    """Some models refuse to be told not to think; the least effort comes nearest (protocols D.5). What was dropped."""
    if target.facts.thinking != "always" or asked is None or not is_off(asked):
        return ()
    effort = choose_thinking(asked, target.facts, None).effort or "low"
    body["thinking"] = {"type": "adaptive"}
    body["output_config"] = {**(optional_object(body, "output_config") or {}), "effort": effort}
    return ("thinking.disabled",)


def _keep_budget_below(body: JsonObject, max_tokens: int) -> None:
    """Thinking tokens count against max_tokens: a cut there must be followed by the budget."""
    thinking = optional_object(body, "thinking") or {}
    budget = optional_int(thinking, "budget_tokens", "thinking")
    if budget is not None and budget >= max_tokens:
        body["thinking"] = {**thinking, "budget_tokens": max_tokens - 1}
