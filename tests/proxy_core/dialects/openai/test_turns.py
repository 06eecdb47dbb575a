"""Settled turns as chat messages."""

from __future__ import annotations

import pytest

from proxy_core.chat import Document, Image, Message, Part, Text, Thinking, ToolCall, ToolResult, Unknown
from proxy_core.dialects.openai.turns import render_turns
from proxy_core.errors import BadRequestError
from proxy_core.jsontypes import JsonObject
from tests.proxy_core.dialects.openai.builders import NEVER, PNG, SEES, TOGGLE, call, part, picture

PICTURE = Image("image/png", PNG)
LINK = Document(url="https://x/a.pdf")
FOREIGN = {"type": "foreign"}


def user(*parts: Part) -> Message:
    return Message("user", parts)


def assistant(*parts: Part) -> Message:
    return Message("assistant", parts)


def result(*parts: Part, is_error: bool = False) -> ToolResult:
    return ToolResult("call_1", parts, is_error)  # type: ignore[arg-type] # only result parts are given


def tool(content: str) -> JsonObject:
    return {"role": "tool", "tool_call_id": "call_1", "content": content}


def said(role: str, content: object, **more: object) -> JsonObject:
    return {"role": role, "content": content, **more}


@pytest.mark.parametrize(
    ("message", "rendered"),
    [
        (user(Text("a", FOREIGN), Text("b")), [said("user", "a\nb")]),
        (user(), []),
        (user(Document("T", "body"), Text("?")), [said("user", "# T\n\nbody\n?")]),
        (user(Unknown("search_result", "found", FOREIGN)), [said("user", "found")]),
        (user(PICTURE, Text(""), Text("?")), [said("user", [picture(), part("?")])]),
        (user(Image(url="https://x/y.png")), [said("user", [picture("https://x/y.png")])]),
        (user(LINK), [said("user", [{"type": "file_url", "file_url": {"url": "https://x/a.pdf"}}])]),
        (user(result(Text("a"), Text("b"))), [tool("a\nb")]),
        (user(result()), [tool("(no output)")]),
        (user(result(Text("bad"), is_error=True)), [tool("Error: bad")]),
        (user(result(Text("Error: bad"), is_error=True)), [tool("Error: bad")]),
        (user(result(is_error=True)), [tool("Error: (no output)")]),
        (user(result(Document(text="doc"), Unknown("tool_reference", "ref"))), [tool("doc\nref")]),
        (user(result(Text("a")), Text("go on")), [tool("a"), said("user", "go on")]),
        (assistant(Text("a"), Text("b")), [said("assistant", "a\nb")]),
        (assistant(ToolCall("call_1", "look", "", FOREIGN)), [said("assistant", "", tool_calls=[call()])]),
        (
            assistant(ToolCall("call_1", "look", '{"a":1}'), Text("late")),
            [said("assistant", "late", tool_calls=[call(arguments='{"a":1}')])],
        ),
        (
            assistant(Thinking("t"), Text("a"), Thinking("u"), Thinking("", redacted="x")),
            [said("assistant", "a", reasoning_content="t\nu")],
        ),
        (assistant(Thinking("t")), []),
        (assistant(Unknown("server_tool_use", "searched")), [said("assistant", "searched")]),
    ],
)
def test_one_message(message: Message, rendered: list[JsonObject]) -> None:
    assert render_turns([message], SEES)[0] == rendered


def test_pictures_of_tools_follow_all_tool_messages() -> None:
    message = user(result(Text("a"), PICTURE), result(PICTURE), Text("go on"))
    expected = [
        tool("a\n[image 1 attached below]"),
        tool("[image 2 attached below]"),
        said("user", [part("Images returned by tools:"), picture(), picture()]),
        said("user", "go on"),
    ]
    assert render_turns([message], SEES)[0] == expected


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (user(PICTURE), "glm-4.6 cannot read a picture"),
        (user(result(PICTURE)), "glm-4.6 cannot read a picture"),
        (user(LINK), "glm-4.6 cannot read a linked document"),
        (user(result(LINK)), "a document as a link cannot"),
        (user(Document(media_type="application/pdf", data="JVBE")), "a document as application/pdf cannot"),
        (user(Unknown("container_upload")), "'container_upload' cannot"),
        (user(result(Unknown("browser_state"))), "'browser_state' cannot"),
        (assistant(Unknown("compaction")), "'compaction' cannot"),
        (assistant(PICTURE), "a picture in an assistant message cannot"),
    ],
)
def test_what_cannot_go_along_is_refused_by_name(message: Message, why: str) -> None:
    with pytest.raises(BadRequestError, match=why):
        render_turns([message], TOGGLE)


@pytest.mark.parametrize(
    ("parts", "has_reasoning"), [((Thinking("t"), Text("a")), True), ((Text("a"),), False), ((Thinking("t"),), False)]
)
def test_reasoning_is_reported(parts: tuple[Part, ...], has_reasoning: bool) -> None:
    assert render_turns([assistant(*parts)], SEES)[1] is has_reasoning


def test_a_model_that_cannot_think_gets_no_reasoning() -> None:
    assert render_turns([assistant(Thinking("t"), Text("a"))], NEVER) == ([said("assistant", "a")], False)
