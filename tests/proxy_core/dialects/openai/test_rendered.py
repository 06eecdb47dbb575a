"""A conversation of another dialect as a body for z.ai."""

from __future__ import annotations

import hashlib

import pytest

from proxy_core.chat import (
    Conversation,
    JsonFormat,
    Message,
    Sampling,
    Text,
    Thinking,
    ThinkingRequest,
    Tool,
    ToolChoice,
)
from proxy_core.dialects.base import Target, UpstreamRequest
from proxy_core.dialects.openai.requests import write_request
from proxy_core.dialects.restraint import Restraints
from proxy_core.errors import BadRequestError
from proxy_core.facts import UpstreamQuirks
from proxy_core.jsontypes import JsonObject
from tests.proxy_core.dialects.openai.builders import ALWAYS, NEVER, TOGGLE, target

LOOK, SEE = Tool("look", "D", {"type": "object", "properties": {}}, raw={"name": "look"}), Tool("see")
SERVER_TOOL = Tool("web_search", kind="web_search_20250305")
ASKED = (Message("user", (Text("Hi"),)),)
REASONED = (*ASKED, Message("assistant", (Thinking("T"), Text("A"))), *ASKED)
ABSENT = object()
FREE = UpstreamQuirks(tool_choice_auto_only=False, stop_limit=4, tool_stream=False)


def written(where: Target | None = None, messages: tuple[Message, ...] = ASKED, **fields: object) -> UpstreamRequest:
    conversation = Conversation("anthropic", "claude", messages, **fields)  # type: ignore[arg-type] # test table
    return write_request(conversation, where or target())


def test_the_smallest_body() -> None:
    assert written().body == {"model": "glm-4.6", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"sampling": Sampling(max_tokens=0)}, "max_tokens", 1),
        ({"sampling": Sampling(max_tokens=10**6)}, "max_tokens", 131_072),
        ({"sampling": Sampling(temperature=1.5, top_p=0.0)}, "temperature", 1.0),
        ({"sampling": Sampling(temperature=1.5, top_p=0.0)}, "top_p", 0.01),
        ({"sampling": Sampling(stop=("A", "B"))}, "stop", ["A"]),
        ({"user_id": "me"}, "user_id", hashlib.sha256(b"me").hexdigest()[:32]),
        ({"user_id": "u" * 129}, "user_id", hashlib.sha256(b"u" * 129).hexdigest()[:32]),
        ({"user_id": "u" * 128}, "user_id", "u" * 128),
        ({"json_format": JsonFormat()}, "response_format", {"type": "json_object"}),
        ({"stream": True}, "stream_options", {"include_usage": True}),
        ({"stream": True}, "tool_stream", ABSENT),
        ({"stream": True, "tools": (LOOK,)}, "tool_stream", True),
        ({"tools": (LOOK,)}, "tool_stream", ABSENT),
        ({"tools": (LOOK,)}, "tool_choice", ABSENT),
        ({"tools": (LOOK,), "tool_choice": ToolChoice("auto")}, "tool_choice", "auto"),
        ({"tools": (LOOK,), "tool_choice": ToolChoice("none")}, "tools", ABSENT),
        ({"tools": (LOOK,), "tool_choice": ToolChoice("any")}, "tool_choice", "auto"),
        ({"tools": (SERVER_TOOL,), "tool_choice": ToolChoice("none")}, "tools", ABSENT),
    ],
)
def test_fields(fields: dict[str, object], name: str, value: object) -> None:
    assert written(**fields).body.get(name, ABSENT) == value


def names_of(body: JsonObject) -> list[str]:
    tools = body["tools"]
    assert isinstance(tools, list)
    return [tool["function"]["name"] for tool in tools]


@pytest.mark.parametrize(
    ("choice", "names", "line"),
    [
        (ToolChoice("any"), ["look", "see"], "S\n\nYou must call one of the tools now."),
        (ToolChoice("tool", "see"), ["see"], "S\n\nYou must call the tool see now."),
        (ToolChoice("auto"), ["look", "see"], "S"),
    ],
)
def test_a_demanded_call_is_put_in_words(choice: ToolChoice, names: list[str], line: str) -> None:
    body = written(system=(Text("S"),), tools=(LOOK, SEE), tool_choice=choice).body
    assert names_of(body) == names
    assert body["messages"] == [{"role": "system", "content": line}, {"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (ToolChoice("any"), "required"),
        (ToolChoice("tool", "see"), {"type": "function", "function": {"name": "see"}}),
    ],
)
def test_an_upstream_that_knows_more_choices_is_told_them(choice: ToolChoice, said: object) -> None:
    body = written(target(quirks=FREE), tools=(LOOK, SEE), tool_choice=choice).body
    assert body["tool_choice"] == said
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"tools": (SERVER_TOOL,)}, "web_search_20250305 is not available"),
        ({"tools": (LOOK, Tool("computer", kind="computer_20250124"))}, "computer_20250124 is not available"),
        ({"tools": (LOOK,), "tool_choice": ToolChoice("tool", "gone")}, "there is no tool 'gone'"),
        ({"tool_choice": ToolChoice("any")}, "there is no tool to call"),
    ],
)
def test_what_would_change_the_meaning_is_refused(fields: dict[str, object], why: str) -> None:
    with pytest.raises(BadRequestError, match=why):
        written(**fields)


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({}, ()),
        ({"dropped": ("top_k",)}, ("top_k",)),
        ({"tools": (LOOK, SERVER_TOOL)}, ("web_search_20250305",)),
        ({"thinking": ThinkingRequest(enabled=False)}, ()),
    ],
)
def test_what_only_tunes_is_dropped_and_named(fields: dict[str, object], dropped: tuple[str, ...]) -> None:
    assert written(**fields).dropped == dropped


