"""Requests of another dialect, written for an Anthropic-style upstream."""

from __future__ import annotations

import copy

import pytest

from proxy_core.chat import (
    Conversation,
    Image,
    JsonFormat,
    Message,
    Sampling,
    Text,
    Thinking,
    ThinkingRequest,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Unknown,
)
from proxy_core.dialects.anthropic.requests import write_request
from proxy_core.dialects.base import Target
from proxy_core.errors import BadRequestError
from proxy_core.facts import ModelFacts, UpstreamQuirks

TOGGLE = ModelFacts("glm-4.6")
ALWAYS = ModelFacts("glm-5.3", thinking="always", efforts=("low", "high", "max"))
LOOK = Tool("look", "Look.", {"type": "object", "properties": {"at": {"type": "string"}}})
HELLO = (Message("user", (Text("hi"),)),)


def conversation(*messages, **fields):
    return Conversation("openai", "gpt-4o", messages or HELLO, raw={"n": 1}, **fields)


def write(asked, facts=TOGGLE, quirks=UpstreamQuirks(), default=None):  # noqa: B008  (frozen)
    return write_request(asked, Target("glm-4.6", facts, quirks, default))


def test_the_least_request():
    assert write(conversation()).body == {
        "model": "glm-4.6",
        "max_tokens": 32_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }


def test_a_whole_tool_turn():
    asked = conversation(
        Message("system", (Text("Be brief."),), raw={"role": "system"}),
        Message("user", (Text("look", raw={"type": "text"}), Image("image/png", "aGk="))),
        Message(
            "assistant", (Thinking("hm"), Text(""), ToolCall("c.1", "look", '{"at": "x"}'), ToolCall("c2", "look", ""))
        ),
        Message("user", (ToolResult("c2", (Text("two"),)),)),
        Message("user", (ToolResult("c.1", (Text("one"), Image(url="http://x/y.png"))),)),
        tools=(LOOK,),
        stream=True,
    )
    before = copy.deepcopy(asked)
    body = write(asked).body
    first, second = (block["id"] for block in body["messages"][1]["content"] if block["type"] == "tool_use")
    assert [[block["type"] for block in message["content"]] for message in body["messages"]] == [
        ["text", "image"],
        ["thinking", "tool_use", "tool_use"],
        ["tool_result", "tool_result"],
    ]
    assert [block["tool_use_id"] for block in body["messages"][2]["content"]] == [first, second]
    assert (body["system"], body["stream"]) == ([{"type": "text", "text": "Be brief."}], True)
    assert asked == before


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"sampling": Sampling(temperature=1.7, top_p=0.0)}, {"temperature": 1.0, "top_p": 0.01}),
        ({"sampling": Sampling(stop=("END", "\n", ""))}, {"stop_sequences": ["END"]}),
        ({"sampling": Sampling(stop=("\n",))}, {}),
        ({"sampling": Sampling(max_tokens=0)}, {"max_tokens": 1}),
        ({"sampling": Sampling(max_tokens=10**9)}, {"max_tokens": 131_072}),
        ({"user_id": "u"}, {"metadata": {"user_id": "u"}}),
        ({"tool_choice": ToolChoice("any")}, {}),
        ({"thinking": ThinkingRequest(False)}, {"thinking": {"type": "disabled"}}),
        ({"thinking": ThinkingRequest(True)}, {"thinking": {"type": "enabled", "budget_tokens": 8192}}),
        ({"thinking": ThinkingRequest(True, None, 12)}, {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        (
            {"thinking": ThinkingRequest(True), "sampling": Sampling(max_tokens=2000)},
            {"thinking": {"type": "enabled", "budget_tokens": 1999}, "max_tokens": 2000},
        ),
        ({"thinking": ThinkingRequest(True), "sampling": Sampling(max_tokens=1024)}, {"max_tokens": 1024}),
    ],
)
def test_fields(fields, sent):
    assert write(conversation(**fields)).body == {**write(conversation()).body, **sent}


@pytest.mark.parametrize(
    ("asked", "default", "sent", "dropped"),
    [
        (None, True, {}, ()),
        (
            ThinkingRequest(effort="low"),
            None,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            (),
        ),
        (
            ThinkingRequest(False),
            None,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            ("thinking",),
        ),
    ],
)
def test_a_model_that_always_thinks(asked, default, sent, dropped):
    written = write(conversation(thinking=asked), ALWAYS, default=default)
    assert written.body == {**write(conversation()).body, **sent}
    assert written.dropped == dropped


