"""Tools and the choice among them: `tools`, `tool_choice` and their legacy forms `functions`, `function_call`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from proxy_core.chat import Tool, ToolChoice
from proxy_core.dialects.shape import (
    as_object,
    as_text,
    at,
    optional_bool,
    optional_list,
    optional_object,
    optional_text,
    refuse,
    wrong,
)
from proxy_core.jsontypes import JsonObject

_MODES: dict[object, Literal["auto", "any", "none"]] = {"auto": "auto", "none": "none", "required": "any"}

EMPTY_FUNCTION: JsonObject = {"description": " ", "parameters": {"type": "object", "properties": {}}}
"""What z.ai demands of a function, for one that does not say it."""


def read_tools(body: JsonObject) -> tuple[Tool, ...]:
    """The tools of a body, legacy functions included. Raises BadRequestError naming the field."""
    tools = optional_list(body, "tools") or []
    functions = optional_list(body, "functions") or []
    return (
        *(_read_tool(as_object(raw, f"tools.{i}"), f"tools.{i}") for i, raw in enumerate(tools)),
        *(_read_function(raw, f"functions.{i}", None) for i, raw in enumerate(functions)),
    )


def _read_tool(raw: JsonObject, path: str) -> Tool:
    kind = as_text(raw.get("type", "function"), at(path, "type"))
    if kind == "function":
        return _read_function(raw.get("function"), at(path, "function"), raw)
    # Everything else (custom, web_search, retrieval …) is named after its own settings where they have a name.
    settings = raw.get(kind)
    name = settings.get("name") if isinstance(settings, dict) else None
    return Tool(name if isinstance(name, str) else kind, kind=kind, raw=raw)


def _read_function(value: object, path: str, raw: JsonObject | None) -> Tool:
    function = as_object(value, path)
    return Tool(
        name=_name(function, path),
        description=optional_text(function, "description", path) or "",
        schema=optional_object(function, "parameters", path) or {},
        raw=raw,
    )


def _name(holder: JsonObject, path: str) -> str:
    name = as_text(holder.get("name"), at(path, "name"))
    if not name:
        raise refuse(at(path, "name"), "expected a name")
    return name


def read_tool_choice(body: JsonObject) -> ToolChoice | None:
    """The choice, with `parallel_tool_calls` in it; None where the client said nothing about either.

    allowed_tools keeps its mode; the list itself is applied by `allowed_names`.
    """
    # A client of functions can take one call only, there is no list to put more into.
    is_parallel = optional_bool(body, "parallel_tool_calls") is not False and not takes_one_call(body)
    said = body.get("tool_choice")
    if said is not None:
        mode, name = _read_choice(said, "tool_choice")
    elif body.get("function_call") is not None:
        mode, name = _read_legacy_choice(body["function_call"], "function_call")
    elif is_parallel:
        return None
    else:
        mode, name = "auto", ""
    return ToolChoice(mode, name, is_parallel)


def takes_one_call(body: JsonObject) -> bool:
    """Whether the client offers `functions`, the legacy form; whoever knows tools beside them reads tool calls."""
    return bool(body.get("functions")) and not body.get("tools")


def _read_choice(said: object, path: str) -> tuple[Literal["auto", "any", "none", "tool"], str]:
    if isinstance(said, str):
        return _read_mode(said, path), ""
    choice = as_object(said, path)
    kind = as_text(choice.get("type"), at(path, "type"))
    if kind == "allowed_tools":
        where = at(path, kind)
        return _read_mode(as_object(choice.get(kind), where).get("mode", "auto"), at(where, "mode")), ""
    if kind in _MODES:  # not documented, but sent by some clients
        return _MODES[kind], ""
    if kind in ("function", "custom"):
        return "tool", _name(as_object(choice.get(kind), at(path, kind)), at(path, kind))
    raise refuse(at(path, "type"), "expected function, custom or allowed_tools")


def _read_mode(said: object, path: str) -> Literal["auto", "any", "none"]:
    mode = _MODES.get(as_text(said, path))
    if mode is None:
        raise refuse(path, "expected none, auto, required or a tool")
    return mode


def _read_legacy_choice(said: object, path: str) -> tuple[Literal["auto", "any", "none", "tool"], str]:
    if isinstance(said, str):
        return _read_mode(said, path), ""
    if not isinstance(said, dict):
        raise wrong(path, "a string or an object", said)
    return "tool", _name(said, path)


def only_allowed(tools: tuple[Tool, ...], body: JsonObject) -> tuple[Tool, ...]:
    """The tools that `tool_choice.allowed_tools` leaves; all of them where it says nothing."""
    choice = body.get("tool_choice")
    if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
        return tools
    path = "tool_choice.allowed_tools"
    allowed = optional_list(as_object(choice.get("allowed_tools"), path), "tools", path) or []
    names = {_allowed_name(entry, at(at(path, "tools"), i)) for i, entry in enumerate(allowed)}
    return tuple(tool for tool in tools if tool.name in names)


def _allowed_name(value: object, path: str) -> str:
    entry = as_object(value, path)
    kind = as_text(entry.get("type"), at(path, "type"))
    holder = entry.get(kind)
    return _name(holder, at(path, kind)) if isinstance(holder, dict) else str(entry.get("name", kind))


def write_tools(tools: Sequence[Tool]) -> list[JsonObject]:
    """Function tools rendered for z.ai, which demands a description and an object schema of each."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description or " ",
                "parameters": {"type": "object", "properties": {}, **tool.schema},
            },
        }
        for tool in tools
    ]
