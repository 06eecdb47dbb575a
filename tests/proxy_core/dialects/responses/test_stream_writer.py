"""Deltas, written as a Responses stream."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import (
    Answer,
    AnswerPart,
    BlockEnded,
    Delta,
    Failed,
    Finished,
    Pinged,
    Started,
    Stopped,
    StopReason,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from proxy_core.dialects.fold import unfold
from proxy_core.dialects.responses.answers import write_answer
from proxy_core.dialects.responses.reasoning import seal, unseal
from proxy_core.dialects.responses.stream_writer import ResponsesStreamWriter
from proxy_core.errors import ErrorKind, UpstreamError
from tests.proxy_core.dialects.responses.builders import (
    AGENTS,
    LOOK,
    PATCH,
    SEALED,
    Client,
    Wire,
    check_event,
    context,
    follow,
    stream,
)

ASKED = context(tools=[LOOK, PATCH, AGENTS])
SEALING = context(tools=[PATCH], **SEALED)
STARTED, OVER, FINISHED = Started("up", "glm-4.6", created=5), BlockEnded(), Finished()
TURN, CUT = Stopped(StopReason.END_TURN), Stopped(StopReason.MAX_TOKENS)
LOOKING, PATCHING = ToolCallStarted(0, "c0", "look"), ToolCallStarted(1, "c1", "apply_patch")


def brief(event: Wire) -> str:
    """An event on one line: its name without `response.`, its place, what it says."""
    name = str(event["type"]).removeprefix("response.")
    said = event.get("item") or event.get("part") or event
    words = [said.get(key) for key in ("delta", "text", "arguments", "input", "status", "name") if key in said]
    place = event.get("output_index", "")
    return " ".join(str(word) for word in (name, place, *words) if word not in ("", None))


def told(*deltas: Delta, asked: object = ASKED) -> list[str]:
    """The events between the first two and the last."""
    return [brief(event) for event in stream(asked, STARTED, *deltas, FINISHED)[2:-1]]


MESSAGE = [
    "output_item.added 0 in_progress",
    "content_part.added 0",
    "output_text.delta 0 A",
    "output_text.delta 0 B",
    "output_text.done 0 AB",
    "content_part.done 0 AB",
]
REASONING = [
    "output_item.added 0",
    "reasoning_summary_part.added 0",
    "reasoning_summary_text.delta 0 T",
    "reasoning_summary_text.done 0 T",
    "reasoning_summary_part.done 0 T",
    "output_item.done 0",
]
FIRST_CALL = [
    "output_item.added 0 in_progress look",
    'function_call_arguments.delta 0 {"a',
    'function_call_arguments.delta 0 ":1}',
]
CALLED = ['function_call_arguments.done 0 {"a":1}', 'output_item.done 0 {"a":1} completed look']
PATCHED = [
    "output_item.added 0 in_progress apply_patch",
    "custom_tool_call_input.delta 0 *** B",
    "custom_tool_call_input.delta 0 egin\n",
    "custom_tool_call_input.done 0 *** Begin\n",
    "output_item.done 0 *** Begin\n completed apply_patch",
]


@pytest.mark.parametrize(
    ("deltas", "events"),
    [
        ([TURN], []),
        ([TextDelta("A"), TextDelta(""), TextDelta("B"), TURN], [*MESSAGE, "output_item.done 0 completed"]),
        ([TextDelta("A"), TextDelta("B"), OVER, CUT], [*MESSAGE, "output_item.done 0 incomplete"]),
        ([ThinkingDelta("T"), ThinkingDelta(signature="s"), TURN], REASONING),
        ([ThinkingDelta(redacted="r"), ThinkingDelta(signature="s"), TURN], []),
        ([LOOKING, ToolCallDelta(0, '{"a'), ToolCallDelta(0, '":1}'), TURN], [*FIRST_CALL, *CALLED]),
        (
            [LOOKING, TURN],
            [FIRST_CALL[0], "function_call_arguments.delta 0 {}", "function_call_arguments.done 0 {}",
             "output_item.done 0 {} completed look"],
        ),
        (
            [ToolCallStarted(0, "c", "apply_patch"), ToolCallDelta(0, '{"input":"*** B'), ToolCallDelta(0, 'egin\\n"'),
             ToolCallDelta(0, "}"), TURN],
            PATCHED,
        ),
        (
            [LOOKING, ToolCallDelta(0, '{"a'), PATCHING, ToolCallDelta(0, '":1}'), ToolCallDelta(1, "x"), TURN],
            [*FIRST_CALL[:2], "output_item.added 1 in_progress apply_patch", FIRST_CALL[2], *CALLED,
             "custom_tool_call_input.delta 1 x", "custom_tool_call_input.done 1 x",
             "output_item.done 1 x completed apply_patch"],
        ),
        (
            [LOOKING, ToolCallDelta(0, '{"a'), ToolCallDelta(0, '":1}'), OVER, TextDelta("B"), CUT],
            [*FIRST_CALL, *CALLED, "output_item.added 1 in_progress", "content_part.added 1", "output_text.delta 1 B",
             "output_text.done 1 B", "content_part.done 1 B", "output_item.done 1 incomplete"],
        ),
        (
            [ThinkingDelta("T"), OVER, ThinkingDelta("U"), TURN],
            [*REASONING, *(line.replace(" 0", " 1").replace("T", "U") for line in REASONING)],
        ),
        (
            [LOOKING, ToolCallDelta(0, '{"a":1}'), ThinkingDelta("T"), TURN],
            [FIRST_CALL[0], 'function_call_arguments.delta 0 {"a":1}', *CALLED,
             *(line.replace(" 0", " 1") for line in REASONING)],
        ),
        (
            [LOOKING, ToolCallDelta(0, '{"a":["b'), TURN],
            [FIRST_CALL[0], 'function_call_arguments.delta 0 {"a":["b', 'function_call_arguments.delta 0 "]}',
             'function_call_arguments.done 0 {"a":["b"]}', 'output_item.done 0 {"a":["b"]} completed look'],
        ),
        (
            [LOOKING, ToolCallDelta(0, '{"a'), TextDelta("A"), TextDelta("B"), PATCHING, ToolCallDelta(0, '":1}'),
             ToolCallDelta(1, "x"), TURN],
            [*FIRST_CALL[:2], *(line.replace(" 0", " 1") for line in MESSAGE[:4]),
             "output_item.added 2 in_progress apply_patch", FIRST_CALL[2], *CALLED,
             *(line.replace(" 0", " 1") for line in MESSAGE[4:]), "output_item.done 1 completed",
             "custom_tool_call_input.delta 2 x", "custom_tool_call_input.done 2 x",
             "output_item.done 2 x completed apply_patch"],
        ),
        ([LOOKING, Pinged(), TURN], [FIRST_CALL[0], "keepalive", *told(LOOKING, TURN)[1:]]),
    ],
)  # fmt: skip
def test_dialogue(deltas: list[Delta], events: list[str]) -> None:
    assert told(*deltas) == events
    follow(ASKED, STARTED, *deltas, FINISHED)


def test_a_stream_begins_and_ends_with_the_response() -> None:
    used = UsageDelta(Usage(5, 64, 1, 9, 4))
    events = stream(ASKED, STARTED, TextDelta("A"), TURN, used, FINISHED)
    first, last = events[0]["response"], events[-1]["response"]
    assert (first["id"], first["created_at"], first["model"], first["status"]) == (
        "resp_up",
        5,
        "glm-4.6",
        "in_progress",
    )
    assert (first["output"], first["usage"], first["tools"]) == ([], None, [LOOK, PATCH, AGENTS])
    assert last["usage"] == {
        "input_tokens": 70,
        "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 1},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 79,
    }


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        (StopReason.TOOL_USE, "completed", None),
        (StopReason.STOP_SEQUENCE, "completed", None),
        (StopReason.MAX_TOKENS, "incomplete", {"reason": "max_output_tokens"}),
        (StopReason.CONTEXT_EXCEEDED, "incomplete", {"reason": "max_output_tokens"}),
        (StopReason.REFUSAL, "incomplete", {"reason": "content_filter"}),
    ],
)
def test_how_it_ended(reason: StopReason, status: str, details: object) -> None:
    response = follow(ASKED, STARTED, TextDelta("A"), Stopped(reason), FINISHED)
    assert (response["status"], response["incomplete_details"]) == (status, details)


def texts(response: Wire) -> list[object]:
    return [item["content"][0]["text"] for item in response["output"]]


def test_each_block_is_an_item() -> None:
    said = [TextDelta("A"), OVER, TextDelta("B"), TextDelta("C"), OVER, TextDelta("D")]
    assert texts(follow(ASKED, STARTED, *said, TURN, FINISHED)) == ["A", "BC", "D"]


def test_of_several_open_calls_only_the_last_was_cut() -> None:
    calls = follow(ASKED, STARTED, LOOKING, PATCHING, CUT, FINISHED)["output"]
    assert [call["status"] for call in calls] == ["completed", "incomplete"]


def test_usage_told_at_the_start_holds_until_there_is_more() -> None:
    began = Started("up", "glm-4.6", Usage(7, 2))
    response = follow(ASKED, began, UsageDelta(Usage(output_tokens=3)), TURN, FINISHED)
    assert (response["usage"]["input_tokens"], response["usage"]["output_tokens"]) == (9, 3)


def test_usage_that_never_came_is_reckoned() -> None:
    asked = replace(ASKED, estimate_prompt=lambda: 12)
    response = follow(asked, STARTED, TextDelta("Hello"), ThinkingDelta("Hm"), TURN, FINISHED)
    assert (response["usage"]["input_tokens"], response["usage"]["output_tokens"]) == (12, 2)


def test_redacted_thinking_is_an_item_of_its_own() -> None:
    said = [ThinkingDelta("T"), ThinkingDelta(redacted="r")]
    first, second = follow(SEALING, STARTED, *said, TURN, FINISHED)["output"]
    assert (unseal(first["encrypted_content"]), second["summary"]) == (Thinking("T"), [])


def test_thinking_without_text_has_no_summary() -> None:
    events = told(ThinkingDelta(signature="s"), TURN, asked=SEALING)
    assert events == ["output_item.added 0", "output_item.done 0"]


def test_a_call_goes_back_as_the_client_knows_the_tool() -> None:
    calls = [ToolCallStarted(0, "c0", "agents__stop"), ToolCallStarted(1, "c1", "unheard_of")]
    response = follow(ASKED, STARTED, *calls, TURN, FINISHED)
    known, unknown = response["output"]
    assert (known["name"], known["namespace"], known["call_id"]) == ("stop", "agents", "c0")
    assert (unknown["name"], "namespace" in unknown, unknown["type"]) == ("unheard_of", False, "function_call")


@pytest.mark.parametrize(
    ("deltas", "thinking"),
    [
        ([ThinkingDelta("T"), ThinkingDelta(signature="s")], Thinking("T", "s")),
        ([ThinkingDelta(signature="s")], Thinking("", "s")),
        ([ThinkingDelta(redacted="r")], Thinking("", redacted="r")),
    ],
)
def test_thinking_is_sealed_for_those_who_ask(deltas: list[Delta], thinking: Thinking) -> None:
    (item,) = follow(SEALING, STARTED, *deltas, TURN, FINISHED)["output"]
    assert item["encrypted_content"] == seal(thinking)


@pytest.mark.parametrize("before", [[], [STARTED, TextDelta("A"), OVER, TextDelta("B")]])
def test_a_broken_stream_fails(before: list[Delta]) -> None:
    error = UpstreamError("Gone.", kind=ErrorKind.TIMEOUT)
    response = follow(ASKED, *before, Failed(error), TextDelta("late"), FINISHED)
    assert (response["status"], response["error"]) == ("failed", {"code": "server_error", "message": "Gone."})
    assert [item["content"][0]["text"] for item in response["output"]] == ["A"] * bool(before)


@pytest.mark.parametrize(
    "deltas",
    [
        [ToolCallDelta(3, "{}")],
        [LOOKING, OVER, TextDelta("A"), ToolCallDelta(0, "{}")],
    ],
)
def test_arguments_of_no_open_call_break_it(deltas: list[Delta]) -> None:
    assert follow(ASKED, STARTED, *deltas, TURN, FINISHED)["status"] == "failed"


@pytest.mark.parametrize("then", [[TURN], [OVER, TextDelta("A"), TURN], [CUT], [OVER, TextDelta("A"), CUT]])
def test_arguments_that_nothing_can_mend_are_no_success(then: list[Delta]) -> None:
    response = follow(ASKED, STARTED, LOOKING, ToolCallDelta(0, '{"a" 1}'), *then, FINISHED)
    assert response["status"] == ("incomplete" if then == [CUT] else "failed")
    assert [item for item in response["output"] if item["status"] == "completed"] == []


def test_late_blanks_do_no_harm() -> None:
    late = [LOOKING, OVER, TextDelta("A"), ToolCallDelta(0, " ")]
    assert follow(ASKED, STARTED, *late, TURN, FINISHED)["status"] == "completed"


def test_a_ping_before_the_start_is_a_comment() -> None:
    assert ResponsesStreamWriter(ASKED).write(Pinged()) == b": ping\n\n"


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
PARTS = st.lists(
    st.builds(Text, TEXTS)
    | st.builds(Thinking, TEXTS, st.sampled_from(["", "sig"]))
    | st.builds(Thinking, st.just(""), st.just(""), st.just("red"))
    | st.builds(
        ToolCall,
        st.sampled_from(["c1", "c2"]),
        st.sampled_from(["look", "apply_patch", "agents__stop", "other"]),
        st.sampled_from(["", "{}", '{"a":[1]}', '{"a', '{"input":"é\\ud83d\\ude42"}', '{"input":"cu', "raw"]),
    ),
    max_size=5,
)
USAGES = st.builds(Usage, *[st.integers(0, 99)] * 4, st.none() | st.integers(0, 9))


@given(PARTS, st.sampled_from(StopReason), USAGES, st.sampled_from([ASKED, SEALING]))
def test_the_stream_and_the_whole_reply_tell_the_same(
    parts: list[AnswerPart], stop: StopReason, usage: Usage, asked: object
) -> None:
    answer = Answer("up", "glm-4.6", tuple(parts), stop, usage, created=5)
    response = follow(asked, *unfold(answer))
    if response["status"] == "failed":
        with pytest.raises(UpstreamError, match="not JSON"):
            write_answer(answer, asked)
    else:
        assert response == write_answer(answer, asked)


DELTAS = st.lists(
    st.builds(TextDelta, TEXTS)
    | st.builds(ThinkingDelta, TEXTS, st.sampled_from(["", "s"]), st.sampled_from(["", "", "r"]))
    | st.builds(ToolCallStarted, st.integers(0, 2), st.just("c"), st.sampled_from(["look", "apply_patch"]))
    | st.builds(ToolCallDelta, st.integers(0, 2), st.sampled_from(["", '{"input":"', "a", '\\', 'n', '\\ud83d', '"}']))
    | st.sampled_from([OVER, Pinged(), UsageDelta(Usage(1)), TURN, CUT, STARTED, Failed(UpstreamError("x"))]),
    max_size=12,
)  # fmt: skip


@given(DELTAS, st.sampled_from([ASKED, SEALING]))
def test_whatever_comes_the_stream_is_legal(deltas: list[Delta], asked: object) -> None:
    events = stream(asked, STARTED, *deltas, FINISHED)
    response = Client().follow(events)
    assert response["status"] in ("completed", "incomplete", "failed")
    for item in response["output"]:
        if item["type"] == "function_call" and item["status"] == "completed":
            json.loads(item["arguments"])
    for event in events:
        check_event(event)
