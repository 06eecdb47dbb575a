"""Deltas, written as a chat completion stream."""

from __future__ import annotations

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
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.fold import fold, unfold
from proxy_core.dialects.openai.answers import read_answer, write_answer
from proxy_core.dialects.openai.stream_reader import OpenAiStreamReader
from proxy_core.dialects.openai.stream_writer import OpenAiStreamWriter
from proxy_core.errors import ErrorKind, UpstreamError
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.sse import SseDecoder
from tests.proxy_core.dialects.openai.builders import ASKED_USAGE, CONTEXT, call, payloads, piece

STARTED, FINISHED = Started("up-1", "glm-4.6", Usage(3, 1), created=5), Finished()
BEGUN = ToolCallStarted(0, "call_1", "look")
ROLE = {"role": "assistant", "content": ""}
USAGE = {
    "prompt_tokens": 4,
    "completion_tokens": 9,
    "total_tokens": 13,
    "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0},
}


def write(*deltas: Delta, context: ReplyContext = CONTEXT) -> bytes:
    writer = OpenAiStreamWriter(context)
    return b"".join(writer.write(delta) for delta in deltas)


def framed(delta: JsonObject, finish: str | None = None, **more: object) -> JsonObject:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = {"id": "chatcmpl-up-1", "object": "chat.completion.chunk", "created": 5, "model": "asked"}
    return {**head, **more, "choices": [choice]}


@pytest.mark.parametrize(
    ("deltas", "said"),
    [
        ([TextDelta("A"), TextDelta("")], [framed({"content": "A"})]),
        ([ThinkingDelta("T"), ThinkingDelta(signature="s"), ThinkingDelta(redacted="r")],
         [framed({"reasoning_content": "T"})]),
        ([BEGUN, ToolCallDelta(0, '{"a'), ToolCallDelta(0, ""), ToolCallDelta(0, '":1}')],
         [framed({"tool_calls": [{"index": 0, **call(arguments="")}]}),
          framed({"tool_calls": [piece(0, arguments='{"a')]}), framed({"tool_calls": [piece(0, arguments='":1}')]})]),
        ([BEGUN, ToolCallDelta(0, '{"a":"b')],
         [framed({"tool_calls": [{"index": 0, **call(arguments="")}]}),
          framed({"tool_calls": [piece(0, arguments='{"a":"b')]}),
          framed({"tool_calls": [piece(0, arguments='"}')]})]),
        ([BEGUN, BlockEnded()],
         [framed({"tool_calls": [{"index": 0, **call(arguments="")}]}),
          framed({"tool_calls": [piece(0, arguments="{}")]})]),
        ([Pinged(), TextDelta("A")], [None, framed({"content": "A"})]),
        ([BlockEnded()], []),
    ],
)  # fmt: skip
def test_dialogue(deltas: list[Delta], said: list[object]) -> None:
    written = write(STARTED, *deltas, Stopped(StopReason.END_TURN), FINISHED)
    assert payloads(written) == [framed(ROLE), *said, framed({}, "stop"), "[DONE]"]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        (StopReason.TOOL_USE, "tool_calls"),
        (StopReason.REFUSAL, "content_filter"),
        (StopReason.CONTEXT_EXCEEDED, "length"),
    ],
)
def test_the_finish_reason_comes_last(reason: StopReason, finish: str) -> None:
    assert payloads(write(STARTED, Stopped(reason), FINISHED)) == [framed(ROLE), framed({}, finish), "[DONE]"]


def test_usage_is_told_to_those_who_asked() -> None:
    written = write(
        STARTED, Stopped(StopReason.END_TURN), UsageDelta(Usage(output_tokens=9)), FINISHED, context=ASKED_USAGE
    )
    null = {"usage": None}
    last = framed({}) | {"choices": [], "usage": USAGE}
    assert payloads(written) == [framed(ROLE, **null), framed({}, "stop", **null), last, "[DONE]"]


def test_usage_that_never_came_is_reckoned() -> None:
    context = replace(ASKED_USAGE, estimate_prompt=lambda: 12)
    said = [TextDelta("Hello"), ThinkingDelta("Hm"), BEGUN, ToolCallDelta(0, "{}")]
    *_, last, _ = payloads(write(Started("up-1", ""), *said, FINISHED, context=context))
    assert (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == (12, 3)


def test_without_an_id_from_upstream_a_fresh_one_is_used() -> None:
    (first,) = payloads(write(Started("", "")))
    assert first == framed(ROLE) | {"id": "chatcmpl-fresh", "created": 7}


@pytest.mark.parametrize("before", [[], [STARTED, TextDelta("A")]])
def test_a_broken_stream_ends_with_an_error(before: list[Delta]) -> None:
    error = UpstreamError("Gone.", kind=ErrorKind.TIMEOUT)
    *_, failure, done = payloads(write(*before, Failed(error)))
    expected = {"message": "Gone.", "type": "server_error", "param": None, "code": "timeout"}
    assert (failure, done) == ({"error": expected}, "[DONE]")


@pytest.mark.parametrize(
    ("reason", "last"),
    [(StopReason.TOOL_USE, None), (StopReason.STOP_SEQUENCE, None), (StopReason.MAX_TOKENS, framed({}, "length"))],
)
def test_arguments_that_nothing_can_mend_are_no_success(reason: StopReason, last: object) -> None:
    *_, end, done = payloads(write(STARTED, BEGUN, ToolCallDelta(0, '{"a" 1'), Stopped(reason), FINISHED))
    assert done == "[DONE]"
    assert end == last or (last is None and end["error"]["type"] == "server_error")


PARTS = st.lists(
    st.builds(Text, st.text(min_size=1))
    | st.builds(Thinking, st.text(min_size=1))
    | st.builds(
        ToolCall, st.sampled_from(["c1", "c2"]), st.just("look"), st.sampled_from(["", "{}", '{"a":[1]}', '{"a'])
    ),
    max_size=5,
)


@given(PARTS, st.sampled_from(StopReason), st.builds(Usage, *[st.integers(0, 99)] * 4, st.none() | st.integers(0, 9)))
def test_the_stream_and_the_whole_reply_tell_the_same(parts: list[AnswerPart], stop: StopReason, usage: Usage) -> None:
    answer = Answer("up-1", "glm-4.6", tuple(parts), stop, usage, created=5)
    reader = OpenAiStreamReader()
    events = SseDecoder().feed(write(*unfold(answer), context=ASKED_USAGE))
    streamed = fold([delta for event in events for delta in reader.read(event)])
    assert write_answer(streamed, CONTEXT) == write_answer(read_answer(write_answer(answer, CONTEXT)), CONTEXT)
