"""A conversation written for the other side and read there again means what it meant: both ways, by the real rooms."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import Conversation, Image, Message, Part, Text, Tool, ToolCall, ToolResult
from proxy_core.dialects.arguments import arguments_object
from proxy_core.dialects.base import Target
from proxy_core.dialects.table import DIALECTS
from proxy_core.routing.catalogue import model_facts

TARGET = Target("glm-4.6v", model_facts("glm-4.6v"))
WAYS = [("anthropic", "openai"), ("openai", "anthropic")]

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Z")), min_size=1, max_size=12)
texts = words.map(Text)
pictures = st.sampled_from(["aGVsbG8=", "d29ybGQh"]).map(lambda data: Image("image/png", data))
arguments = st.dictionaries(words, words | st.integers(-9, 9) | st.booleans(), max_size=3)
tools = st.builds(Tool, st.from_regex(r"[a-z]{1,8}", fullmatch=True), words, st.just({"type": "object"}))


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Turns in order: a user speaks, the model answers or calls, each call gets its result."""
    messages: list[Message] = []
    results: list[Part] = []
    for turn in range(draw(st.integers(1, 4))):
        said = draw(st.lists(texts | pictures, min_size=0 if results else 1, max_size=2))
        messages.append(Message("user", (*results, *said)))
        calls = [
            ToolCall(f"call_{turn}_{number}", draw(tools).name, orjson.dumps(draw(arguments)).decode())
            for number in range(draw(st.integers(0, 2)))
        ]
        spoken = draw(st.lists(texts, min_size=0 if calls else 1, max_size=1))
        messages.append(Message("assistant", (*spoken, *calls)))
        results = [ToolResult(call.id, tuple(draw(st.lists(texts, min_size=1, max_size=2)))) for call in calls]
    messages.append(Message("user", (*results, Text("and now?"))))
    system = tuple(draw(st.lists(texts, max_size=1)))
    return Conversation("", "glm-4.6v", tuple(messages), system, tuple(draw(st.lists(tools, max_size=2))))


def meaning(conversation: Conversation) -> list[object]:
    """Who says, shows, calls and gets what, in order. Of calls the place counts, not the id; of texts the letters:
    whether two of them stand in one message or in two, means nothing."""
    said: list[object] = []
    order: dict[str, int] = {}
    for text in conversation.system:
        _say(said, "system", text.text)
    for message in conversation.messages:
        for part in message.parts:
            match part:
                case Text(text):
                    _say(said, message.role, text)
                case ToolCall(id=name):
                    order[name] = len(order)
                    said.append(("calls", order[name], part.name, arguments_object(part.arguments)))
                case ToolResult(call_id=name, parts=parts):
                    letters = "".join(inner.text for inner in parts if isinstance(inner, Text))
                    said.append(("gets", order[name], "".join(letters.split())))
                case Image(data=data):
                    said.append(("shows", data))
    return said


def _say(said: list[object], role: str, text: str) -> None:
    letters = "".join(text.split())
    if said and isinstance(said[-1], list) and said[-1][0] == role:
        said[-1][1] += letters
    else:
        said.append([role, letters])


@pytest.mark.parametrize("way", WAYS, ids="-".join)
@given(conversation=conversations())
def test_there_and_back_it_means_the_same(way: tuple[str, str], conversation: Conversation) -> None:
    there, back = (DIALECTS[name] for name in way)
    abroad = there.read_request(there.write_request(conversation, TARGET).body)
    home = back.read_request(back.write_request(abroad, TARGET).body)
    again = there.read_request(there.write_request(home, TARGET).body)
    assert meaning(abroad) == meaning(conversation)
    assert meaning(home) == meaning(conversation)
    assert meaning(again) == meaning(conversation)
    assert [tool.name for tool in again.tools] == [tool.name for tool in conversation.tools]
