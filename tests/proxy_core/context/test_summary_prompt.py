"""What is asked for when turns are summarised, and what is taken for an answer."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings

from proxy_core.chat import Answer, StopReason, Text, Thinking, ThinkingRequest, ToolCall
from proxy_core.context.summary_prompt import (
    SECTIONS,
    UselessSummaryError,
    read_summary,
    summary_request,
    transcript_request,
)
from proxy_core.dialects.table import DIALECTS
from tests.proxy_core.context.talks import BODIES, SCRIPTS, SUMMARY, Step, broken, read, written

BOTH = pytest.mark.parametrize("dialect", ["anthropic", "openai"])
STEPS = (Step("Look.", results=("r" * 5_000,)), Step("Done.", follow="Now the tests."), Step("More.", follow="Yes."))


def ends(dialect: str, steps: tuple[Step, ...]) -> list[int]:
    """Where covered messages may end, roughly: before each message of the assistant."""
    return [place for place, item in enumerate(read(dialect, steps).messages) if item.role == "assistant"]


def words(body: dict[str, object]) -> str:
    message = body["messages"][-1]
    assert message["role"] == "user"
    content = message["content"]
    return content if isinstance(content, str) else content[-1]["text"]


@BOTH
@given(steps=SCRIPTS)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_prompt_before_the_instruction_is_the_one_already_sent(dialect, steps):
    talk = read(dialect, steps)
    for end in ends(dialect, steps)[-2:]:
        asked = summary_request(talk, end, default_thinking=True)
        for upstream in ("anthropic", "openai"):
            assert broken(asked, upstream) == []
        before, now = written(talk, dialect), written(asked, dialect)
        assert now["messages"][: end - 1] == before["messages"][: end - 1]
        assert {name: now.get(name) for name in ("system", "tools")} == {
            name: before.get(name) for name in ("system", "tools")
        }


@pytest.mark.parametrize("end", [1, 3, 5])
def test_the_last_message_keeps_its_blocks_and_ends_with_the_instruction(end):
    talk = read("anthropic", STEPS)
    message = written(summary_request(talk, end, default_thinking=None), "anthropic")["messages"][-1]
    assert message["role"] == "user"
    told = talk.messages[end - 1].raw["content"]
    assert message["content"][:-1] == ([{"type": "text", "text": told}] if isinstance(told, str) else told)


@BOTH
@pytest.mark.parametrize("end", [2, 4])
def test_every_heading_is_asked_for_in_order(dialect, end):
    talk = read(dialect, STEPS)
    end = ends(dialect, STEPS)[end // 2]
    for asked in (summary_request(talk, end, default_thinking=None), transcript_request(talk, end, "m")):
        text = words(written(asked, "openai"))
        places = [text.index(f"\n## {heading}\n") for heading in SECTIONS]
        assert places == sorted(places)
        assert "do not call any tool" in text


FIELDS: dict[str, dict[str, object]] = {
    "anthropic": {
        "stream": True,
        "tool_choice": {"type": "any"},
        "stop_sequences": ["x"],
        "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    },
    "openai": {
        "stream": True,
        "stream_options": {"include_usage": True},
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "stop": ["x"],
        "response_format": {"type": "json_object"},
        "max_completion_tokens": 7,
    },
}


@BOTH
def test_one_plain_whole_text_is_asked_for_and_the_request_is_left_alone(dialect):
    body = {**BODIES[dialect](STEPS), **FIELDS[dialect]}
    before = copy.deepcopy(body)
    asked = summary_request(DIALECTS[dialect].read_request(body), 3, default_thinking=None)
    sent = written(asked, dialect)
    left = sent.keys() & FIELDS[dialect].keys()
    assert left == ({"output_config"} if dialect == "anthropic" else set())
    assert sent.get("output_config", {"effort": "high"}) == {"effort": "high"}
    assert sent["max_tokens"] >= 8_000
    assert body == before


@BOTH
@pytest.mark.parametrize(
    ("said", "default", "expected"),
    [
        (None, True, ThinkingRequest(enabled=True)),
        (None, None, None),
        ({"type": "disabled"}, True, ThinkingRequest(enabled=False)),
    ],
)
def test_thinking_stays_as_it_was_since_a_switch_marks_every_turn(dialect, said, default, expected):
    body = BODIES[dialect](STEPS) | ({"thinking": said} if said else {})
    asked = summary_request(DIALECTS[dialect].read_request(body), 3, default_thinking=default)
    assert asked.thinking == expected
    assert asked.raw.get("thinking") == said


def test_a_large_thinking_budget_leaves_room_for_the_summary():
    body = BODIES["anthropic"](STEPS) | {"thinking": {"type": "enabled", "budget_tokens": 30_000}}
    asked = summary_request(DIALECTS["anthropic"].read_request(body), 3, default_thinking=None)
    assert written(asked, "anthropic")["max_tokens"] >= 35_000


@BOTH
def test_a_transcript_is_short_and_legal(dialect):
    talk = read(dialect, (*STEPS[:1], Step("P.", thought="secret", follow="See.", picture=True), *STEPS))
    asked = transcript_request(talk, len(talk.messages), "m")
    text = words(written(asked, "openai"))
    assert [broken(asked, upstream) for upstream in ("anthropic", "openai")] == [[], []]
    for expected in ("[user] Build a parser.", "(calls read)", "(result) rrr", " … rrr", "(a picture)"):
        assert expected in text
    assert "secret" not in text and "Be good." not in text
    assert text.count("r" * 1_001) == 0


def answer(text: str, stop: StopReason = StopReason.END_TURN) -> Answer:
    return Answer("i", "m", (Thinking("## Files"), Text(text)), stop)


def test_a_summary_is_taken_from_its_first_heading_on():
    assert read_summary(answer(f"Here it is:\n\n{SUMMARY}\n")) == SUMMARY
    bold = SUMMARY.replace("## Files", "### **files:**")
    assert read_summary(answer(bold)) == bold


def test_a_summary_without_headings_is_one_too():
    prose = "The user wants the importer faster; src/parse.py was split, and its tests pass."
    assert read_summary(answer(f"\n{prose}\n")) == prose


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (answer(""), "says nothing"),
        (answer("I cannot help with that. " * 40), "refusal"),
        (answer(" ".join(f"## {heading}" for heading in SECTIONS)), "says nothing"),
        (answer("\n".join(f"## {heading}\nnone" for heading in SECTIONS)), "says nothing"),
        (answer("All of it is done."), "says nothing"),
        (answer(SUMMARY, StopReason.MAX_TOKENS), "max_tokens"),
        (Answer("i", "m", (Text(SUMMARY), ToolCall("1", "f", "")), StopReason.TOOL_USE), "tool_use"),
    ],
    ids=["nothing", "refusal", "one line", "none", "a word", "cut off", "a call"],
)
def test_nonsense_is_refused(given, why):
    with pytest.raises(UselessSummaryError, match=why):
        read_summary(given)
