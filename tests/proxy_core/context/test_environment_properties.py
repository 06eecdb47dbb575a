"""What holds for every conversation that environment blocks are cut out of, however odd its texts."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy_core.chat import Conversation, Message, Text, ToolCall, ToolResult
from proxy_core.context.environment import drop_old_environments
from proxy_core.context.environment_blocks import find_blocks
from proxy_core.dialects.base import Target
from proxy_core.dialects.table import DIALECTS
from proxy_core.routing.catalogue import model_facts
from tests.wire_rules import broken_rules

PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
TARGET = Target("glm-4.6", model_facts("glm-4.6"))
ENV = "<environment_details>\n{}\n</environment_details>"
PIECES = st.sampled_from(
    [
        "words",
        "\n",
        "\n\n",
        "   ",
        "```\n",
        "\n```",
        "~~~",
        "\n> ",
        "`",
        '"',
        "<environment_details>",
        "</environment_details>",
        "\n<environment_details>\n",
        "\n</environment_details>\n",
        ENV.format("# Current Time\nnoon"),
        ENV.format("b.py\n\n# Open\n"),
        ENV.format("# Current Workspace Directory (/a) Files\na.py"),
        "<environment_details>x</environment_details>",
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=9).map("".join)
LISTS = st.lists(TEXTS.map(lambda words: {"type": "text", "text": words}), min_size=1, max_size=3)
CONTENT = TEXTS | LISTS
STRATEGIES = st.sampled_from(["keep_latest", "merge"])


def turn_of_openai(number: int, said: object, tool: object) -> list[dict[str, object]]:
    call = {"id": f"c{number}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    asked = {"role": "assistant", "content": "", "tool_calls": [call]}
    answered = {"role": "tool", "tool_call_id": f"c{number}", "content": tool}
    return [
        *([asked, answered] if tool else []),
        {"role": "user", "content": said},
        {"role": "assistant", "content": "k"},
    ]


def turn_of_anthropic(number: int, said: object, tool: object) -> list[dict[str, object]]:
    asked = {"role": "assistant", "content": [{"type": "tool_use", "id": f"c{number}", "name": "look", "input": {}}]}
    answered = {"type": "tool_result", "tool_use_id": f"c{number}", "content": tool}
    words = [{"type": "text", "text": said}] if isinstance(said, str) else said
    rest = [{"role": "user", "content": [answered, *words] if tool else said}, {"role": "assistant", "content": "k"}]
    return [asked, *rest] if tool else rest


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A dialect and a request in it that ends with the user's turn."""
    dialect = draw(st.sampled_from(["anthropic", "openai"]))
    turn = turn_of_openai if dialect == "openai" else turn_of_anthropic
    turns = draw(st.lists(st.tuples(CONTENT, st.none() | CONTENT), min_size=1, max_size=5))
    messages = [message for n, (said, tool) in enumerate(turns) for message in turn(n, said, tool)]
    return dialect, {"model": "glm-4.6", "max_tokens": 9, "messages": messages[:-1]}


def read(body: tuple[str, dict[str, object]], until: int | None = None) -> Conversation:
    return DIALECTS[body[0]].read_request({**body[1], "messages": body[1]["messages"][:until]})


def texts(message: Message) -> list[str]:
    opened = [inner for part in message.parts for inner in (part.parts if isinstance(part, ToolResult) else [part])]
    return [part.text for part in opened if isinstance(part, Text)]


def size(conversation: Conversation) -> int:
    return sum(len(words) for message in conversation.messages for words in texts(message))


def paired(conversation: Conversation) -> list[tuple[type, str]]:
    parts = [part for message in conversation.messages for part in message.parts]
    calls = [(ToolCall, part.id) for part in parts if isinstance(part, ToolCall)]
    return calls + [(ToolResult, part.call_id) for part in parts if isinstance(part, ToolResult)]


def has_block(part: object) -> bool:
    """As clients write them: in a tool result only at the end."""
    if isinstance(part, ToolResult):
        found = [(inner.text, find_blocks(inner.text)) for inner in part.parts if isinstance(inner, Text)]
        return any(blocks and not words[blocks[-1].end :].strip() for words, blocks in found)
    return isinstance(part, Text) and bool(find_blocks(part.text))


