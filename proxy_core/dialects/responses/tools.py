"""Tools of a Responses request and the choice among them; to us all of them are functions under one name each.

A client's tool stands alone (`function`, or `custom` with freeform input) or in a `namespace`. Tools that OpenAI's
own servers or special clients carry out (`web_search`, `local_shell` …) no other model knows: they are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from proxy_core.chat import Tool, ToolChoice
from proxy_core.dialects.responses.freeform import freeform_description, freeform_schema
from proxy_core.dialects.shape import (
    as_object,
    as_text,
    at,
    optional_bool,
    optional_list,
    optional_object,
    optional_text,
    refuse,
)
from proxy_core.jsontypes import JsonObject

_MODES: dict[str, Literal["auto", "any", "none"]] = {"auto": "auto", "none": "none", "required": "any"}
_CALLABLE = ("function", "custom")


@dataclass(frozen=True, slots=True)
class Origin:
    """How the client itself knows a tool. namespace: "" for a tool that stands alone."""

    name: str
    namespace: str = ""
    is_freeform: bool = False


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools that can go upstream, the way back from their names, and the types that had to stay behind."""

    tools: tuple[Tool, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def joint_name(name: str, namespace: str = "") -> str:
    """The one name of a tool, always the same: `ns__tool`. Whether upstreams take it is their writers' business."""
    joint = "" if not namespace or namespace.endswith("__") else "__"
    return f"{namespace}{joint}{name}"


def read_tools(declared: Iterable[tuple[object, str]]) -> Toolbox:
    """The tools of these declarations, given with their paths; of two with one name the later holds.

    Raises BadRequestError naming the field.
    """
    tools: dict[str, Tool] = {}
    origins: dict[str, Origin] = {}
    left_out: list[str] = []
    for value, path in declared:
        for raw, namespace, where in _opened(as_object(value, path), path):
            kind = as_text(raw.get("type"), at(where, "type"))
            if kind == "mcp":
                raise refuse(where, "servers of tools are not called from here; connect them in the client")
            if kind not in _CALLABLE:
                left_out.append(kind)
                continue
            origin = Origin(_name(raw, where), namespace, kind == "custom")
            name = joint_name(origin.name, namespace)
            tools[name] = _read_tool(name, raw, origin, where)
            origins[name] = origin
    return Toolbox(tuple(tools.values()), origins, tuple(dict.fromkeys(left_out)))


def _opened(raw: JsonObject, path: str) -> Iterator[tuple[JsonObject, str, str]]:
    """(tool, namespace, path) of each tool in a declaration."""
    if raw.get("type") != "namespace":
        yield raw, "", path
        return
    namespace = _name(raw, path)
    for index, tool in enumerate(optional_list(raw, "tools", path) or ()):
        where = at(at(path, "tools"), index)
        yield as_object(tool, where), namespace, where


def _name(holder: JsonObject, path: str) -> str:
    name = as_text(holder.get("name"), at(path, "name"))
    if not name:
        raise refuse(at(path, "name"), "expected a name")
    return name


def _read_tool(name: str, raw: JsonObject, origin: Origin, path: str) -> Tool:
    description = optional_text(raw, "description", path) or ""
    if origin.is_freeform:
        return Tool(name, freeform_description(description, raw.get("format")), freeform_schema(), raw=raw)
    return Tool(name, description, optional_object(raw, "parameters", path) or {}, raw=raw)


def read_tool_choice(body: JsonObject) -> ToolChoice | None:
    """The choice, with `parallel_tool_calls` in it; None where nothing was said about either.

    allowed_tools keeps its mode; the list itself is applied by `only_allowed`.
    """
    is_parallel = optional_bool(body, "parallel_tool_calls") is not False
    said = body.get("tool_choice")
    if said is None:
        return None if is_parallel else ToolChoice(parallel=False)
    if isinstance(said, str):
        return ToolChoice(_mode(said, "tool_choice"), parallel=is_parallel)
    choice = as_object(said, "tool_choice")
    kind = as_text(choice.get("type"), "tool_choice.type")
    if kind == "allowed_tools":
        mode = as_text(choice.get("mode", "auto"), "tool_choice.mode")
        return ToolChoice(_mode(mode, "tool_choice.mode"), parallel=is_parallel)
    if kind not in _CALLABLE:
        raise refuse("tool_choice.type", f"the tool {kind[:64]!r} is not available here")
    return ToolChoice("tool", _chosen(choice, "tool_choice"), is_parallel)


def _mode(said: str, path: str) -> Literal["auto", "any", "none"]:
    mode = _MODES.get(said)
    if mode is None:
        raise refuse(path, "expected none, auto, required or a tool")
    return mode


def _chosen(choice: JsonObject, path: str) -> str:
    return joint_name(_name(choice, path), optional_text(choice, "namespace", path) or "")


def only_allowed(tools: tuple[Tool, ...], body: JsonObject) -> tuple[Tool, ...]:
    """The tools that `tool_choice` of type allowed_tools leaves; all of them where it says nothing."""
    choice = body.get("tool_choice")
    if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
        return tools
    path = "tool_choice.tools"
    entries = [
        as_object(entry, at(path, i)) for i, entry in enumerate(optional_list(choice, "tools", "tool_choice") or ())
    ]
    names = {_chosen(entry, path) for entry in entries if entry.get("type") in _CALLABLE}
    return tuple(tool for tool in tools if tool.name in names)
