"""A request of this dialect on its way to z.ai: what changes and, above all, what does not."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from proxy_core.dialects.base import Target
from proxy_core.dialects.openai.requests import read_request, write_request
from proxy_core.dialects.restraint import Restraints
from proxy_core.errors import BadRequestError
from proxy_core.facts import Modality, UpstreamQuirks
from proxy_core.jsontypes import JsonObject
from tests.proxy_core.dialects.openai.builders import (
    ALWAYS,
    GRADED,
    NEVER,
    SEES,
    TOGGLE,
    body,
    call,
    part,
    picture,
    target,
)

TOOL = {
    "type": "function",
    "function": {"name": "look", "description": "D", "parameters": {"type": "object"}, "strict": True},
}
NAMED = {"type": "function", "function": {"name": "look"}}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}
OTHER = {**TOOL, "function": {**TOOL["function"], "name": "other"}}
SCHEMA_FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "title": "A"}}}
ABSENT = object()
RICH = {
    "model": "glm-4.6",
    "messages": [
        {"role": "system", "content": "Be brief.", "cache_control": {"type": "ephemeral"}},
        {"role": "user", "content": [part("Look"), picture(), {"type": "video_url", "video_url": {"url": "u"}}]},
        {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [call()], "odd": [1]},
        {"role": "tool", "tool_call_id": "call_1", "content": "seen"},
        {"role": "user", "content": "And?", "name": "me"},
    ],
    "tools": [TOOL, {"type": "web_search", "web_search": {"enable": True}}],
    "tool_choice": "auto",
    "tool_stream": False,
    "stream": True,
    "stream_options": {"include_usage": True, "include_obfuscation": False},
    "temperature": 0.3,
    "top_p": 0.9,
    "max_tokens": 1000,
    "stop": ["END"],
    "thinking": {"type": "enabled", "clear_thinking": False},
    "response_format": {"type": "json_object"},
    "seed": 4,
    "user": "me",
    "metadata": {"a": "b"},
    "never_heard_of": {"deep": [1, 2, {"x": None}]},
}


def sent(raw: JsonObject, where: Target | None = None) -> JsonObject:
    return write_request(read_request(raw), where or target()).body


def test_a_body_that_needs_no_change_gets_none() -> None:
    before = copy.deepcopy(RICH)
    request = write_request(read_request(RICH), target())
    assert request.body == before
    assert request.dropped == ()
    assert before == RICH


def test_the_model_is_the_targets() -> None:
    assert sent(body(), target(SEES))["model"] == "glm-4.6v"


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"max_completion_tokens": 9}, "max_tokens", 9),
        ({"max_completion_tokens": 9}, "max_completion_tokens", ABSENT),
        ({"max_completion_tokens": 9, "max_tokens": 8}, "max_tokens", 9),
        ({"max_completion_tokens": None, "max_tokens": 8}, "max_tokens", 8),
        ({"max_completion_tokens": 9, "max_tokens": None}, "max_tokens", 9),
        ({"max_tokens": 1_000_000}, "max_tokens", 131_072),
        ({}, "max_tokens", ABSENT),
        ({"temperature": 2}, "temperature", 1.0),
        ({"temperature": 0}, "temperature", 0),
        ({"top_p": 0}, "top_p", 0.01),
        ({"stop": "A"}, "stop", ["A"]),
        ({"stop": ["A", "B"]}, "stop", ["A"]),
        ({"stop": []}, "stop", ABSENT),
        ({"stop": None}, "stop", None),
        ({"stream": True}, "stream_options", {"include_usage": True}),
        ({"stream": True, "stream_options": {"x": 1}}, "stream_options", {"x": 1, "include_usage": True}),
        ({"stream": False}, "stream_options", ABSENT),
        ({"stream": True, "tools": [TOOL]}, "tool_stream", True),
        ({"stream": True}, "tool_stream", ABSENT),
        ({"tools": [TOOL]}, "tool_stream", ABSENT),
        ({"stream": True, "tools": [TOOL], "tool_stream": False}, "tool_stream", False),
        ({"tools": [TOOL]}, "tools", [TOOL]),
        ({"tools": [TOOL], "tool_choice": "required"}, "tool_choice", "auto"),
        ({"tools": [TOOL], "tool_choice": {"type": "required"}}, "tool_choice", "auto"),
        ({"tool_choice": {"type": "auto"}}, "tool_choice", "auto"),
        ({"tools": [TOOL], "tool_choice": NAMED}, "tool_choice", "auto"),
        ({"tools": [OTHER, TOOL], "tool_choice": NAMED}, "tools", [TOOL]),
        ({"tools": [OTHER, TOOL], "tool_choice": ALLOWED}, "tools", [TOOL]),
        ({"tools": [OTHER, TOOL], "tool_choice": ALLOWED}, "tool_choice", "auto"),
        ({"tools": [TOOL], "tool_choice": "none"}, "tools", ABSENT),
        ({"tools": [TOOL], "tool_choice": "none"}, "tool_choice", ABSENT),
        ({"tools": [TOOL], "parallel_tool_calls": False}, "parallel_tool_calls", ABSENT),
        ({"response_format": SCHEMA_FORMAT}, "response_format", {"type": "json_object"}),
        ({"function_call": "auto"}, "function_call", ABSENT),
        ({"functions": [{"name": "a"}]}, "functions", ABSENT),
    ],
)
def test_what_zai_needs(fields: JsonObject, name: str, value: object) -> None:
    assert sent(body(**fields)).get(name, ABSENT) == value


def test_functions_join_the_tools() -> None:
    tools = sent(body(tools=[TOOL], functions=[{"name": "old"}]))["tools"]
    assert isinstance(tools, list)
    assert tools[0] == TOOL
    assert tools[1]["function"] == {
        "name": "old",
        "description": " ",
        "parameters": {"type": "object", "properties": {}},
    }


def test_functions_are_completed() -> None:
    tools = sent(body(tools=[{"type": "function", "function": {"name": "bare", "strict": True}}]))["tools"]
    expected = {"name": "bare", "strict": True, "description": " ", "parameters": {"type": "object", "properties": {}}}
    assert tools == [{"type": "function", "function": expected}]


@pytest.mark.parametrize(
    ("quirks", "fields", "name", "value"),
    [
        (UpstreamQuirks(stop_limit=4), {"stop": ["A", "B"]}, "stop", ["A", "B"]),
        (UpstreamQuirks(max_temperature=2.0), {"temperature": 1.5}, "temperature", 1.5),
        (UpstreamQuirks(json_schema=True), {"response_format": SCHEMA_FORMAT}, "response_format", SCHEMA_FORMAT),
        (UpstreamQuirks(tool_choice_auto_only=False), {"tools": [TOOL], "tool_choice": NAMED}, "tool_choice", NAMED),
        (UpstreamQuirks(tool_choice_auto_only=False), {"tools": [TOOL], "tool_choice": "none"}, "tool_choice", "none"),
        (
            UpstreamQuirks(tool_choice_auto_only=False),
            {"tools": [OTHER, TOOL], "tool_choice": ALLOWED},
            "tool_choice",
            "required",
        ),
        (UpstreamQuirks(tool_stream=False), {"stream": True, "tools": [TOOL]}, "tool_stream", ABSENT),
    ],
)
def test_quirks_are_switches(quirks: UpstreamQuirks, fields: JsonObject, name: str, value: object) -> None:
    assert sent(body(**fields), target(quirks=quirks)).get(name, ABSENT) == value


@pytest.mark.parametrize(
    ("fields", "emulated", "line"),
    [
        ({"seed": 1, "logit_bias": {"1": 2}}, (), ""),
        ({"tools": [TOOL], "tool_choice": "auto"}, (), ""),
        ({"tools": [TOOL], "tool_choice": "required"}, ("tool_choice",), "You must call one of the tools now."),
        ({"tools": [TOOL], "tool_choice": NAMED}, ("tool_choice",), "You must call the tool look now."),
        ({"response_format": {"type": "json_object"}}, (), ""),
        ({"response_format": SCHEMA_FORMAT}, ("response_format",), '{"type":"object","title":"A"}'),
    ],
)
@pytest.mark.parametrize("system", [(), ({"role": "developer", "content": "Be brief."},)], ids=["bare", "system"])
def test_what_zai_does_not_have_is_said_in_words(
    fields: JsonObject, emulated: tuple[str, ...], line: str, system: tuple[JsonObject, ...]
) -> None:
    request = write_request(read_request(body(*system, {"role": "user", "content": "Hi"}, **fields)), target())
    texts = [message["content"] for message in request.body["messages"] if message["role"] == "system"]
    said = "\n\n".join(texts)
    assert (request.dropped, request.emulated) == ((), emulated)
    assert len(texts) == bool(system or line)
    assert said.startswith("Be brief." if system else "")
    assert said.endswith(line)


LONG = "mcp__" + "x" * 80


def test_names_that_zai_refuses_are_made_safe_everywhere() -> None:
    tools = [TOOL, {**TOOL, "function": {**TOOL["function"], "name": LONG}}]
    named = {"type": "function", "function": {"name": LONG}}
    quirks = UpstreamQuirks(tool_choice_auto_only=False)
    chosen = write_request(read_request(body(tools=tools, tool_choice=named)), target(quirks=quirks)).body
    assert chosen["tool_choice"]["function"]["name"] == chosen["tools"][0]["function"]["name"] != LONG
    said = {"role": "assistant", "content": None, "tool_calls": [call(name=LONG), call("call_2")]}
    request = write_request(read_request(body(said, tools=tools, tool_choice="auto")), target())
    (safe,) = request.restraints.renamed_tools
    assert request.restraints.renamed_tools == {safe: LONG}
    assert [tool["function"]["name"] for tool in request.body["tools"]] == ["look", safe]
    calls = request.body["messages"][0]["tool_calls"]
    assert [entry["function"]["name"] for entry in calls] == [safe, "look"]


@pytest.mark.parametrize(
    ("fields", "restraints"),
    [
        ({}, Restraints()),
        ({"stop": "A"}, Restraints()),
        ({"stop": ["A", "B", "C"]}, Restraints(stops=("B", "C"))),
        ({"tools": [TOOL], "parallel_tool_calls": False}, Restraints(is_serial=True)),
        ({"response_format": {"type": "json_object"}}, Restraints()),
        ({"response_format": SCHEMA_FORMAT}, Restraints(strips_fences=True)),
    ],
)
def test_what_zai_will_not_do_is_left_to_us(fields: JsonObject, restraints: Restraints) -> None:
    request = write_request(read_request(body(**fields)), target())
    assert request.restraints == restraints
    assert request.restraints.is_needed is (restraints != Restraints())


ON, OFF = {"type": "enabled"}, {"type": "disabled"}


@pytest.mark.parametrize(
    ("fields", "where", "thinking", "effort"),
    [
        ({}, target(), ABSENT, ABSENT),
        ({}, target(default=True), ON, ABSENT),
        ({}, target(default=False), OFF, ABSENT),
        ({}, target(ALWAYS, True), ABSENT, ABSENT),
        ({"thinking": OFF}, target(default=True), OFF, ABSENT),
        ({"thinking": OFF}, target(ALWAYS), ABSENT, "low"),
        ({"thinking": OFF | {"clear_thinking": False}}, target(ALWAYS), ON | {"clear_thinking": False}, "low"),
        ({"thinking": ON}, target(ALWAYS), ON, ABSENT),
        ({"thinking": {"type": "adaptive"}}, target(ALWAYS), ABSENT, ABSENT),
        ({"thinking": {"clear_thinking": False}}, target(), ON | {"clear_thinking": False}, ABSENT),
        ({"thinking": ON | {"budget_tokens": 9}}, target(ALWAYS), ON, "low"),
        ({"thinking": ON}, target(NEVER), ABSENT, ABSENT),
        ({"reasoning_effort": "medium"}, target(ALWAYS), ABSENT, "high"),
        ({"reasoning_effort": "low"}, target(GRADED), ABSENT, "high"),
        ({"reasoning_effort": "none"}, target(GRADED), OFF, ABSENT),
        ({"reasoning_effort": "high"}, target(TOGGLE), ON, ABSENT),
        ({"reasoning_effort": "minimal"}, target(TOGGLE), OFF, ABSENT),
        ({"reasoning": {"effort": "xhigh"}}, target(ALWAYS), ABSENT, "max"),
        ({"enable_thinking": False}, target(), OFF, ABSENT),
    ],
)
def test_thinking_is_said_the_one_way_zai_knows(
    fields: JsonObject, where: Target, thinking: object, effort: object
) -> None:
    found = sent(body(**fields), where)
    assert (found.get("thinking", ABSENT), found.get("reasoning_effort", ABSENT)) == (thinking, effort)
    assert not found.keys() & {"enable_thinking", "reasoning"}


@pytest.mark.parametrize(
    "fields",
    [
        {"thinking": {"type": "disabled"}, "stream": True, "stop": ["A", "B"], "temperature": 2, "tools": [{**TOOL}]},
        {"functions": [{"name": "old"}], "function_call": "auto", "max_completion_tokens": 10**9},
    ],
)
def test_the_clients_body_is_not_touched(fields: JsonObject) -> None:
    raw = body(
        {"role": "developer", "content": [part("a")]}, {"role": "user", "content": [picture(detail="low")]}, **fields
    )
    before = copy.deepcopy(raw)
    write_request(read_request(raw), target(ALWAYS))
    assert raw == before


@pytest.mark.parametrize("modalities", [("text",), ("text", "image")])
def test_a_file_goes_only_to_models_that_read_files(modalities: tuple[Modality, ...]) -> None:
    raw = body(
        {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE"}}]}
    )
    with pytest.raises(BadRequestError, match="application/pdf"):
        sent(raw, target(replace(TOGGLE, modalities=modalities)))
    assert sent(raw, target(replace(TOGGLE, modalities=(*modalities, "file"))))["messages"] == raw["messages"]


@pytest.mark.parametrize(
    ("roles", "sent_roles"),
    [
        (["system"], ["system", "user"]),
        (["system", "assistant"], ["system", "assistant", "user"]),
        (["user", "assistant"], ["user", "assistant"]),
    ],
)
def test_somebody_asks(roles: list[str], sent_roles: list[str]) -> None:
    messages = sent(body(*({"role": role, "content": "x"} for role in roles)))["messages"]
    assert [message["role"] for message in messages] == sent_roles