def test_a_default_about_thinking_is_sent():
    assert write(conversation(), default=False).body["thinking"] == {"type": "disabled"}


def test_nothing_of_the_other_dialects_json_goes_out():
    theirs = {"type": "input_text", "text": "theirs"}
    asked = conversation(
        Message("system", (Text("s", raw=theirs),)), Message("user", (Text("u", raw=theirs),), raw=theirs)
    )
    body = write(asked).body
    assert body["system"] == [{"type": "text", "text": "s"}]
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "u"}]}]


def test_what_the_reader_could_not_keep_is_named():
    assert write(conversation(dropped=("logit_bias",))).dropped == ("logit_bias",)


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (ToolChoice("auto", parallel=False), {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("tool", "look"), {"type": "tool", "name": "look"}),
        (ToolChoice("none", parallel=False), {"type": "none"}),
    ],
)
def test_tool_choice(choice, sent):
    assert write(conversation(tools=(LOOK,), tool_choice=choice)).body["tool_choice"] == sent


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        ({}, {"type": "object", "properties": {}}),
        ({"type": ["object", "null"], "required": ["a"]}, {"type": "object", "properties": {}, "required": ["a"]}),
        (
            {
                "anyOf": [{"properties": {"a": {}}, "required": ["a"]}, {"properties": {"b": {}}}],
                "properties": {"c": {}},
            },
            {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}},
        ),
        ({"oneOf": "odd", "allOf": [3, {"properties": []}]}, {"type": "object", "properties": {}}),
    ],
)
def test_every_schema_is_an_object_at_its_root(schema, sent):
    (tool,) = write(conversation(tools=(Tool("look", schema=schema),))).body["tools"]
    assert tool == {"name": "look", "input_schema": sent}


@pytest.mark.parametrize(
    ("thinking", "is_unsigned_taken", "kinds"),
    [
        (Thinking("hm"), True, ["thinking", "text"]),
        (Thinking("hm"), False, ["text"]),
        (Thinking("hm", "sig"), False, ["thinking", "text"]),
        (Thinking("", redacted="x"), False, ["redacted_thinking", "text"]),
    ],
)
def test_thinking_in_the_history(thinking, is_unsigned_taken, kinds):
    asked = conversation(*HELLO, Message("assistant", (thinking, Text("a"))), *HELLO)
    body = write(asked, quirks=UpstreamQuirks(empty_thinking_signature=is_unsigned_taken)).body
    assert [block["type"] for block in body["messages"][1]["content"]] == kinds


def test_a_message_of_thinking_alone_is_left_out():
    body = write(conversation(*HELLO, Message("assistant", (Thinking("hm"),)), *HELLO)).body
    assert [message["role"] for message in body["messages"]] == ["user"]


@pytest.mark.parametrize(("schema", "words"), [(None, "one JSON object"), ({"type": "object"}, '{"type":"object"}')])
def test_json_is_asked_for_in_words(schema, words):
    body = write(conversation(system=(Text("Be brief."),), json_format=JsonFormat(schema))).body
    assert body["system"][0]["text"] == "Be brief."
    assert words in body["system"][1]["text"]


DEEP: dict[str, object] = {}
for _ in range(400):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (conversation(Message("user", (Text("a"), Unknown("input_audio")))), "messages.0.content: .*'input_audio'"),
        (conversation(*HELLO, Message("user", (ToolResult("x", (Unknown("file"),)),))), "messages.1.content: .*'file'"),
        (conversation(Message("user", (Image("image/tiff", "x"),))), "messages.0.content: .*'image/tiff'"),
        (conversation(Message("user", (Image("image/png"),))), "messages.0.content: .*empty"),
        (conversation(tools=(Tool("t", kind="custom"),)), "tools: .*'custom'"),
        (conversation(json_format=JsonFormat(DEEP)), "response_format: "),
    ],
)
def test_what_cannot_be_carried_is_refused_by_name(asked, named):
    with pytest.raises(BadRequestError, match=named):
        write(asked)


def test_an_unknown_part_that_can_be_told_goes_as_text():
    body = write(conversation(Message("user", (Unknown("odd", "told"),)))).body
    assert body["messages"][0]["content"] == [{"type": "text", "text": "told"}]
