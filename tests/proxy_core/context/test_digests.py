"""Digests are of what was said, and a conversation that goes on keeps the ones it had."""

from __future__ import annotations

import pytest

from proxy_core.chat import Document, Image, Message, Part, Text, Thinking, ToolCall, ToolResult, Unknown
from proxy_core.context.digests import chain, message_digest, part_digest
from proxy_core.dialects.table import DIALECTS

PARTS: tuple[Part, ...] = (
    Text("a"),
    Text("b"),
    Text("\ud800"),
    Thinking("a"),
    Thinking("", "a"),
    Thinking("", redacted="a"),
    Unknown("a"),
    Unknown("", "a"),
    Image("a"),
    Image(data="a"),
    Image(url="a"),
    Document("a"),
    Document(text="a"),
    ToolCall("a", "b", "c"),
    ToolCall("ab", "", "c"),
    ToolResult("a"),
    ToolResult("a", is_error=True),
    ToolResult("a", (Text("a"),)),
    ToolResult("a", (Text("a"), Text("a"))),
    ToolResult("a", (Text("aa"),)),
)


def test_parts_that_say_something_else_have_other_digests():
    assert len({part_digest(part) for part in PARTS}) == len(PARTS)


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
def test_cache_marks_and_forms_of_text_change_nothing(dialect):
    marked = [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]
    bodies = [{"model": "m", "messages": [{"role": "user", "content": content}]} for content in ("Hi", marked)]
    plain, other = (DIALECTS[dialect].read_request(body).messages[0] for body in bodies)
    assert message_digest(plain) == message_digest(other)


def test_the_role_counts():
    assert message_digest(Message("user", (Text("a"),))) != message_digest(Message("assistant", (Text("a"),)))


def test_a_chain_goes_on_and_depends_on_all_before():
    talk = [Message("user", (Text(word),)) for word in ("a", "b", "c")]
    whole = chain(talk)
    assert chain(talk[:2]) == whole[:2]
    assert chain(talk[1:])[-1] != whole[-1]
    assert len(set(chain([talk[0], talk[0]]))) == 2
