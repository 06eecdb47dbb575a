"""Safe tool names, and the way back to the client's own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import Conversation, Message, Text, Tool, ToolCall, ToolChoice
from proxy_core.dialects.tool_names import safe_name, with_safe_names

LONG = "mcp__server__" + "x" * 60


@pytest.mark.parametrize("name", ["look", "a-b_C9", "x" * 64])
def test_a_legal_name_stays(name: str) -> None:
    assert safe_name(name) == name


@given(st.text(max_size=200))
def test_any_name_becomes_legal_and_stays_so(name: str) -> None:
    safe = safe_name(name)
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", safe)
    assert safe_name(safe) == safe


@given(st.sets(st.text(max_size=80), max_size=5))
def test_different_names_stay_different(names: set[str]) -> None:
    assert len({safe_name(name) for name in names}) == len(names)


def test_tools_choice_and_history_agree_and_can_be_traced_back() -> None:
    said = Message("assistant", (Text("So:"), ToolCall("c", "a.b", "{}", raw={"id": "c"})), raw={"role": "assistant"})
    plain = Message("user", (Text("Hi"),), raw={"role": "user"})
    talk = Conversation("d", "m", (plain, said), tools=(Tool(LONG), Tool("ok")), tool_choice=ToolChoice("tool", LONG))
    safe, renamed = with_safe_names(talk)
    assert renamed == {safe_name(LONG): LONG, safe_name("a.b"): "a.b"}
    assert [tool.name for tool in safe.tools] == [safe_name(LONG), "ok"]
    assert safe.tool_choice == ToolChoice("tool", safe_name(LONG))
    assert safe.messages[0] is plain
    assert (safe.messages[1].raw, safe.messages[1].parts[1].raw) == (None, None)
    assert safe.messages[1].parts == (Text("So:"), ToolCall("c", safe_name("a.b"), "{}"))


def test_a_conversation_of_legal_names_is_left_alone() -> None:
    talk = Conversation("d", "m", (), tools=(Tool("ok"),))
    assert with_safe_names(talk) == (talk, {})
