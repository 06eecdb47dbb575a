"""Tools and the choice among them."""

from __future__ import annotations

import pytest

from proxy_core.chat import Tool, ToolChoice
from proxy_core.dialects.openai.tools import only_allowed, read_tool_choice, read_tools, write_tools
from proxy_core.errors import BadRequestError
from proxy_core.jsontypes import JsonObject

SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}}


def function(name: str = "look", **more: object) -> JsonObject:
    return {"type": "function", "function": {"name": name, **more}}


@pytest.mark.parametrize(
    ("body", "tools"),
    [
        ({}, ()),
        ({"tools": None}, ()),
        ({"tools": [function(description="D", parameters=SCHEMA)]}, (Tool("look", "D", SCHEMA),)),
        ({"tools": [{"function": {"name": "look"}}]}, (Tool("look"),)),
        ({"tools": [{"type": "custom", "custom": {"name": "patch"}}]}, (Tool("patch", kind="custom"),)),
        ({"tools": [{"type": "web_search", "web_search": {"enable": True}}]}, (Tool("web_search", kind="web_search"),)),
        ({"functions": [{"name": "old", "parameters": SCHEMA}]}, (Tool("old", schema=SCHEMA),)),
    ],
)
def test_read_tools(body: JsonObject, tools: tuple[Tool, ...]) -> None:
    found = read_tools(body)
    assert found == tools
    assert [tool.raw for tool in found] == (body.get("tools") or [None] * len(tools))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"tools": [1]}, "tools.0"),
        ({"tools": [{"type": 1}]}, "tools.0.type"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
        ({"tools": [function("")]}, "tools.0.function.name"),
        ({"tools": [function(description=1)]}, "tools.0.function.description"),
        ({"tools": [function(parameters="x")]}, "tools.0.function.parameters"),
        ({"functions": [{}]}, "functions.0.name"),
    ],
)
def test_malformed_tools_are_refused_by_field(body: JsonObject, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_tools(body)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("body", "choice"),
    [
        ({}, None),
        ({"parallel_tool_calls": True}, None),
        ({"parallel_tool_calls": False}, ToolChoice(parallel=False)),
        ({"tool_choice": "auto"}, ToolChoice("auto")),
        ({"tool_choice": "none"}, ToolChoice("none")),
        ({"tool_choice": "required", "parallel_tool_calls": False}, ToolChoice("any", parallel=False)),
        ({"tool_choice": {"type": "auto"}}, ToolChoice("auto")),
        ({"tool_choice": {"type": "none"}}, ToolChoice("none")),
        ({"tool_choice": {"type": "required"}}, ToolChoice("any")),
        ({"tool_choice": function()}, ToolChoice("tool", "look")),
        ({"tool_choice": {"type": "custom", "custom": {"name": "patch"}}}, ToolChoice("tool", "patch")),
        ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required"}}}, ToolChoice("any")),
        ({"function_call": "none"}, ToolChoice("none")),
        ({"function_call": {"name": "old"}}, ToolChoice("tool", "old")),
    ],
)
def test_read_tool_choice(body: JsonObject, choice: ToolChoice | None) -> None:
    assert read_tool_choice(body) == choice


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"tool_choice": 1}, "tool_choice"),
        ({"tool_choice": {}}, "tool_choice.type"),
        ({"tool_choice": {"type": "magic"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.function"),
        ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "x"}}}, "tool_choice.allowed_tools.mode"),
        ({"function_call": 1}, "function_call"),
        ({"function_call": {}}, "function_call.name"),
    ],
)
def test_malformed_choices_are_refused_by_field(body: JsonObject, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_tool_choice(body)
    assert caught.value.param == param


def test_allowed_tools_leave_only_those() -> None:
    choice = {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [function("b"), {"type": "web_search"}]},
    }
    tools = (Tool("a"), Tool("b"), Tool("web_search", kind="web_search"))
    assert [tool.name for tool in only_allowed(tools, {"tool_choice": choice})] == ["b", "web_search"]
    assert only_allowed(tools, {"tool_choice": "auto"}) == tools


def test_written_tools_have_all_that_zai_demands() -> None:
    written = write_tools([Tool("look"), Tool("see", "D", SCHEMA)])
    assert written[0]["function"] == {
        "name": "look",
        "description": " ",
        "parameters": {"type": "object", "properties": {}},
    }
    assert written[1] == function("see", description="D", parameters=SCHEMA)
