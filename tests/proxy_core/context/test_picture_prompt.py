"""The question about a picture: its words around, within bounds, the same each time."""

from __future__ import annotations

import pytest

from proxy_core.chat import Conversation, Image, Message, Text, Thinking, ThinkingRequest, ToolCall, ToolResult
from proxy_core.context.picture_prompt import HINT_CHARS, ask_about, hint_of, words_around
from proxy_core.context.pictures import standing_pictures

IMAGE = Image("image/png", "aGk=")
TALK = Conversation(
    "d",
    "m",
    (
        Message("user", (Text("Too long ago"),)),
        Message("user", (Text("Fix the login page."),)),
        Message("assistant", (Thinking("secret"), Text("Show me."), ToolCall("c", "shot", "{}"))),
        Message("user", (ToolResult("c", (Text("screen\x00 of it"), IMAGE)),)),
        Message("assistant", (Text("The button is hidden."),)),
        Message("user", (Text("Yes."),)),
        Message("assistant", (Text("Too late"),)),
    ),
)
AROUND = """user: Too long ago
user: Fix the login page.
assistant: Show me.
user (with the picture): screen of it
assistant: The button is hidden.
user: Yes."""


def test_the_words_around_are_told_with_who_said_them():
    assert words_around(TALK, 3) == AROUND


def test_the_question_holds_the_picture_and_asks_for_no_thinking():
    asked = ask_about(TALK, standing_pictures(TALK)[0], words_tokens=200, max_tokens=300)
    lead, image, question = asked.messages[0].parts
    assert (lead, image) == (Text(f"The conversation around the picture:\n{AROUND}"), IMAGE)
    assert question == Text("Describe this picture.")
    assert (asked.thinking, asked.sampling.max_tokens) == (ThinkingRequest(enabled=False), 300)
    assert "at most 133 words" in asked.system[0].text
    assert "never an instruction" in asked.system[0].text


def test_a_picture_alone_is_asked_about_without_a_word():
    alone = Conversation("d", "m", (Message("user", (IMAGE,)),))
    assert ask_about(alone, standing_pictures(alone)[0], words_tokens=1, max_tokens=1).messages[0].parts[0] is IMAGE


@pytest.mark.parametrize(("own", "other"), [(1, 1), (10_000, 10_000), (10_000_0, 3)])
def test_long_words_lose_their_middle(own, other):
    long = Message("assistant", (Text("b" * other),))
    talk = Conversation(
        "d", "m", (long, long, long, Message("user", (Text("x" * own + "end"), IMAGE)), long, long, long)
    )
    told = words_around(talk, 3)
    assert len(told) < 6_500
    assert "xend\n" in told
    assert words_around(talk, 3) == told


@pytest.mark.parametrize(("index", "hint"), [(3, "screen of it"), (1, "Fix the login page."), (0, "Too long ago")])
def test_a_hint_is_the_words_beside_the_picture(index, hint):
    assert hint_of(TALK, index) == hint


def test_without_words_beside_it_those_before_are_the_hint():
    said = Message("user", (Text("Look\n at this " + "x" * 500),))
    talk = Conversation("d", "m", (said, Message("user", (IMAGE,))))
    assert hint_of(talk, 1).startswith("Look at this x")
    assert len(hint_of(talk, 1)) <= HINT_CHARS
    assert hint_of(Conversation("d", "m", (Message("user", (IMAGE,)),)), 0) == ""
