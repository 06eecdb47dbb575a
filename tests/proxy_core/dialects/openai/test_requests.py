"""Bodies of chat completions, read."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import JsonFormat, Sampling, ThinkingRequest
from proxy_core.dialects.openai.requests import read_request, uncarried
from proxy_core.errors import BadRequestError
from tests.proxy_core.dialects.openai.builders import body, conversation

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": " "}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages.0"),
        ({"n": 2}, "n"),
        ({"n": "1"}, "n"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"modalities": "audio"}, "modalities"),
        ({"mcp_servers": [{"url": "https://x"}]}, "mcp_servers"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": True}, "stream_options"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"stop": 3}, "stop"),
        ({"stop": ["a", 3]}, "stop.1"),
        ({"reasoning_effort": 3}, "reasoning_effort"),
        ({"thinking": "on"}, "thinking"),
        ({"enable_thinking": "on"}, "enable_thinking"),
        ({"reasoning": {"effort": 1}}, "reasoning.effort"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"tools": {}}, "tools"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"parallel_tool_calls": "no"}, "parallel_tool_calls"),
        ({"user": 5}, "user"),
    ],
)
def test_malformed_bodies_are_refused_by_field(fields: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_request(body() | fields)
    assert caught.value.param == param
    assert param in caught.value.message


@pytest.mark.parametrize(
    ("fields", "sampling"),
    [
        ({}, Sampling()),
        ({"max_tokens": 9}, Sampling(max_tokens=9)),
        ({"max_tokens": 9, "max_completion_tokens": 8}, Sampling(max_tokens=8)),
        ({"max_tokens": 9, "max_completion_tokens": None}, Sampling(max_tokens=9)),
        ({"temperature": 0, "top_p": 1}, Sampling(temperature=0.0, top_p=1.0)),
        ({"stop": "END"}, Sampling(stop=("END",))),
        ({"stop": ["A", "", "B"]}, Sampling(stop=("A", "B"))),
        ({"stop": None}, Sampling()),
    ],
)
def test_sampling(fields: dict[str, object], sampling: Sampling) -> None:
    assert conversation(**fields).sampling == sampling


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, None),
        ({"reasoning_effort": None}, None),
        ({"reasoning_effort": "high"}, ThinkingRequest(effort="high")),
        ({"thinking": {"type": "enabled"}}, ThinkingRequest(enabled=True)),
        ({"thinking": {"type": "disabled"}}, ThinkingRequest(enabled=False)),
        ({"thinking": {"type": "adaptive"}}, ThinkingRequest()),
        ({"thinking": {"type": "enabled", "budget_tokens": 99}}, ThinkingRequest(enabled=True, budget_tokens=99)),
        ({"enable_thinking": False}, ThinkingRequest(enabled=False)),
        ({"enable_thinking": False, "thinking": {"type": "enabled"}}, ThinkingRequest(enabled=True)),
        ({"reasoning": {"effort": "low"}}, ThinkingRequest(effort="low")),
        ({"reasoning": {"effort": "low"}, "reasoning_effort": "max"}, ThinkingRequest(effort="max")),
    ],
)
def test_thinking(fields: dict[str, object], asked: ThinkingRequest | None) -> None:
    assert conversation(**fields).thinking == asked


@pytest.mark.parametrize(
    ("said", "json_format"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, JsonFormat()),
        ({"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}, JsonFormat(SCHEMA, "a")),
        ({"type": "json_schema", "json_schema": {}}, JsonFormat()),
    ],
)
def test_json_format(said: object, json_format: JsonFormat | None) -> None:
    assert conversation(response_format=said).json_format == json_format


@pytest.mark.parametrize(
    ("fields", "user_id"),
    [
        ({}, ""),
        ({"user": "me"}, "me"),
        ({"safety_identifier": "s"}, "s"),
        ({"metadata": {"user_id": "m"}}, "m"),
        ({"metadata": {"user_id": "m"}, "user": "me"}, "me"),
    ],
)
def test_user_id(fields: dict[str, object], user_id: str) -> None:
    assert conversation(**fields).user_id == user_id


def test_streaming() -> None:
    found = conversation(stream=True, stream_options={"include_usage": True})
    assert (found.stream, found.wants_usage) == (True, True)
    assert (conversation().stream, conversation(stream=None).wants_usage) == (False, False)


def test_one_answer_is_one_answer() -> None:
    assert conversation(n=1).raw == conversation(n=1).raw | {"n": 1}
    assert conversation(n=None, modalities=["text"]).dropped == ()


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"seed": 0, "logit_bias": {"5": 1}, "verbosity": "low"}, ("seed", "logit_bias", "verbosity")),
        ({"logprobs": False, "seed": None, "logit_bias": {}, "store": False}, ()),
        ({"metadata": {"user_id": "me"}}, ()),
        ({"metadata": {"user_id": "me", "run": "1"}}, ("metadata",)),
        ({"some_new_field": 1, "bad\nname": 2}, ("some_new_field",)),
        ({"temperature": 1, "tools": [], "tool_stream": True, "user": "me", "reasoning": {}}, ()),
    ],
)
def test_what_other_dialects_lack_is_named(fields: dict[str, object], names: tuple[str, ...]) -> None:
    assert uncarried(body(**fields)) == names
    assert conversation(**fields).dropped == names


def test_raw_is_kept_everywhere() -> None:
    raw = body({"role": "user", "content": [{"type": "text", "text": "Hi", "extra": 1}], "name": "x"}, foo=1)
    found = read_request(raw)
    assert found.raw is raw
    assert [message.raw for message in found.messages] == raw["messages"]
    assert found.messages[0].parts[0].raw == {"type": "text", "text": "Hi", "extra": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**64) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(
    ["text", "image_url", "file", "refusal", "function", "custom", "allowed_tools", "json_schema", "user", "tool"]
)
WORDS = st.sampled_from(
    [
        "role",
        "content",
        "type",
        "text",
        "image_url",
        "url",
        "file",
        "file_data",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "id",
        "tool_call_id",
        "function_call",
        "refusal",
        "reasoning_content",
        "audio",
        "custom",
        "input",
        "parameters",
        "mode",
        "tools",
        "effort",
        "user_id",
    ]
)
ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"])
SHAPED = st.recursive(
    JSON | KINDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=20
)
MESSAGE = st.fixed_dictionaries({"role": ROLES | JSON}, optional={"content": SHAPED, "tool_calls": SHAPED}).flatmap(
    lambda message: st.dictionaries(WORDS, SHAPED, max_size=4).map(lambda more: more | message)
)
FIELDS = st.sampled_from(
    [
        "tools",
        "tool_choice",
        "functions",
        "function_call",
        "stop",
        "n",
        "modalities",
        "response_format",
        "thinking",
        "reasoning",
        "metadata",
        "max_tokens",
        "temperature",
        "stream",
        "stream_options",
        "parallel_tool_calls",
    ]
)


@given(JSON)
def test_any_json_is_read_or_refused(value: object) -> None:
    with suppress(BadRequestError):
        assert read_request(value).raw is value  # type: ignore[arg-type] # whatever a client sends


@given(st.lists(MESSAGE, max_size=3), st.dictionaries(FIELDS, SHAPED, max_size=3))
def test_any_near_miss_is_read_or_refused(messages: list[dict[str, object]], fields: dict[str, object]) -> None:
    raw = {"model": "glm-4.6", "messages": messages, **fields}
    with suppress(BadRequestError):
        assert len(read_request(raw).messages) == len(messages)
