"""Requests: read, and written to an upstream of the same dialect."""

from __future__ import annotations

import copy
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import JsonFormat, Message, Sampling, Text, ThinkingRequest, ToolChoice
from proxy_core.dialects.anthropic.requests import read_request, write_request
from proxy_core.dialects.base import Target
from proxy_core.errors import BadRequestError
from proxy_core.facts import ModelFacts, UpstreamQuirks
from tests.proxy_core.dialects.anthropic.corpus import RICH_BODY

MODEL = ModelFacts("glm-4.6")
TAKES_SCHEMAS = UpstreamQuirks(json_schema=True)
ALWAYS_THINKS = ModelFacts("glm-5.3", thinking="always", efforts=("low", "high", "max"))
HELLO = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


def body(**fields):
    return {**HELLO, **fields}


def test_the_same_model_gets_the_same_body():
    before = copy.deepcopy(RICH_BODY)
    written = write_request(read_request(RICH_BODY), Target("glm-4.6", MODEL, TAKES_SCHEMAS))
    assert orjson.dumps(written.body) == orjson.dumps(before)
    assert written.dropped == ()
    assert before == RICH_BODY


def test_another_model_gets_the_same_body_but_for_its_name():
    written = write_request(read_request(RICH_BODY), Target("glm-4.7", MODEL, TAKES_SCHEMAS)).body
    assert written == {**RICH_BODY, "model": "glm-4.7"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", "glm-4.6"),
        ("system", (Text("x-anthropic-billing-header: cc_version=2"), Text("Be brief."))),
        ("tool_choice", ToolChoice("tool", "read", parallel=False)),
        ("sampling", Sampling(1000, 0.3, 0.9, ("END", " "))),
        ("thinking", ThinkingRequest(True, "high", 2048)),
        ("json_format", JsonFormat({"type": "object"})),
        ("stream", True),
        ("user_id", "user_1"),
        ("dropped", ("top_k", "context_management", "betas", "field_of_2031")),
    ],
)
def test_fields(field, value):
    assert getattr(read_request(RICH_BODY), field) == value


def test_a_stream_is_only_what_asks_for_it():
    assert [read_request(body(stream=asked)).stream for asked in (True, False, None)] == [True, False, False]


