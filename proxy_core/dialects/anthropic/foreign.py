"""A conversation of another dialect as a body for an Anthropic-style upstream (protocols D.1)."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from proxy_core.chat import (
    Conversation,
    JsonFormat,
    Message,
    Sampling,
    Text,
    Thinking,
    ThinkingRequest,
    Tool,
    ToolChoice,
)
from proxy_core.dialects.anthropic.parts import refuse_uncarried, write_message, write_part
from proxy_core.dialects.base import Target, UpstreamRequest
from proxy_core.dialects.effort import ThinkingChoice, choose_thinking
from proxy_core.dialects.restraint import Restraints
from proxy_core.dialects.shape import refuse
from proxy_core.dialects.tool_names import with_safe_names
from proxy_core.dialects.turns import settle_turns
from proxy_core.jsontypes import JsonObject

_DEFAULT_MAX_TOKENS = 32_000
_BUDGET_TOKENS = 8_192
_LEAST_BUDGET_TOKENS = 1_024
_LEAST_TOP_P = 0.01
_JSON_ONLY = "Answer with one JSON object and nothing else: no prose before or after it, no code fence."


def max_tokens_for(conversation: Conversation, target: Target) -> int:
    """What the client asked for, within what the model can give. The field is required here, so absent it is set."""
    cap = target.facts.max_output_tokens
    asked = conversation.sampling.max_tokens
    return min(cap, _DEFAULT_MAX_TOKENS if asked is None else asked)


def write_foreign(conversation: Conversation, target: Target) -> UpstreamRequest:
    """The body. Raises BadRequestError for what another dialect's request holds and this one cannot carry."""
    refuse_uncarried(conversation.messages)
    conversation, renamed = with_safe_names(conversation)
    messages = _with_sendable_thinking(conversation.messages, target.quirks.empty_thinking_signature)
    turns = settle_turns(messages, leading=conversation.system)
    choice = choose_thinking(conversation.thinking, target.facts, target.default_thinking)
    max_tokens = max(1, max_tokens_for(conversation, target))
    system = [*turns.system, *json_instruction(conversation.json_format)]
    body: JsonObject = {
        "model": target.model,
        "max_tokens": max_tokens,
        **({"system": [write_part(text, own=False) for text in system]} if system else {}),
        "messages": [write_message(message, own=False) for message in turns.messages],
        **_tool_fields(conversation),
        **_sampling_fields(conversation.sampling, target.quirks.max_temperature),
        **_thinking_fields(conversation.thinking, choice, max_tokens),
        **({"metadata": {"user_id": conversation.user_id}} if conversation.user_id else {}),
        **({"stream": True} if conversation.stream else {}),
    }
    emulated = () if conversation.json_format is None else ("response_format",)
    return UpstreamRequest(
        body, conversation.dropped + choice.dropped, emulated, _restraints_for(conversation, renamed)
    )


def _restraints_for(conversation: Conversation, renamed: Mapping[str, str]) -> Restraints:
    """White space alone is refused here as a stop sequence, and common all the same: a line's end, for one line."""
    choice = conversation.tool_choice
    return Restraints(
        stops=tuple([text for text in conversation.sampling.stop if not text.strip()]),
        is_serial=choice is not None and not choice.parallel,
        renamed_tools=renamed,
        strips_fences=conversation.json_format is not None,
    )


def _with_sendable_thinking(messages: tuple[Message, ...], is_unsigned_taken: bool) -> list[Message]:
    """Messages without the thinking that may not go out; a message of nothing but thinking goes with it."""
    kept = []
    for message in messages:
        is_kept = [not isinstance(part, Thinking) or _is_signed(part) or is_unsigned_taken for part in message.parts]
        parts = tuple([part for part, keep in zip(message.parts, is_kept, strict=True) if keep])
        if any(not isinstance(part, Thinking) for part in parts):
            kept.append(Message(message.role, parts))
    return kept


def _is_signed(part: Thinking) -> bool:
    return bool(part.signature or part.redacted)


def json_instruction(json_format: JsonFormat | None) -> list[Text]:
    """JSON output is asked for in words: the upstream's Anthropic side documents no field for it."""
    if json_format is None:
        return []
    if json_format.schema is None:
        return [Text(_JSON_ONLY)]
    try:
        schema = orjson.dumps(json_format.schema).decode()
    except TypeError as error:
        raise refuse("response_format", "the schema is nested too deeply") from error
    return [Text(f"{_JSON_ONLY}\nIt must match this JSON Schema:\n{schema}")]


def _tool_fields(conversation: Conversation) -> JsonObject:
    if not conversation.tools:
        return {}
    tools = [_write_tool(tool) for tool in conversation.tools]
    choice = conversation.tool_choice
    return {"tools": tools} if choice is None else {"tools": tools, "tool_choice": _write_tool_choice(choice)}


def _write_tool(tool: Tool) -> JsonObject:
    if tool.kind != "function":
        raise refuse("tools", f"a tool of type {tool.kind[:64]!r} cannot be sent to this upstream")
    described: JsonObject = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **described, "input_schema": _object_schema(tool.schema)}


def _object_schema(schema: Mapping[str, object]) -> JsonObject:
    """The schema with an object at its root and no alternatives there, which this side refuses.

    Alternatives at the root are merged: their properties all allowed, only what stood beside them required.
    """
    merged: JsonObject = {}
    for key in ("anyOf", "oneOf", "allOf"):
        branches = schema.get(key)
        for branch in branches if isinstance(branches, list) else ():
            inner = branch.get("properties") if isinstance(branch, dict) else None
            merged |= inner if isinstance(inner, dict) else {}
    plain = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf", "allOf")}
    own = plain.get("properties")
    return {**plain, "type": "object", "properties": {**merged, **(own if isinstance(own, dict) else {})}}


def _write_tool_choice(choice: ToolChoice) -> JsonObject:
    named: JsonObject = {"name": choice.name} if choice.mode == "tool" else {}
    single: JsonObject = {} if choice.parallel or choice.mode == "none" else {"disable_parallel_tool_use": True}
    return {"type": choice.mode, **named, **single}


def _sampling_fields(sampling: Sampling, max_temperature: float) -> JsonObject:
    stop = [text for text in sampling.stop if text.strip()]
    fields: JsonObject = {"stop_sequences": stop} if stop else {}
    if sampling.temperature is not None:
        fields["temperature"] = min(max(sampling.temperature, 0.0), max_temperature)
    if sampling.top_p is not None:
        fields["top_p"] = min(max(sampling.top_p, _LEAST_TOP_P), 1.0)
    return fields


def _thinking_fields(asked: ThinkingRequest | None, choice: ThinkingChoice, max_tokens: int) -> JsonObject:
    """`thinking` and `output_config.effort`. A budget must stay below max_tokens: where that leaves less than the
    least one, nothing is said."""
    if choice.enabled is False:
        return {"thinking": {"type": "disabled"}}
    fields: JsonObject = {}
    if choice.effort:
        fields = {"thinking": {"type": "adaptive"}, "output_config": {"effort": choice.effort}}
    if choice.enabled and max_tokens > _LEAST_BUDGET_TOKENS:
        wanted = (asked.budget_tokens if asked else None) or _BUDGET_TOKENS
        budget = max(_LEAST_BUDGET_TOKENS, min(wanted, max_tokens - 1))
        fields["thinking"] = {"type": "enabled", "budget_tokens": budget}
    return fields
