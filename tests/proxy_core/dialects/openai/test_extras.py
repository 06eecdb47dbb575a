"""What an upstream says beyond our words reaches clients of its own dialect, even where its bytes cannot pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import Delta, Finished, Started, Stopped, StopReason, TextDelta
from proxy_core.dialects.fold import fold, unfold
from proxy_core.dialects.openai.answers import read_answer, write_answer
from proxy_core.dialects.openai.extras import Extras, extras_of, with_usage_extras
from proxy_core.dialects.openai.stream_reader import OpenAiStreamReader
from proxy_core.dialects.openai.stream_writer import OpenAiStreamWriter
from proxy_core.jsontypes import JsonObject
from tests.proxy_core.dialects.openai.builders import ASKED_USAGE, CONTEXT, chunk, event, payloads

DETAILS = [{"type": "reasoning.text", "text": "a"}]
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "cost": 0.1, "prompt_tokens_details": {"text_tokens": 2}}
BODY = {
    "id": "up-1",
    "created": 5,
    "model": "glm-4.6",
    "request_id": "r",
    "web_search": [{"link": "x"}],
    "usage": USAGE,
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "native_finish_reason": "end",
            "message": {"role": "assistant", "content": "Hi", "reasoning_details": DETAILS, "annotations": None},
        }
    ],
}
KEPT = Extras(
    {"request_id": "r", "web_search": [{"link": "x"}]},
    {"native_finish_reason": "end"},
    {"reasoning_details": DETAILS},
    {"cost": 0.1, "prompt_tokens_details": {"text_tokens": 2}},
)
DEEP: object = 1
for _ in range(250):
    DEEP = [DEEP]


def relay(*payloads_in: object) -> list[object]:
    """What a client of the same dialect is told of these chunks where they cannot pass."""
    reader, writer = OpenAiStreamReader(), OpenAiStreamWriter(ASKED_USAGE)
    deltas: list[Delta] = [delta for payload in payloads_in for delta in reader.read(event(payload))]
    return payloads(b"".join(writer.write(delta) for delta in deltas))


def test_a_whole_answer_keeps_them() -> None:
    answer = read_answer(BODY)
    assert answer.extras == KEPT
    told = write_answer(fold(unfold(answer)), CONTEXT)
    assert told.items() >= KEPT.body.items()
    (choice,) = told["choices"]
    assert (choice["native_finish_reason"], choice["message"]["reasoning_details"]) == ("end", DETAILS)
    assert (choice["message"]["content"], told["usage"]["cost"], told["usage"]["total_tokens"]) == ("Hi", 0.1, 7)


def test_a_stream_keeps_them() -> None:
    first = chunk({"content": "Hi", "reasoning_details": DETAILS}, request_id="r")
    last = chunk({"reasoning_details": DETAILS}, "stop", usage=USAGE, web_search=[{"link": "x"}])
    *said, end, usage, _ = relay(first, last, "[DONE]")
    assert {payload["request_id"] for payload in (*said, end, usage)} == {"r"}
    assert end["web_search"] == [{"link": "x"}]
    assert end["choices"][0]["delta"] == {"reasoning_details": DETAILS * 2}
    assert (usage["usage"]["cost"], usage["usage"]["prompt_tokens"]) == (0.1, 3)


@pytest.mark.parametrize("where", ["body", "choice", "message", "usage"])
def test_what_no_writer_takes_is_left_out(where: str) -> None:
    holders: dict[str, JsonObject] = {"body": chunk({}, "stop"), "message": {}, "usage": {}}
    holders["choice"] = holders["body"]["choices"][0]
    holders["choice"]["delta"], holders["body"]["usage"] = holders["message"], holders["usage"]
    holders[where]["odd"] = DEEP
    extras = Extras()
    extras.add(holders["body"], "delta")
    assert extras == Extras()


def test_an_answer_read_elsewhere_has_none() -> None:
    assert extras_of("of another dialect") == extras_of(None) == Extras()
    writer = OpenAiStreamWriter(CONTEXT)
    deltas = [Started("a", "m", extras=7), TextDelta("x"), Stopped(StopReason.END_TURN), Finished(extras="y")]
    assert payloads(b"".join(writer.write(delta) for delta in deltas))[-1] == "[DONE]"


def test_our_own_figures_hold() -> None:
    extras = Extras(usage={"cost": 1, "details": {"a": 1, "b": 2}, "total": {"x": 1}})
    told = with_usage_extras({"details": {"b": 3}, "total": 5}, extras)
    assert told == {"cost": 1, "details": {"a": 1, "b": 3}, "total": 5}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
OBJECTS = st.dictionaries(st.sampled_from(["id", "usage", "x", "y", "role", "content", "index"]), JSON, max_size=4)


@given(OBJECTS, OBJECTS, OBJECTS)
def test_whatever_there_is_can_be_told(body: JsonObject, choice: JsonObject, delta: JsonObject) -> None:
    odd = {**body, "choices": [{**choice, "delta": delta}]}
    assert relay(odd, odd, chunk({}, "stop"), "[DONE]")[-1] == "[DONE]"
