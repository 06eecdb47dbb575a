"""Turns: whatever order messages come in, what goes out across dialects is legal."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import Image, Message, Text, Thinking, ToolCall, ToolResult, Unknown
from proxy_core.dialects.turns import SettledTurns, settle_turns

IDS = st.sampled_from(["a", "b", "a_2", ""])
TEXTS = st.sampled_from(["", " \n", "hello", "more"]).map(Text)
RESULT_PARTS = TEXTS | st.just(Image(url="http://x/y.png"))
PARTS = (
    TEXTS
    | RESULT_PARTS
    | st.builds(Thinking, st.sampled_from(["", "hm"]))
    | st.builds(ToolCall, IDS, st.just("look"), st.just("{}"))
    | st.builds(ToolResult, IDS, st.lists(RESULT_PARTS, max_size=2).map(tuple))
    | st.builds(Unknown, st.just("odd"), st.sampled_from(["", "text"]))
)
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.lists(PARTS, max_size=4).map(tuple)),
    max_size=8,
)


def user(*parts):
    return Message("user", tuple(Text(part) if isinstance(part, str) else part for part in parts))


def assistant(*parts):
    return Message("assistant", tuple(Text(part) if isinstance(part, str) else part for part in parts))


def system(text):
    return Message("system", (Text(text),))


def call(call_id):
    return ToolCall(call_id, "look", "{}")


def result(call_id, text="seen"):
    return ToolResult(call_id, (Text(text),))


def missing(call_id):
    return ToolResult(call_id, (Text("(no result)"),), is_error=True)


def reminder(text):
    return f"<system-reminder>\n{text}\n</system-reminder>"


@pytest.mark.parametrize(
    ("messages", "settled"),
    [
        pytest.param([], [user(".")], id="nothing"),
        pytest.param([system("s")], [user(".")], id="system only"),
        pytest.param([assistant("a")], [user("."), assistant("a")], id="assistant first"),
        pytest.param([user("a"), user("b")], [user("a", "b")], id="neighbours merge"),
        pytest.param([user("a"), user(""), assistant(" "), user("b")], [user("a", "b")], id="empty ones go"),
        pytest.param([user("a"), system("s")], [user("a", reminder("s"))], id="late system stays in its place"),
        pytest.param(
            [user("a"), assistant("b"), system("s"), assistant("c")],
            [user("a"), assistant("b"), user(reminder("s")), assistant("c")],
            id="late system between assistants",
        ),
        pytest.param(
            [user("a"), assistant(call("x")), system("s"), user(result("x"), "b")],
            [user("a"), assistant(call("x")), user(result("x"), reminder("s"), "b")],
            id="system between call and result",
        ),
        pytest.param(
            [user("a"), assistant(call("x"), call("y")), user("b", result("y")), user(result("x"))],
            [user("a"), assistant(call("x"), call("y")), user(result("x"), result("y"), "b")],
            id="results first, in call order",
        ),
        pytest.param(
            [user("a"), assistant(call("x"), call("y")), user(result("y"))],
            [user("a"), assistant(call("x"), call("y")), user(missing("x"), result("y"))],
            id="missing result",
        ),
        pytest.param(
            [user("a"), assistant(call("x"))],
            [user("a"), assistant(call("x")), user(missing("x"))],
            id="nothing after a call",
        ),
        pytest.param(
            [user("a"), assistant(call("x")), user(result("x", "1"), result("x", "2"))],
            [user("a"), assistant(call("x")), user(result("x", "2"))],
            id="last of two results",
        ),
        pytest.param(
            [user("a"), assistant(call("x"), call("x")), user(result("x", "1"), result("x", "2"))],
            [user("a"), assistant(call("x"), call("x_2")), user(result("x", "1"), result("x_2", "2"))],
            id="two calls with one id",
        ),
        pytest.param(
            [user("a"), assistant(call("x")), user(result("x")), assistant(call("x")), user(result("x", "2"))],
            [user("a"), assistant(call("x")), user(result("x")), assistant(call("x_2")), user(result("x_2", "2"))],
            id="id used again in a later turn",
        ),
        pytest.param([user("a", result("z"))], [user("a", "[Result of tool call z]\nseen")], id="result of no call"),
        pytest.param(
            [user("a"), assistant(call("x")), system("s"), assistant(call("y")), user(result("x"), result("y"))],
            [user("a"), assistant(call("x"), call("y")), user(result("x"), result("y"), reminder("s"))],
            id="system between two calls",
        ),
        pytest.param(
            [user("a", Unknown("odd", "t")), Message("system", (Text("s"), Unknown("odd")))],
            [user("a", Unknown("odd", "t"), reminder("s"), Unknown("odd"))],
            id="unknown parts stay",
        ),
        pytest.param(
            [
                user("a", Thinking("no")),
                assistant(Thinking(" \n"), Thinking("", "sig"), Thinking("", redacted="r")),
            ],
            [user("a"), assistant(Thinking("", "sig"), Thinking("", redacted="r"))],
            id="thinking that says nothing",
        ),
        pytest.param(
            [user(ToolResult("z", (Text(" "), Image(url="u"))))],
            [user("[Result of tool call z]", Image(url="u"))],
            id="picture of no call",
        ),
        pytest.param([user(call("x"))], [user("[Tool call x: look {}]")], id="call by the user"),
    ],
)
def test_settled(messages, settled):
    assert settle_turns(messages).messages == tuple(settled)


def test_leading_system_messages_follow_the_system_prompt():
    messages = [system("b"), Message("system", (Unknown("odd", "c"),)), user("hi")]
    assert settle_turns(messages, leading=(Text("a"), Text(" "))).system == (Text("a"), Text("b"), Text("c"))


@given(MESSAGES)
def test_any_messages_settle_to_legal_turns(messages):
    before = copy.deepcopy(messages)
    turns = settle_turns(messages).messages
    assert [turn.role for turn in turns] == ["user", "assistant"] * (len(turns) // 2) + ["user"] * (len(turns) % 2)
    assert turns
    assert all(turn.parts and turn.raw is None for turn in turns)
    assert all(part.text.strip() for turn in turns for part in opened(turn) if isinstance(part, Text))
    assert messages == before


def opened(turn):
    for part in turn.parts:
        yield part
        yield from part.parts if isinstance(part, ToolResult) else ()


@given(MESSAGES)
def test_every_call_is_answered_at_once_and_no_id_comes_twice(messages):
    turns = settle_turns(messages).messages
    seen = []
    for turn, following in zip(turns, [*turns[1:], None], strict=True):
        calls = [part.id for part in turn.parts if isinstance(part, ToolCall)]
        parts = following.parts if following else ()
        assert [part.call_id if isinstance(part, ToolResult) else None for part in parts[: len(calls)]] == calls
        assert turn.role == "user" or not any(isinstance(part, ToolResult) for part in parts[len(calls) :])
        seen += calls
    assert len(seen) == len(set(seen))


@given(MESSAGES)
def test_settling_twice_changes_nothing(messages):
    once = settle_turns(messages)
    assert settle_turns(once.messages, leading=once.system) == SettledTurns(once.system, once.messages)


@given(MESSAGES, MESSAGES)
def test_what_was_settled_stays_when_more_is_said(messages, more):
    before = settle_turns([user("hi"), *messages, user("question")]).messages
    after = settle_turns([user("hi"), *messages, user("question"), assistant("answer"), *more]).messages
    assert after[: len(before)] == before