@pytest.mark.parametrize(
    ("fields", "restraints", "emulated"),
    [
        ({}, Restraints(), ()),
        ({"sampling": Sampling(stop=("A", "B"))}, Restraints(stops=("B",)), ()),
        ({"tools": (LOOK,), "tool_choice": ToolChoice(parallel=False)}, Restraints(is_serial=True), ()),
        ({"tools": (LOOK,), "tool_choice": ToolChoice("any")}, Restraints(), ("tool_choice",)),
        ({"json_format": JsonFormat()}, Restraints(), ()),
        ({"json_format": JsonFormat({})}, Restraints(strips_fences=True), ("response_format",)),
    ],
)
def test_what_zai_will_not_do_is_left_to_us(
    fields: dict[str, object], restraints: Restraints, emulated: tuple[str, ...]
) -> None:
    request = written(**fields)
    assert (request.restraints, request.emulated) == (restraints, emulated)


def test_system_prompts_are_one_message_with_the_schema_at_its_end() -> None:
    schema = {"type": "object"}
    body = written(system=(Text("A"), Text("B")), json_format=JsonFormat(schema)).body
    first = body["messages"][0]  # type: ignore[index] # a list, by the other tests
    assert first["role"] == "system"
    assert first["content"].startswith("A\n\nB\n\nAnswer with one JSON object")
    assert first["content"].endswith('{"type":"object"}')


def test_a_bottomless_schema_is_refused() -> None:
    schema: JsonObject = {}
    for _ in range(300):
        schema = {"properties": schema}
    with pytest.raises(BadRequestError, match="nested too deeply"):
        written(json_format=JsonFormat(schema))


ON, OFF, KEPT = {"type": "enabled"}, {"type": "disabled"}, {"type": "enabled", "clear_thinking": False}


@pytest.mark.parametrize(
    ("where", "messages", "asked", "thinking", "effort"),
    [
        (target(), ASKED, None, ABSENT, ABSENT),
        (target(default=True), ASKED, None, ON, ABSENT),
        (target(), ASKED, ThinkingRequest(enabled=False), OFF, ABSENT),
        (target(), REASONED, None, KEPT, ABSENT),
        (target(), REASONED, ThinkingRequest(enabled=False), OFF, ABSENT),
        (target(ALWAYS), REASONED, ThinkingRequest(enabled=False), KEPT, "low"),
        (target(ALWAYS), ASKED, ThinkingRequest(effort="xhigh"), ABSENT, "max"),
        (target(NEVER), REASONED, ThinkingRequest(enabled=True), ABSENT, ABSENT),
    ],
)
def test_thinking(
    where: Target, messages: tuple[Message, ...], asked: ThinkingRequest | None, thinking: object, effort: object
) -> None:
    body = written(where, messages, thinking=asked).body
    assert (body.get("thinking", ABSENT), body.get("reasoning_effort", ABSENT)) == (thinking, effort)


def test_a_system_only_request_still_asks_something() -> None:
    body = written(target(TOGGLE), (Message("system", (Text("S"),)),)).body
    assert body["messages"] == [{"role": "system", "content": "S"}, {"role": "user", "content": "."}]


GO_ON = {"role": "user", "content": "Continue exactly from where the previous message stopped."}
PREFILLED = (*ASKED, Message("assistant", (Text("{"),)))


@pytest.mark.parametrize(
    ("messages", "takes", "last", "emulated"),
    [
        (PREFILLED, False, GO_ON, ("prefill",)),
        (PREFILLED, True, {"role": "assistant", "content": "{"}, ()),
        (ASKED, False, {"role": "user", "content": "Hi"}, ()),
        ((*ASKED, Message("assistant", (Thinking("T"),))), False, {"role": "user", "content": "Hi"}, ()),
    ],
)
def test_a_prefill_is_asked_to_be_continued(
    messages: tuple[Message, ...], takes: bool, last: JsonObject, emulated: tuple[str, ...]
) -> None:
    request = written(target(quirks=UpstreamQuirks(prefill=takes)), messages)
    sent = request.body["messages"]
    assert isinstance(sent, list)
    assert (sent[-1], request.emulated) == (last, emulated)
