"""Bodies of `/v1/responses`, read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import JsonFormat, Message, Sampling, Text, ThinkingRequest, ToolChoice
from proxy_core.dialects.base import Target
from proxy_core.dialects.responses.requests import read_request
from proxy_core.dialects.table import DIALECTS
from proxy_core.errors import BadRequestError
from proxy_core.facts import ModelFacts
from tests.proxy_core.dialects.responses.builders import LOOK, Wire, body, codex_body, message
from tests.proxy_core.dialects.responses.test_items import CALL, PATCHED, RESULT, SHELL, THOUGHT


def test_what_codex_sends() -> None:
    read = read_request(codex_body())
    assert (read.dialect, read.model, read.stream, read.system) == ("responses", "glm-4.6", True, ())
    assert [message.role for message in read.messages] == ["system", "user", "user"]
    assert [tool.name for tool in read.tools] == ["look", "apply_patch", "agents__stop"]
    assert {tool.kind for tool in read.tools} == {"function"}
    assert (read.tool_choice, read.thinking, read.json_format) == (ToolChoice(), None, None)
    assert read.dropped == ("prompt_cache_key", "client_metadata", "tools.web_search")


@pytest.mark.parametrize(
    ("fields", "attribute", "value"),
    [
        ({}, "messages", (Message("user", (Text("Hi"),)),)),
        ({"instructions": "Be kind."}, "system", (Text("Be kind."),)),
        ({"max_output_tokens": 9, "temperature": 1, "top_p": 0.5}, "sampling", Sampling(9, 1.0, 0.5)),
        ({"reasoning": {"effort": "high", "summary": "auto"}}, "thinking", ThinkingRequest(effort="high")),
        ({"reasoning": {"effort": None}}, "thinking", None),
        ({"text": {"format": {"type": "text"}}}, "json_format", None),
        ({"text": {"format": {"type": "json_object"}}}, "json_format", JsonFormat()),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}}},
            "json_format",
            JsonFormat({"type": "object"}, "n"),
        ),
        ({"user": "u", "safety_identifier": "s"}, "user_id", "s"),
        ({"user": "u"}, "user_id", "u"),
        ({"parallel_tool_calls": False}, "tool_choice", ToolChoice(parallel=False)),
        ({"parallel_tool_calls": True}, "tool_choice", None),
        ({"store": False, "truncation": "disabled", "include": [], "metadata": {"a": "b"}}, "dropped", ()),
        ({"store": True, "truncation": "auto", "service_tier": "flex"}, "dropped",
         ("store", "truncation", "service_tier")),
        ({"text": {"verbosity": "low"}, "include": ["x"]}, "dropped", ("text.verbosity", "include")),
        ({"bad\r\nname": 1, "previous_response_id": None, "background": False}, "dropped", ()),
    ],
)  # fmt: skip
def test_fields(fields: Wire, attribute: str, value: object) -> None:
    assert getattr(read_request(body(**fields)), attribute) == value


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "c"}}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"background": True}, "background"),
        ({"model": " "}, "model"),
        ({"model": None}, "model"),
        ({"instructions": ["x"]}, "instructions"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"temperature": 2.5}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"reasoning": {"effort": 5}}, "reasoning.effort"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
        ({"stream": "yes"}, "stream"),
        ({"tools": [{"type": "function"}]}, "tools.0.name"),
    ],
)
def test_refused_by_name(fields: Wire, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_request(body(**fields))
    assert (caught.value.param, str(caught.value).startswith(f"{param}: ")) == (param, True)


def test_what_cannot_be_said_again_is_refused() -> None:
    deep: object = "x"
    for _ in range(300):
        deep = [deep]
    with pytest.raises(BadRequestError, match="nested too deeply"):
        read_request(body(metadata={"a": deep}))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "look", "data:", "user"]),
    lambda one: (
        st.lists(one, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "text", "tools", "name", "call_id", "output", "id", "format"]),
            one | st.sampled_from(["function", "custom", "namespace", "message", "reasoning", "x_call", "input_image"]),
            max_size=4,
        )
    ),
    max_leaves=8,
)
FIELDS = ["model", "input", "instructions", "tools", "tool_choice", "reasoning", "text", "include", "stream", "store"]


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5), st.booleans())
def test_any_body_is_read_or_refused(fields: Wire, is_whole: bool) -> None:
    fields = body(**fields) if is_whole else fields
    try:
        read = read_request(fields)
    except BadRequestError as error:
        assert error.param is not None or "The body" in str(error)
    else:
        assert read.raw is fields


def spoiled(value: object, path: list[int], odd: object) -> object:
    """A copy of the value in which whatever stands at the end of a way through it is something odd."""
    if not path or not isinstance(value, (list, dict)) or not value:
        return odd
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    copy = value.copy()
    copy[key] = spoiled(value[key], path[1:], odd)
    return copy


ALL_ITEMS = [CALL, PATCHED, RESULT, SHELL, THOUGHT, message("assistant", "Yes.")]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=7), VALUES)
def test_one_odd_thing_in_a_good_body_is_read_or_refused(path: list[int], odd: object) -> None:
    try:
        read = read_request(spoiled(codex_body(*ALL_ITEMS), path, odd))
        for upstream in DIALECTS.values():
            upstream.write_request(read, TARGET)
    except BadRequestError as error:
        assert ": " in str(error)


TARGET = Target("glm-4.6", ModelFacts("glm-4.6"))
ITEMS = st.sampled_from([CALL, PATCHED, RESULT, SHELL, THOUGHT, message("user", "u"), message("assistant", "a")])


@pytest.mark.parametrize("upstream", DIALECTS.values(), ids=DIALECTS)
@given(items=st.lists(ITEMS | st.builds(lambda kind: {"type": kind, "x": 1}, st.sampled_from(["a", "b_call"]))))
def test_any_order_of_items_can_go_upstream(upstream: object, items: list[Wire]) -> None:
    written = upstream.write_request(read_request({**body(tools=[LOOK]), "input": items}), TARGET)
    assert written.body["messages"]