def newest_index(conversation: Conversation) -> int:
    """Of the message with the newest block; the length where there is none."""
    found = [n for n, message in enumerate(conversation.messages) if any(map(has_block, message.parts))]
    return found[-1] if found else len(conversation.messages)


def newest_turn(conversation: Conversation) -> int:
    """Where the turn with the newest block begins, or the last one: behind the answer before it."""
    until = newest_index(conversation)
    return 1 + max((n for n, it in enumerate(conversation.messages[:until]) if it.role == "assistant"), default=-1)


@PROPERTY
@given(bodies(), STRATEGIES)
def test_cutting_twice_is_cutting_once(body, strategy):
    once = drop_old_environments(read(body), strategy, len).conversation
    assert drop_old_environments(once, strategy, len).conversation is once


@PROPERTY
@given(bodies(), STRATEGIES)
def test_it_never_grows_and_the_cut_tells_the_difference(body, strategy):
    before = read(body)
    edited = drop_old_environments(before, strategy, len)
    told = sum(cut.saved_tokens for cut in edited.cuts)
    # What is cut takes the whitespace around it along; a dot or a blank line may stand in its place.
    assert size(before) - size(edited.conversation) >= max(told - 3 * len(before.messages) * 9, 0)
    assert (edited.conversation is before) == (edited.cuts == ())


@PROPERTY
@given(bodies())
def test_the_newest_message_is_untouched(body):
    before = read(body)
    after = drop_old_environments(before, "keep_latest", len).conversation
    assert after.messages[-1] is before.messages[-1]
    for index in range(len(before.messages)):
        if before.messages[index].role != "user":
            assert after.messages[index] is before.messages[index]


@PROPERTY
@given(bodies(), STRATEGIES)
def test_messages_and_tool_pairs_stay_whole_and_nothing_is_left_empty(body, strategy):
    before = read(body)
    after = drop_old_environments(before, strategy, len).conversation
    assert [message.role for message in after.messages] == [message.role for message in before.messages]
    assert paired(after) == paired(before)
    for old, new in zip(before.messages, after.messages, strict=True):
        assert new is old or all(words.strip() for words in texts(new) if words not in texts(old))
        assert new.parts


@PROPERTY
@given(bodies(), STRATEGIES, st.sampled_from(["anthropic", "openai"]))
def test_upstreams_of_both_dialects_take_it_as_well_as_before(body, strategy, dialect):
    before = read(body)
    after = drop_old_environments(before, strategy, len).conversation
    written = [DIALECTS[dialect].write_request(each, TARGET).body for each in (before, after)]
    rules = [broken_rules(dialect, each, {"anthropic-version": "2023-06-01"}) for each in written]
    assert len(rules[1]) <= len(rules[0])


@PROPERTY
@given(bodies(), STRATEGIES)
def test_inputs_are_never_mutated(body, strategy):
    before = deepcopy(body)
    drop_old_environments(read(body), strategy, len)
    assert body == before


@PROPERTY
@given(bodies(), STRATEGIES, st.data())
def test_what_was_sent_stands_in_the_next_turn(body, strategy, data):
    """But for the block that was the newest, and the results of that same turn."""
    ends = [n + 1 for n, message in enumerate(body[1]["messages"]) if message["role"] in ("user", "tool")]
    until = data.draw(st.sampled_from(ends))
    shorter = read(body, until)
    earlier = drop_old_environments(shorter, strategy, len).conversation
    later = drop_old_environments(read(body), strategy, len).conversation
    steady = newest_turn(shorter)
    assert earlier.messages[:steady] == later.messages[:steady]
    for old, new in zip(earlier.messages[:steady], later.messages[:steady], strict=True):
        assert old.raw == new.raw


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
def test_without_blocks_it_is_the_very_same_object(dialect):
    conversation = read((dialect, {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}))
    assert drop_old_environments(conversation, "merge", len).conversation is conversation
