"""Chat messages, both ways."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_core.chat import Image, Message, Part, Text, Thinking, ToolCall, ToolResult, Unknown
from proxy_core.dialects.openai.messages import read_messages, write_message, write_messages
from proxy_core.errors import BadRequestError
from proxy_core.jsontypes import JsonObject
from tests.proxy_core.dialects.openai.builders import PNG, call, part, picture

PICTURE = Image("image/png", PNG)
DETAILS = [
    {"type": "reasoning.text", "text": "So, ", "signature": "s", "index": 0},
    {"type": "reasoning.encrypted", "data": "x"},
    {"type": "reasoning.summary", "summary": "then."},
    7,
]
TXT = {"type": "file", "file": {"file_data": "data:text/plain;base64,Ym9keQ==", "filename": "a.txt"}}
CUSTOM = {"id": "c", "type": "custom", "custom": {"name": "patch", "input": "*** x"}}


def assistant(**fields: object) -> JsonObject:
    return {"role": "assistant", **fields}


@pytest.mark.parametrize(
    ("raw", "role", "parts"),
    [
        ({"role": "system", "content": "S"}, "system", (Text("S"),)),
        ({"role": "developer", "content": [part("S")]}, "system", (Text("S"),)),
        ({"role": "user", "content": "U"}, "user", (Text("U"),)),
        ({"role": "user"}, "user", ()),
        (assistant(content="A"), "assistant", (Text("A"),)),
        (assistant(content=None, tool_calls=[call()]), "assistant", (ToolCall("call_1", "look", "{}"),)),
        (assistant(tool_calls=[call(arguments={"a": 1})]), "assistant", (ToolCall("call_1", "look", '{"a":1}'),)),
        (assistant(tool_calls=[call(arguments=None)]), "assistant", (ToolCall("call_1", "look", ""),)),
        (assistant(tool_calls=[CUSTOM]), "assistant", (ToolCall("c", "patch", '{"input":"*** x"}'),)),
        (assistant(tool_calls=None, refusal=None), "assistant", ()),
        (assistant(content="A", reasoning_content="T"), "assistant", (Thinking("T"), Text("A"))),
        (assistant(content="A", reasoning="T"), "assistant", (Thinking("T"), Text("A"))),
        (assistant(refusal="No."), "assistant", (Unknown("refusal", "No."),)),
        (assistant(reasoning_details=DETAILS), "assistant", (Thinking("So, then."),)),
        (assistant(reasoning="", reasoning_details=[]), "assistant", ()),
        ({"role": "tool", "tool_call_id": "c", "content": "R"}, "user", (ToolResult("c", (Text("R"),)),)),
        ({"role": "tool", "tool_call_id": "c", "content": [picture()]}, "user", (ToolResult("c", (PICTURE,)),)),
        ({"role": "tool", "tool_call_id": "c"}, "user", (ToolResult("c"),)),
    ],
)
def test_read_message(raw: JsonObject, role: str, parts: tuple[Part, ...]) -> None:
    (message,) = read_messages([raw])
    assert (message.role, message.parts) == (role, parts)
    assert message.raw is raw


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        ({}, "messages.0.role"),
        ({"role": "wizard", "content": "x"}, "messages.0.role"),
        ({"role": "user", "content": 3}, "messages.0.content"),
        ({"role": "user", "content": [{"type": "text"}]}, "messages.0.content.0.text"),
        ({"role": "tool", "content": "R"}, "messages.0.tool_call_id"),
        ({"role": "function", "content": "R"}, "messages.0.name"),
        (assistant(tool_calls={}), "messages.0.tool_calls"),
        (assistant(tool_calls=[1]), "messages.0.tool_calls.0"),
        (assistant(tool_calls=[{"id": "c"}]), "messages.0.tool_calls.0.function"),
        (assistant(tool_calls=[call(name=None)]), "messages.0.tool_calls.0.function.name"),
        (assistant(tool_calls=[call(arguments=3)]), "messages.0.tool_calls.0.function.arguments"),
        (assistant(tool_calls=[{"type": "custom"}]), "messages.0.tool_calls.0.custom"),
        (assistant(function_call="look"), "messages.0.function_call"),
        (assistant(reasoning_content=3), "messages.0.reasoning_content"),
        (assistant(reasoning_details={}), "messages.0.reasoning_details"),
        (assistant(audio={"id": "a"}), "messages.0.audio"),
    ],
)
def test_malformed_messages_are_refused_by_field(raw: JsonObject, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_messages([raw])
    assert caught.value.param == param


LEGACY = [
    {"role": "user", "content": "Look"},
    assistant(content=None, function_call={"name": "look", "arguments": '{"at":1}'}),
    {"role": "function", "name": "look", "content": "seen"},
]


def test_legacy_functions_pair_up_like_tools() -> None:
    _, asked, answered = read_messages(LEGACY)
    (tool_call,) = asked.parts
    (result,) = answered.parts
    assert isinstance(tool_call, ToolCall) and isinstance(result, ToolResult)
    assert (tool_call.name, tool_call.arguments, result.call_id) == ("look", '{"at":1}', tool_call.id)


def test_legacy_calls_of_one_function_stay_apart() -> None:
    calls = [part.id for message in read_messages(LEGACY * 2) for part in message.parts if isinstance(part, ToolCall)]
    assert len(set(calls)) == 2


def test_legacy_functions_go_out_as_tools() -> None:
    _, asked, answered = [write_message(message)[0] for message in read_messages(LEGACY)]
    (tool_call,) = asked["tool_calls"]
    assert tool_call["function"] == {"name": "look", "arguments": '{"at":1}'}
    assert answered == {"role": "tool", "tool_call_id": tool_call["id"], "content": "seen"}


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        ({"role": "user", "content": "U", "name": "n"}, {"role": "user", "content": "U", "name": "n"}),
        ({"role": "developer", "content": "S", "x": 1}, {"role": "system", "content": "S", "x": 1}),
        ({"role": "developer", "content": [part("a"), part("b")]}, {"role": "system", "content": "a\nb"}),
        ({"role": "system", "content": [part("a"), part("b")]}, {"role": "system", "content": "a\nb"}),
        ({"role": "user", "content": [part("a")]}, {"role": "user", "content": [part("a")]}),
        ({"role": "user", "content": [picture(detail="low")]}, {"role": "user", "content": [picture()]}),
        (assistant(content=None, tool_calls=[CUSTOM]), assistant(content=None, tool_calls=[CUSTOM])),
        (assistant(content=None, function_call=None), assistant(content=None, function_call=None)),
        (assistant(content="A", reasoning="T", x=1), assistant(content="A", x=1, reasoning_content="T")),
        (assistant(content="A", reasoning_details=DETAILS), assistant(content="A", reasoning_content="So, then.")),
        (
            {"role": "user", "content": [TXT, part("b")]},
            {"role": "user", "content": [part("# a.txt\n\nbody"), part("b")]},
        ),
    ],
)
def test_raw_messages_go_out_as_they_came_but_for_what_must_change(raw: JsonObject, sent: JsonObject) -> None:
    before = repr(raw)
    assert write_message(read_messages([raw])[0]) == [sent]
    assert repr(raw) == before


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        (Message("user", (Text("U"),)), [{"role": "user", "content": "U"}]),
        (Message("user", ()), [{"role": "user", "content": ""}]),
        (Message("system", (Text("a"), Text("b"))), [{"role": "system", "content": "a\nb"}]),
        (Message("assistant", (Thinking("T"), Text("A"))), [assistant(reasoning_content="T", content="A")]),
        (Message("assistant", (ToolCall("call_1", "look", ""),)), [assistant(content="", tool_calls=[call()])]),
        (Message("user", (ToolResult("c", (Text("R"),)),)), [{"role": "tool", "tool_call_id": "c", "content": "R"}]),
        (
            Message("user", (ToolResult("c", (Text("R"),)), Text("and"))),
            [{"role": "tool", "tool_call_id": "c", "content": "R"}, {"role": "user", "content": "and"}],
        ),
    ],
)
def test_edited_messages_are_rendered(message: Message, sent: list[JsonObject]) -> None:
    assert write_message(message) == sent


def test_an_edited_message_keeps_its_untouched_parts() -> None:
    raw = {"role": "user", "content": [{**part("a"), "keep": 1}, picture(detail="low")]}
    (message,) = read_messages([raw])
    edited = replace(message, parts=(message.parts[0], Text("described")), raw=None)
    assert write_message(edited) == [{"role": "user", "content": [{**part("a"), "keep": 1}, part("described")]}]


def test_messages_without_id_get_the_same_one_every_time() -> None:
    raw = [assistant(tool_calls=[call(call_id=None), call(call_id=None)])]
    ids = [part.id for part in read_messages(raw)[0].parts if isinstance(part, ToolCall)]
    assert ids == [part.id for part in read_messages(raw)[0].parts if isinstance(part, ToolCall)]
    assert len(set(ids)) == 2


def tool(content: object) -> JsonObject:
    return {"role": "tool", "tool_call_id": "c", "content": content}


def shown(*pictures: JsonObject) -> JsonObject:
    return {"role": "user", "content": [part("Images returned by tools:"), *pictures]}


USER = {"role": "user", "content": [picture()]}
ONE, TWO = "[image 1 attached below]", "[image 2 attached below]"


@pytest.mark.parametrize(
    ("raws", "sent"),
    [
        ([tool("R"), USER], [tool("R"), USER]),
        ([tool([picture(detail="low")])], [tool(ONE), shown(picture())]),
        ([tool([part("R"), picture()]), USER], [tool(f"R\n{ONE}"), shown(picture()), USER]),
        (
            [tool([picture()]), tool([picture("https://x/y.png")]), assistant(content="A"), tool([picture()])],
            [
                tool(ONE),
                tool(TWO),
                shown(picture(), picture("https://x/y.png")),
                assistant(content="A"),
                tool(ONE),
                shown(picture()),
            ],
        ),
    ],
)
def test_pictures_of_tools_follow_as_the_users(raws: list[JsonObject], sent: list[JsonObject]) -> None:
    before = repr(raws)
    assert write_messages(read_messages(raws)) == sent
    assert repr(raws) == before