def test_tools():
    tools = [(tool.name, tool.kind, tool.description, tool.schema) for tool in read_request(RICH_BODY).tools]
    assert tools == [
        ("read", "function", "Read.", {"type": "object"}),
        ("list", "function", "", {"type": "object", "properties": {}}),
        ("bash", "bash_20250124", "", {}),
        ("browser_toolset_20260801", "browser_toolset_20260801", "", {}),
    ]


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, None),
        ({"thinking": {"type": "disabled"}}, ThinkingRequest(False)),
        ({"thinking": {"type": "adaptive"}}, ThinkingRequest(None)),
        ({"thinking": {"type": "between_tools"}}, ThinkingRequest(None)),
        ({"output_config": {"effort": "low"}}, ThinkingRequest(effort="low")),
    ],
)
def test_thinking(fields, asked):
    assert read_request(body(**fields)).thinking == asked


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": None}, "model"),
        ({"model": " "}, "model"),
        ({"model": 5}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": ["hi"]}, "messages.0"),
        ({"messages": [{"content": "hi"}]}, "messages.0.role"),
        ({"messages": [{"role": "tool", "content": "hi"}]}, "messages.0.role"),
        ({"messages": [{"role": ["user"], "content": "hi"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        (
            {"messages": [*HELLO["messages"], {"role": "user", "content": [{"type": "text"}]}]},
            "messages.1.content.0.text",
        ),
        ({"system": 7}, "system"),
        ({"system": [{"type": "text"}]}, "system.0.text"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": []}, "top_p"),
        ({"stop_sequences": "END"}, "stop_sequences"),
        ({"stop_sequences": ["a", 1]}, "stop_sequences.1"),
        ({"stream": "yes"}, "stream"),
        ({"tools": {}}, "tools"),
        ({"tools": [1]}, "tools.0"),
        ({"tools": [{}]}, "tools.0.name"),
        ({"tools": [{"name": "n", "input_schema": []}]}, "tools.0.input_schema"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": "on"}, "thinking"),
        ({"thinking": {}}, "thinking.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": "x"}}, "thinking.budget_tokens"),
        ({"output_config": {"effort": 3}}, "output_config.effort"),
        ({"metadata": {"user_id": 3}}, "metadata.user_id"),
    ],
)
def test_malformed_bodies_are_refused_by_name(changes, param):
    with pytest.raises(BadRequestError, match=rf"^{param}: ") as caught:
        read_request(body(**changes))
    assert (caught.value.param, caught.value.status) == (param, 400)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "role", "content", "text", "source", "id", "name", "input", "tool_use_id", "data", "thinking"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
TYPES = st.sampled_from(
    ["text", "image", "document", "tool_use", "tool_result", "thinking", "base64", "url", "content"]
)
ODD_BLOCKS = st.builds(
    lambda kind, rest: {**rest, "type": kind},
    TYPES,
    st.dictionaries(
        st.sampled_from(
            ["text", "source", "id", "name", "input", "tool_use_id", "content", "thinking", "is_error", "title"]
        ),
        VALUES,
        max_size=5,
    ),
)
ODD_BODIES = st.dictionaries(st.sampled_from([*RICH_BODY, "output_format"]), VALUES | TYPES, max_size=6) | st.builds(
    lambda blocks, rest: {**rest, "model": "m", "messages": [{"role": "user", "content": blocks}]},
    st.lists(ODD_BLOCKS | VALUES, max_size=3),
    st.dictionaries(
        st.sampled_from(["system", "tools", "tool_choice", "thinking", "metadata", "new"]), VALUES, max_size=3
    ),
)


@given(ODD_BODIES)
def test_any_json_is_read_or_refused(odd):
    before = copy.deepcopy(odd)
    try:
        written = write_request(read_request(odd), Target("m", MODEL)).body
    except BadRequestError as error:
        assert error.param
    else:
        assert {**written, "max_tokens": None} == {**odd, "model": "m", "max_tokens": None}
    assert odd == before


def test_arguments_nested_without_end_are_read():
    deep = {}
    for _ in range(1000):
        deep = {"a": deep}
    call = {"type": "tool_use", "id": "i", "name": "n", "input": deep}
    assert read_request(body(messages=[{"role": "assistant", "content": [call]}])).messages[0].raw["content"] == [call]


@pytest.mark.parametrize(
    ("asked", "cap", "sent"), [(9, 100, 9), (500, 100, 100), (None, 131_072, 32_000), (None, 100, 100), (0, 100, 0)]
)
def test_max_tokens(asked, cap, sent):
    facts = replace(MODEL, max_output_tokens=cap)
    assert write_request(read_request(body(max_tokens=asked)), Target("m", facts)).body["max_tokens"] == sent


@pytest.mark.parametrize("budget", [63_999, 32_768])
def test_a_thinking_budget_stays_below_a_max_tokens_that_was_cut(budget):
    asked = body(max_tokens=64_000, thinking={"type": "enabled", "budget_tokens": budget, "display": "omitted"})
    written = write_request(read_request(asked), Target("m", replace(MODEL, max_output_tokens=32_768))).body
    assert written["thinking"] == {"type": "enabled", "budget_tokens": 32_767, "display": "omitted"}


@pytest.mark.parametrize(
    ("fields", "changed", "dropped"),
    [
        ({}, {}, ()),
        ({"thinking": {"type": "adaptive"}}, {}, ()),
        (
            {"thinking": {"type": "disabled"}},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            ("thinking.disabled",),
        ),
        (
            {"thinking": {"type": "disabled"}, "output_config": {"effort": "max", "x": 1}},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low", "x": 1}},
            ("thinking.disabled",),
        ),
    ],
)
def test_a_model_that_always_thinks_is_not_told_not_to(fields, changed, dropped):
    written = write_request(read_request(body(**fields)), Target("m", ALWAYS_THINKS))
    assert written.body == {**body(**fields), **changed}
    assert written.dropped == dropped


def test_the_least_effort_is_the_models_own():
    asked = read_request(body(thinking={"type": "disabled"}))
    facts = replace(ALWAYS_THINKS, efforts=("high", "max"))
    assert write_request(asked, Target("m", facts)).body["output_config"] == {"effort": "high"}


def test_a_default_about_thinking_adds_nothing_to_a_body_of_this_dialect():
    assert write_request(read_request(HELLO), Target("m", MODEL, default_thinking=True)).body == HELLO


def test_only_an_edited_message_is_rendered_anew():
    conversation = read_request(RICH_BODY)
    edited = conversation.messages[2]
    parts = (edited.parts[0], Text("[picture]"), *edited.parts[2:])
    messages = (*conversation.messages[:2], Message("user", parts), *conversation.messages[3:])
    written = write_request(replace(conversation, messages=messages), Target("glm-4.6", MODEL, TAKES_SCHEMAS)).body
    expected = copy.deepcopy(RICH_BODY)
    expected["messages"][2]["content"][1] = {"type": "text", "text": "[picture]"}
    assert written == expected


def test_an_edited_system_prompt_is_rendered_anew():
    conversation = read_request(RICH_BODY)
    edited = replace(conversation, system=conversation.system[:1])
    assert write_request(edited, Target("m", MODEL, TAKES_SCHEMAS)).body["system"] == RICH_BODY["system"][:1]


FORMAT = {"type": "json_schema", "schema": {"type": "object"}}


@pytest.mark.parametrize("asked", [{"output_config": {"format": FORMAT, "effort": "low"}}, {"output_format": FORMAT}])
@pytest.mark.parametrize("system", [None, "Be kind.", [{"type": "text", "text": "Be kind.", "cache_control": {}}]])
def test_json_by_a_schema_is_asked_for_in_words(asked, system):
    request = read_request({**HELLO, **asked, **({"system": system} if system else {})})
    written = write_request(request, Target("m", MODEL))
    assert "output_format" not in written.body
    assert "format" not in written.body.get("output_config", {})
    *own, words = written.body["system"]
    assert own == ([{"type": "text", "text": "Be kind."}] if isinstance(system, str) else system or [])
    assert words["text"].endswith('{"type":"object"}')
    assert (written.emulated, written.restraints.strips_fences) == (("output_config.format",), True)
    assert request.raw.get("output_config") == asked.get("output_config")


def test_json_by_a_schema_goes_as_it_came_to_an_upstream_that_knows_it():
    asked = read_request({**HELLO, "output_config": {"format": FORMAT}})
    written = write_request(asked, Target("m", MODEL, TAKES_SCHEMAS))
    assert (written.body["output_config"], written.emulated) == ({"format": FORMAT}, ())
