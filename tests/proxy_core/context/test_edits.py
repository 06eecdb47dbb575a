"""Edits of parts and messages: what was not meant to change survives, on both sides that upstreams speak."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest

from proxy_core.chat import Message, Text, ToolResult, with_messages
from proxy_core.context.edits import NOTHING_LEFT, map_parts, with_parts, with_result_parts, with_text
from proxy_core.dialects.base import Target
from proxy_core.dialects.table import DIALECTS
from proxy_core.routing.catalogue import model_facts

TARGET = Target("glm-4.6", model_facts("glm-4.6"))
GO = Message("user", (Text("go"),), raw={"role": "user", "content": "go"})
CACHE = {"type": "ephemeral"}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def text(words: str, **more: object) -> dict[str, object]:
    return {"type": "text", "text": words, **more}


def read(dialect: str, *messages: dict[str, object]):
    return DIALECTS[dialect].read_request({"model": "glm-4.6", "max_tokens": 9, "messages": list(messages)})


def written(conversation):
    """Behind a word of the user's, without which no upstream takes a request."""
    asked = with_messages(conversation, (GO, *conversation.messages))
    return DIALECTS[conversation.dialect].write_request(asked, TARGET).body["messages"][1:]


def shout(_: int, part):
    return with_text(part, part.text.upper()) if isinstance(part, Text) and "old" in part.text else part


def remove(_: int, part):
    return None if isinstance(part, Text) and "old" in part.text else part


USE = {"type": "tool_use", "id": "c1", "name": "look", "input": {}}


def result(content: object, **more: object) -> dict[str, object]:
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": content, **more}]}


def tool(content: object) -> dict[str, object]:
    return {"role": "tool", "tool_call_id": "c1", "content": content, "x": 1}


def spoken(content: object) -> dict[str, object]:
    return {"role": "assistant", "reasoning_content": "hm", "content": content, "tool_calls": [CALL], "x": 1}


CHANGED = [
    ("anthropic", {"role": "user", "content": "old", "x": 1}, {"role": "user", "content": "OLD", "x": 1}),
    ("openai", {"role": "user", "content": "old", "name": "Ann"}, {"role": "user", "content": "OLD", "name": "Ann"}),
    (
        "anthropic",
        {"role": "user", "content": [text("old", cache_control=CACHE), text("b")]},
        {"role": "user", "content": [text("OLD", cache_control=CACHE), text("b")]},
    ),
    ("anthropic", result("old", cache_control=CACHE), result("OLD", cache_control=CACHE)),
    ("anthropic", result([text("old"), text("b")], is_error=True), result([text("OLD"), text("b")], is_error=True)),
    ("openai", tool("old"), tool("OLD")),
    ("openai", spoken("old"), spoken("OLD")),
    ("openai", spoken([text("old")]), spoken("OLD")),
]

REMOVED = [
    ("anthropic", {"role": "user", "content": "old"}, {"role": "user", "content": "."}),
    ("anthropic", {"role": "user", "content": [text("old")]}, {"role": "user", "content": [text(".")]}),
    ("anthropic", {"role": "user", "content": [text("old"), text("b")]}, {"role": "user", "content": [text("b")]}),
    ("anthropic", result([text("old")]), result([text(".")])),
    ("openai", tool("old"), tool(".")),
    ("openai", {"role": "user", "content": [text("old")]}, {"role": "user", "content": [text(".")]}),
    ("openai", spoken([text("old")]), spoken("")),
]


@pytest.mark.parametrize(
    ("change", "dialect", "message", "expected"),
    [*[(shout, *row) for row in CHANGED], *[(remove, *row) for row in REMOVED]],
)
def test_only_what_was_edited_changes_on_the_wire(change, dialect, message, expected):
    before = deepcopy(message)
    conversation = read(dialect, message)
    assert written(map_parts(conversation, change)) == [expected]
    assert message == before
    assert written(conversation) == written(read(dialect, before))


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
def test_without_a_change_it_is_the_very_same_object(dialect):
    conversation = read(dialect, {"role": "user", "content": [text("new")]}, {"role": "user", "content": "b"})
    assert map_parts(conversation, shout) is conversation
    assert with_text(conversation.messages[0].parts[0], "new") is conversation.messages[0].parts[0]


def test_messages_without_a_change_stay_the_same_objects():
    conversation = read("openai", {"role": "user", "content": "a"}, {"role": "user", "content": "old"})
    edited = map_parts(conversation, shout)
    assert edited.messages[0] is conversation.messages[0]
    assert edited.messages[1] == Message("user", (Text("OLD"),))


def test_the_index_is_that_of_the_message_also_inside_results():
    seen = []
    conversation = read("anthropic", {"role": "user", "content": "a"}, result([text("b")]))
    map_parts(conversation, lambda index, part: seen.append((index, part.text)) or part)
    assert seen == [(0, "a"), (1, "b")]


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
def test_what_cannot_be_said_in_raw_is_rendered_anew(dialect):
    """A call that was changed stands elsewhere in each dialect."""
    sent = {"anthropic": {"role": "assistant", "content": [USE]}, "openai": spoken("a")}
    message = read(dialect, sent[dialect]).messages[0]
    changed = tuple(
        replace(part, name="see", raw=None) if part == message.parts[-1] else part for part in message.parts
    )
    assert with_parts(message, changed).raw is None


def test_a_tool_message_that_becomes_text_is_no_block():
    message = read("openai", tool("a")).messages[0]
    assert with_parts(message, (Text("b", text("b")),)).raw != text("b")


@pytest.mark.parametrize("raw", [None, {"role": "tool", "tool_call_id": "c1", "content": "a"}])
def test_nothing_is_ever_left_empty(raw):
    assert with_result_parts(ToolResult("c1", (Text("a"),), raw=raw), ()).parts == (NOTHING_LEFT,)
    assert with_parts(Message("user", (Text("a"),), raw), ()).parts == (NOTHING_LEFT,)
