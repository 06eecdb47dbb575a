"""Tools of a Responses request."""

from __future__ import annotations

import pytest

from proxy_core.chat import ToolChoice
from proxy_core.dialects.responses.tools import Origin, joint_name, only_allowed, read_tool_choice, read_tools
from proxy_core.errors import BadRequestError
from tests.proxy_core.dialects.responses.builders import AGENTS, LOOK, PATCH, SEARCH, Wire

DECLARED = [(tool, f"tools.{index}") for index, tool in enumerate([LOOK, PATCH, AGENTS, SEARCH])]


def test_all_kinds() -> None:
    box = read_tools([*DECLARED, ({"type": "local_shell"}, "tools.4"), (SEARCH, "tools.5")])
    look, patch, stop = box.tools
    assert (look.schema, stop.name) == ({"type": "object"}, "agents__stop")
    assert patch.schema["required"] == ["input"]
    for words in ("Edits files.", "(lark)", "start: patch", "`input`"):
        assert words in patch.description
    assert box.origins == {
        "look": Origin("look"),
        "apply_patch": Origin("apply_patch", is_freeform=True),
        "agents__stop": Origin("stop", "agents"),
    }
    assert box.left_out == ("web_search", "local_shell")


def test_of_two_with_one_name_the_later_holds() -> None:
    box = read_tools([(LOOK, "a"), ({**LOOK, "description": "new"}, "b")])
    assert [tool.description for tool in box.tools] == ["new"]


@pytest.mark.parametrize(
    ("name", "namespace", "joint"),
    [
        ("look", "", "look"),
        ("stop", "agents", "agents__stop"),
        ("add", "mcp__calendar__", "mcp__calendar__add"),
        ("web.find", "", "web.find"),
    ],
)
def test_names(name: str, namespace: str, joint: str) -> None:
    assert joint_name(name, namespace) == joint


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        (None, None),
        ("auto", ToolChoice()),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("any")),
        ({"type": "function", "name": "look"}, ToolChoice("tool", "look")),
        ({"type": "custom", "name": "apply_patch"}, ToolChoice("tool", "apply_patch")),
        ({"type": "function", "name": "stop", "namespace": "agents"}, ToolChoice("tool", "agents__stop")),
        ({"type": "allowed_tools", "mode": "required", "tools": []}, ToolChoice("any")),
    ],
)
def test_choices(said: object, choice: ToolChoice | None) -> None:
    assert read_tool_choice({"tool_choice": said}) == choice


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ("sometimes", "tool_choice"),
        (5, "tool_choice"),
        ({"type": "web_search"}, "tool_choice.type"),
        ({"type": "function"}, "tool_choice.name"),
        ({"type": "allowed_tools", "mode": "x"}, "tool_choice.mode"),
    ],
)
def test_impossible_choices(said: object, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_tool_choice({"tool_choice": said})
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("auto", ["look", "apply_patch", "agents__stop"]),
        (
            {"type": "allowed_tools", "tools": [{"type": "custom", "name": "apply_patch"}, {"type": "web_search"}]},
            ["apply_patch"],
        ),
        (
            {"type": "allowed_tools", "tools": [{"type": "function", "name": "stop", "namespace": "agents"}]},
            ["agents__stop"],
        ),
    ],
)
def test_only_allowed_tools_go_along(choice: object, names: list[str]) -> None:
    allowed = only_allowed(read_tools(DECLARED).tools, {"tool_choice": choice})
    assert [tool.name for tool in allowed] == names


@pytest.mark.parametrize(
    ("tool", "param"),
    [
        ({}, "tools.0.type"),
        ({"type": "function", "name": ""}, "tools.0.name"),
        ({"type": "namespace", "name": "n", "tools": [5]}, "tools.0.tools.0"),
        ({**LOOK, "parameters": "x"}, "tools.0.parameters"),
        ({"type": "mcp", "server_label": "s", "server_url": "https://x"}, "tools.0"),
    ],
)
def test_malformed_tools(tool: Wire, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_tools([(tool, "tools.0")])
    assert caught.value.param == param
