"""What z.ai's chat completions do not have, asked for in words instead (protocols D.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from proxy_core.chat import Conversation, JsonFormat, Tool, ToolChoice
from proxy_core.dialects.base import Target
from proxy_core.dialects.openai.limits import split_stop
from proxy_core.dialects.restraint import Restraints
from proxy_core.dialects.shape import refuse


def forced_choice(choice: ToolChoice | None, tools: Sequence[Tool]) -> ToolChoice | None:
    """The choice, if it demands a call. Raises BadRequestError if there is no such tool."""
    if choice is None or choice.mode in ("auto", "none"):
        return None
    if choice.mode == "tool" and all(tool.name != choice.name for tool in tools):
        raise refuse("tool_choice", f"there is no tool {choice.name!r}")
    if not tools:
        raise refuse("tool_choice", "there is no tool to call")
    return choice


def write_choice(choice: ToolChoice, target: Target) -> object:
    """`tool_choice` for a choice that leaves tools to call."""
    if choice.mode == "auto" or target.quirks.tool_choice_auto_only:
        return "auto"
    return {"type": "function", "function": {"name": choice.name}} if choice.mode == "tool" else "required"


def tool_lines(forced: ToolChoice | None) -> list[str]:
    """A demanded call in words, for an upstream that only knows `auto`."""
    if forced is None:
        return []
    return [f"You must call {f'the tool {forced.name}' if forced.mode == 'tool' else 'one of the tools'} now."]


def json_lines(json_format: JsonFormat | None) -> list[str]:
    """JSON in words, with its schema; nothing where it was not asked for."""
    if json_format is None:
        return []
    line = "Answer with one JSON object and nothing else: no words around it and no code fence."
    if json_format.schema is None:
        return [line]
    try:
        schema = orjson.dumps(json_format.schema).decode()
    except orjson.JSONEncodeError as error:
        raise refuse("response_format", "the schema is nested too deeply") from error
    return [f"{line} It must match this JSON Schema:\n{schema}"]


def emulated_names(conversation: Conversation, forced: ToolChoice | None, target: Target) -> tuple[str, ...]:
    """The fields of chat completions that stand in words only."""
    names = ["tool_choice"] if forced is not None and target.quirks.tool_choice_auto_only else []
    return (*names, *(["response_format"] if is_schema_emulated(conversation.json_format, target) else []))


def is_schema_emulated(json_format: JsonFormat | None, target: Target) -> bool:
    """Whether the schema can only be told in words."""
    return json_format is not None and json_format.schema is not None and not target.quirks.json_schema


def restraints_for(conversation: Conversation, target: Target, renamed: Mapping[str, str]) -> Restraints:
    """What is left to do to the answer. renamed: safe tool name → the client's own."""
    choice = conversation.tool_choice
    return Restraints(
        stops=split_stop(conversation.sampling.stop, target)[1],
        is_serial=choice is not None and not choice.parallel,
        has_inline_tags=target.facts.inline_tags,
        renamed_tools=renamed,
        strips_fences=is_schema_emulated(conversation.json_format, target),
    )
