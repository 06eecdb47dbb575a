"""A summary stands for the oldest turns, and everything around it is as it was."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from proxy_core.chat import Conversation, Message, Text, ToolCall, ToolResult
from proxy_core.context.ceilings import Ceiling
from proxy_core.context.condensing import apply_summary, first_turn, plan, summary_message
from proxy_core.tokens.count import count_conversation
from tests.proxy_core.context.talks import BODIES, SCRIPTS, SUMMARY, Step, broken, read, written

ENCODERS = (lambda text: len(text.encode()) // 4, len)
DIALECTS = pytest.mark.parametrize("dialect", ["anthropic", "openai"])
PROPERTY = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def ceiling(critical: int) -> Ceiling:
    return Ceiling(critical, critical, critical * 5 // 4)


def planned(talk: Conversation, urgent: bool) -> int | None:
    tokens = count_conversation(talk, ENCODERS[0])
    return plan(talk, tokens, ceiling(int(tokens * 0.9)), is_urgent=urgent)


def condensed(talk: Conversation, urgent: bool) -> tuple[Conversation, int]:
    end = planned(talk, urgent)
    assume(end is not None)
    assert end is not None
    result = apply_summary(talk, end, SUMMARY)
    assume(result is not talk)
    return result, end


@DIALECTS
@given(steps=SCRIPTS, urgent=st.booleans())
@PROPERTY
def test_the_upstream_takes_what_becomes_of_it(dialect, steps, urgent):
    result, _ = condensed(read(dialect, steps), urgent)
    for upstream in ("anthropic", "openai"):
        assert broken(result, upstream) == []


@DIALECTS
@given(steps=SCRIPTS, urgent=st.booleans())
@PROPERTY
def test_system_prompt_and_newest_turns_stay_the_very_objects(dialect, steps, urgent):
    talk = read(dialect, steps)
    result, end = condensed(talk, urgent)
    first = first_turn(talk.messages)
    kept = (*talk.messages[:first], *talk.messages[end:])
    assert result.system is talk.system and result.tools is talk.tools
    assert [id(message) for message in result.messages if message.raw] == [id(message) for message in kept]
    assert end <= len(talk.messages) - (2 if urgent else 4)
    newest = next(message for message in reversed(talk.messages) if message.role == "user")
    assert result.messages[-1] is newest


@DIALECTS
@given(steps=SCRIPTS, urgent=st.booleans())
@PROPERTY
def test_the_newest_turn_goes_out_byte_for_byte(dialect, steps, urgent):
    talk = read(dialect, steps)
    result, _ = condensed(talk, urgent)
    for upstream in ("anthropic", "openai"):
        # Ids that repeat are told apart by a number on the way to another dialect.
        assume(upstream == dialect or not any(step.counts_anew for step in steps))
        assert written(result, upstream)["messages"][-2:] == written(talk, upstream)["messages"][-2:]


@DIALECTS
@given(steps=SCRIPTS, urgent=st.booleans())
@PROPERTY
def test_it_never_grows_and_never_shrinks_twice(dialect, steps, urgent):
    talk = read(dialect, steps)
    result, end = condensed(talk, urgent)
    for encode in ENCODERS:
        assert count_conversation(result, encode) < count_conversation(talk, encode)
    assert apply_summary(talk, end, SUMMARY) == result
    limit = ceiling(int(count_conversation(talk, ENCODERS[0]) * 0.9))
    tokens = count_conversation(result, ENCODERS[0])
    if tokens <= limit.target_tokens:
        assert plan(result, tokens, limit) is None


@DIALECTS
@given(steps=SCRIPTS, urgent=st.booleans())
@PROPERTY
def test_what_was_sent_at_one_turn_stands_in_the_next(dialect, steps, urgent):
    result, end = condensed(read(dialect, steps[:-1]), urgent)
    following = apply_summary(read(dialect, steps), end, SUMMARY)
    for upstream in ("anthropic", "openai"):
        before, after = (written(talk, upstream)["messages"] for talk in (result, following))
        assert after[: len(before)] == before


@DIALECTS
@given(steps=SCRIPTS, urgent=st.booleans())
@PROPERTY
def test_the_input_is_left_as_it_was(dialect, steps, urgent):
    talk = read(dialect, steps)
    before = copy.deepcopy(talk)
    condensed(talk, urgent)
    assert talk == before
    assert talk.raw == BODIES[dialect](steps)
    assert [message.raw for message in talk.messages] == [message.raw for message in before.messages]


def long_talk(turns: int = 20, chars: int = 4_000) -> Conversation:
    return read("anthropic", tuple(Step("Said.", results=("x" * chars,)) for _ in range(turns)))


def test_it_comes_down_to_the_target_and_not_far_below():
    talk = long_talk()
    tokens = count_conversation(talk, ENCODERS[0])
    limit = ceiling(tokens)
    end = plan(talk, tokens, limit)
    left = count_conversation(apply_summary(talk, end or 0, SUMMARY), ENCODERS[0])
    assert 0.8 * limit.target_tokens - 3_000 < left <= limit.target_tokens


@pytest.mark.parametrize(
    ("turns", "chars", "urgent", "is_planned"),
    [
        (20, 4_000, False, True),
        (1, 40_000, False, False),
        (1, 40_000, True, False),
        (2, 40_000, False, False),
        (2, 40_000, True, True),
        (3, 40_000, False, True),
    ],
)
def test_the_newest_turns_are_never_covered(turns, chars, urgent, is_planned):
    assert (planned(long_talk(turns, chars), urgent) is not None) is is_planned


def test_little_gain_is_only_worth_it_where_all_else_fails():
    talk = read("anthropic", (Step("Said.", results=("x" * 8_000,)), Step("Said.", results=("x" * 40_000,))))
    longer = read("anthropic", (Step("Said.", results=("x" * 8_000,)), *[Step("S", results=("x" * 20_000,))] * 2))
    assert planned(longer, urgent=False) is None
    assert planned(talk, urgent=True) == 3


@pytest.mark.parametrize(("most", "expected"), [(None, 31), (9_000, 17), (500, None)])
def test_no_more_is_covered_than_the_summariser_takes(most, expected):
    talk = long_talk()
    tokens = count_conversation(talk, ENCODERS[0])
    assert plan(talk, tokens, ceiling(tokens), most_tokens=most) == expected


def heard(*parts: ToolResult | Text) -> Message:
    return Message("user", parts)


def said(*parts: ToolCall | Text) -> Message:
    return Message("assistant", parts)


LONG, SHORT = Text("x" * 9_000), Text("x")
CALL, RESULT = ToolCall("1", "f", ""), ToolResult("1", (SHORT,))


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ((heard(LONG), said(SHORT), heard(LONG), said(SHORT), heard(SHORT), said(SHORT), heard(SHORT)), 3),
        ((heard(LONG), said(CALL), heard(LONG), said(SHORT), heard(RESULT), said(SHORT), heard(SHORT)), 5),
        ((heard(LONG), said(SHORT), heard(LONG), heard(SHORT), said(SHORT), said(SHORT), heard(SHORT)), 4),
        ((heard(LONG), said(LONG), said(SHORT), heard(SHORT), said(SHORT), heard(SHORT)), 4),
    ],
    ids=["plain", "late result", "user twice", "assistant twice"],
)
def test_a_cut_is_after_the_user_before_the_assistant_and_never_within_a_pair(messages, expected):
    assert planned(Conversation("anthropic", "m", messages), urgent=True) == expected


def test_a_useless_summary_is_not_put_in():
    talk = long_talk(6, 400)
    assert apply_summary(talk, 5, "x" * 4_000) is talk


def test_the_wrapper_says_the_same_every_time():
    (part,) = summary_message("  Words.\n").parts
    assert isinstance(part, Text)
    assert part.text.startswith("<conversation_summary>\n")
    assert part.text.endswith("\n\nWords.\n</conversation_summary>")
