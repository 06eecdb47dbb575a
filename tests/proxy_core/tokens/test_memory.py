"""What was counted once is not counted again, and nothing of it is kept but figures."""

from __future__ import annotations

import gc
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import Conversation, Message, Text, ToolCall, ToolResult
from proxy_core.tokens.content import ContentClass
from proxy_core.tokens.count import count_conversation, estimate_conversation
from proxy_core.tokens.memory import SHORTEST_KEPT, TextMemory

LONG = "w" * SHORTEST_KEPT


class Counted:
    """One token a character, every call noted."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> int:
        self.texts.append(text)
        return len(text)


def talk(turns: int) -> Conversation:
    return Conversation("openai", "m", tuple(Message("user", (Text(f"{n} {LONG}"),)) for n in range(turns)))


def test_a_conversation_that_grows_by_one_turn_costs_one_turn() -> None:
    encode = Counted()
    memory = TextMemory(encode)
    before = estimate_conversation(talk(50), memory.weigh).total
    encode.texts.clear()
    after = estimate_conversation(talk(51), memory.weigh).total
    assert encode.texts == [f"50 {LONG}"]
    assert after - before == 4 + len(f"50 {LONG}")


@pytest.mark.parametrize(("text", "calls"), [(LONG, 1), (LONG[1:], 2), ("", 0), ("\ud800" * 100, 1)])
def test_how_often_a_text_is_counted(text: str, calls: int) -> None:
    encode = Counted()
    memory = TextMemory(encode)
    assert [memory.count(text), memory.count(text)] == [len(text)] * 2
    assert len(encode.texts) == calls


def test_the_least_recently_asked_for_is_forgotten() -> None:
    encode = Counted()
    memory = TextMemory(encode, most=2)
    for name in "abacab":
        memory.count(name + LONG)
    assert [text[0] for text in encode.texts] == ["a", "b", "c", "b"]


def test_no_text_is_kept() -> None:
    memory = TextMemory(len)
    secret = "".join(["a secret ", LONG, "end"])
    memory.count(secret)
    kept: list[object] = [memory]
    seen: set[int] = set()
    while kept:
        item = kept.pop()
        if id(item) not in seen and not isinstance(item, (type, ModuleType)):
            seen.add(id(item))
            assert item != secret
            kept += gc.get_referents(item)
    assert len(seen) > 5


@given(st.text(min_size=1) | st.text("a`{}();=", min_size=60))
def test_no_token_gets_lost_between_the_classes(text: str) -> None:
    conversation = Conversation("openai", "m", (Message("user", (ToolResult("c", (Text(text),)), Text(text))),))
    memory = TextMemory(len)
    assert estimate_conversation(conversation, memory.weigh).total == count_conversation(conversation, len)


@pytest.mark.parametrize(
    ("part", "by_class"),
    [
        (Text("hello"), {ContentClass.PROSE: 12}),
        (ToolResult("c", (Text("hello"),)), {ContentClass.PROSE: 7, ContentClass.CODE: 5}),
        (ToolResult("c", (Text('{"a": 1}'),)), {ContentClass.PROSE: 7, ContentClass.JSON: 8}),
        (ToolCall("c", "read", '{"a": 1}'), {ContentClass.PROSE: 7, ContentClass.JSON: 18}),
        (Text("ab ```x = 1```"), {ContentClass.PROSE: 16, ContentClass.CODE: 5}),
        (Text("测试"), {ContentClass.PROSE: 7, ContentClass.CJK: 2}),
    ],
)
def test_what_a_text_does_not_show_its_place_decides(part: Text, by_class: dict[ContentClass, int]) -> None:
    found = estimate_conversation(Conversation("openai", "m", (Message("user", (part,)),)), TextMemory(len).weigh)
    assert {content: tokens for content, tokens in found.by_class.items() if tokens} == by_class
