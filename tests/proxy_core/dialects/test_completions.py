"""Legacy completions: read as chat, written as text."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion

from proxy_core.chat import (
    Answer,
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
    ThinkingRequest,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.completions import DIALECT, CompletionsStreamWriter, read_request, write_answer
from proxy_core.dialects.fold import unfold
from proxy_core.errors import BadRequestError, ErrorKind, UpstreamError
from proxy_core.wire.sse import SseDecoder

Wire = dict[str, object]
CONTEXT, ASKED_USAGE = ReplyContext("asked", "fresh", 7), ReplyContext("asked", "fresh", 7, wants_usage=True)
ANSWER = Answer("up", "glm", (Thinking("Hm."), Text("one"), Text(" two")), StopReason.END_TURN, Usage(3, 1, 0, 5))
USAGE = {
    "prompt_tokens": 4,
    "completion_tokens": 5,
    "total_tokens": 9,
    "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0},
}


def body(**fields: object) -> Wire:
    return {"model": "glm-4.6", "prompt": "def f(", **fields}


@pytest.mark.parametrize("prompt", ["def f(", ["def f("]])
def test_a_prompt_is_one_user_message(prompt: object) -> None:
    (message,) = read_request(body(prompt=prompt)).messages
    assert (message.role, message.parts) == ("user", (Text("def f("),))


def test_a_suffix_makes_a_gap() -> None:
    system, user = read_request(body(suffix="return x")).messages
    assert (system.role, "nothing else" in system.parts[0].text) == ("system", True)
    assert user.parts == (Text("<prefix>def f(</prefix>\n<suffix>return x</suffix>"),)


def test_the_rest_is_read_as_chat() -> None:
    asked = body(max_tokens=9, stop=["\n"], temperature=0, stream=True, stream_options={"include_usage": True}, seed=1)
    read = read_request({**asked, "logprobs": None, "echo": False, "best_of": 1, "n": 1, "suffix": None})
    sampling = read.sampling
    assert (sampling.max_tokens, sampling.stop, sampling.temperature) == (9, ("\n",), 0)
    assert (read.stream, read.wants_usage, read.dropped) == (True, True, ("seed",))
    assert read.thinking == ThinkingRequest(enabled=False)


def test_what_belongs_to_chat_alone_is_not_read() -> None:
    read = read_request(body(messages="x", tools="x", functions="x", response_format="x", tool_choice="x"))
    assert (read.tools, read.json_format, read.tool_choice) == ((), None, None)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1, 2]]}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"echo": True}, "echo"),
        ({"logprobs": 0}, "logprobs"),
        ({"logprobs": 5}, "logprobs"),
        ({"best_of": 2}, "best_of"),
        ({"n": 2}, "n"),
        ({"suffix": 5}, "suffix"),
        ({"model": None}, "model"),
        ({"max_tokens": "x"}, "max_tokens"),
    ],
)
def test_refused_by_name(fields: Wire, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_request(body(**fields))
    assert caught.value.param == param


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x"]),
    lambda one: st.lists(one, max_size=2) | st.dictionaries(st.sampled_from(["type", "a"]), one, max_size=2),
    max_leaves=4,
)
FIELDS = ["prompt", "suffix", "echo", "best_of", "logprobs", "n", "stream", "stop", "thinking", "messages", "user"]


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4))
def test_any_body_is_read_or_refused(fields: Wire) -> None:
    try:
        read = read_request(body(**fields))
    except BadRequestError as error:
        assert error.param
    else:
        assert read.messages


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        (StopReason.END_TURN, "stop"),
        (StopReason.STOP_SEQUENCE, "stop"),
        (StopReason.TOOL_USE, "stop"),
        (StopReason.MAX_TOKENS, "length"),
        (StopReason.REFUSAL, "content_filter"),
    ],
)
def test_why_it_ended(stop: StopReason, finish: str) -> None:
    written = write_answer(Answer("up", "glm", (), stop), CONTEXT)
    assert written["choices"] == [{"text": "", "index": 0, "logprobs": None, "finish_reason": finish}]


def test_a_whole_reply() -> None:
    written = Completion.model_validate(write_answer(ANSWER, CONTEXT))
    assert (written.id, written.object, written.created, written.model) == ("cmpl-up", "text_completion", 7, "asked")
    assert (written.choices[0].text, written.model_extra) == ("one two", {})
    assert written.usage is not None
    assert written.usage.model_dump(exclude_none=True) == USAGE


def chunks(*deltas: Delta, context: ReplyContext = CONTEXT) -> list[object]:
    """What a client receives; a comment is None, the end mark is text."""
    writer = CompletionsStreamWriter(context)
    events = SseDecoder().feed(b"".join(writer.write(delta) for delta in deltas))
    data = [event.data for event in events]
    return [each.decode() if each == b"[DONE]" else orjson.loads(each) if each else None for each in data]


def chunk(text: str, finish: str | None = None, **more: object) -> Wire:
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
    head = {"id": "cmpl-up", "object": "text_completion", "created": 5, "model": "asked"}
    return {**head, "choices": [choice], **more}


STARTED = Started("up", "glm", Usage(3, 1), created=5)
ENDING = (Stopped(StopReason.END_TURN), UsageDelta(Usage(output_tokens=5)), Finished())


def test_a_stream() -> None:
    unseen = [ThinkingDelta("T"), BlockEnded(), ToolCallStarted(0, "c", "n"), ToolCallDelta(0, "{}"), TextDelta("")]
    said = [TextDelta("a"), Pinged(), TextDelta("b")]
    expected = [chunk("a"), None, chunk("b"), chunk("", "stop"), "[DONE]"]
    assert chunks(STARTED, *unseen, *said, *ENDING) == expected


def test_usage_is_told_to_those_who_asked() -> None:
    null = {"usage": None}
    last = chunk("") | {"choices": [], "usage": USAGE}
    expected = [chunk("a", **null), chunk("", "stop", **null), last, "[DONE]"]
    assert chunks(STARTED, TextDelta("a"), *ENDING, context=ASKED_USAGE) == expected


def test_a_broken_stream_ends_with_an_error() -> None:
    *_, failure, done = chunks(STARTED, TextDelta("a"), Failed(UpstreamError("Gone.", kind=ErrorKind.TIMEOUT)))
    expected = {"message": "Gone.", "type": "server_error", "param": None, "code": "timeout"}
    assert (failure, done) == ({"error": expected}, "[DONE]")


@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=3), st.sampled_from(StopReason))
def test_the_stream_and_the_whole_reply_tell_the_same(texts: list[str], stop: StopReason) -> None:
    answer = Answer("up", "glm", tuple(map(Text, texts)), stop, Usage(3, 1, 0, 5), created=5)
    *pieces, usage, _ = chunks(*unfold(answer), context=ASKED_USAGE)
    whole = DIALECT.write_answer(answer, CONTEXT)
    assert usage["usage"] == whole["usage"]
    (choice,) = whole["choices"]
    assert "".join(piece["choices"][0]["text"] for piece in pieces) == choice["text"]
    assert pieces[-1]["choices"][0]["finish_reason"] == choice["finish_reason"]
