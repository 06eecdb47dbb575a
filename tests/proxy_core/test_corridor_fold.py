"""A stream is the plain answer, told in pieces: on every leg, however it is cut."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy_core.chat import Answer, AnswerPart, StopReason, Text, Thinking, ToolCall, Usage
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.crossing import Crossing
from proxy_core.dialects.table import DIALECTS
from proxy_core.events import EventBus
from proxy_core.pipeline.record import ExchangeRecord
from proxy_core.pipeline.setup import Call
from proxy_core.pipeline.stream import StreamedReply
from proxy_core.wire.sse import SseDecoder
from tests.corridor import Corridor
from tests.fake_upstream import Reply
from tests.legs import LEGS, Heard, Leg, ask, request

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | WORDS, lambda one: st.lists(one, max_size=2), max_leaves=3
)
ARGUMENTS = st.dictionaries(WORDS, VALUES, max_size=2).flatmap(
    lambda value: st.sampled_from([json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)])
)
COUNTS = st.integers(1, 10**6)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Any answer that both dialects can tell: thinking, then text, then calls."""
    parts: list[AnswerPart] = [Thinking(text) for text in draw(st.lists(WORDS, max_size=1))]
    parts += [Text(text) for text in draw(st.lists(WORDS, max_size=1))]
    calls = draw(st.lists(ARGUMENTS, max_size=3))
    parts += [ToolCall(f"call_{number}", f"tool_{number}", text) for number, text in enumerate(calls)]
    stop = StopReason.TOOL_USE if calls else draw(st.sampled_from([StopReason.END_TURN, StopReason.MAX_TOKENS]))
    return Answer("x1", "glm-4.6", tuple(parts), stop, Usage(draw(COUNTS), draw(COUNTS), 0, draw(COUNTS)))


def expected(answer: Answer, leg: Leg) -> Heard:
    """What a client must have understood."""
    words = {StopReason.TOOL_USE: "tool_calls", StopReason.END_TURN: "stop", StopReason.MAX_TOKENS: "length"}
    calls = [part for part in answer.parts if isinstance(part, ToolCall)]
    return Heard(
        "",
        leg.model,
        "".join(part.text for part in answer.parts if isinstance(part, Text)),
        "".join(part.text for part in answer.parts if isinstance(part, Thinking)),
        tuple((call.id, call.name, json.loads(call.arguments)) for call in calls),
        answer.stop.value if leg.client == "anthropic" else words[answer.stop],
        answer.usage.prompt_tokens,
        answer.usage.cached_tokens,
        answer.usage.output_tokens,
    )


@pytest.mark.parametrize("leg", LEGS, ids=str)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(answer=answers(), step=st.integers(1, 9), piece_bytes=st.integers(16, 300))
async def test_a_folded_stream_is_the_plain_answer(
    corridor: Corridor, leg: Leg, answer: Answer, step: int, piece_bytes: int
) -> None:
    corridor.upstream.reply = Reply(
        answer=answer,
        piece_bytes=piece_bytes,
        split=lambda text: [text[start : start + step] for start in range(0, len(text), step)],
    )
    plain = await ask(corridor, leg, request("go"), stream=False)
    streamed = await ask(corridor, leg, request("go"), stream=True)
    assert streamed == plain == replace(expected(answer, leg), id=plain.id)
    assert plain.id


SMALL = Answer(
    "x1",
    "glm-4.6",
    (Thinking("Hm…"), Text("é🙂\n"), ToolCall("c1", "now", '{"a":"ü"}'), ToolCall("c2", "then", "{}")),
    StopReason.TOOL_USE,
    Usage(7, 0, 0, 3),
)


class _Pieces:
    """An upstream whose body comes in these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    async def chunks(self, beat_s: float = 0) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


async def told(leg: Leg, *pieces: bytes) -> tuple[bytes, str]:
    """What the client is sent for these pieces, and the outcome."""
    client, upstream = DIALECTS[leg.client], DIALECTS[leg.upstream]
    context = ReplyContext("glm-4.6", "fresh", 1, wants_usage=True, estimate_prompt=lambda: 7)
    record = ExchangeRecord(Call("r1", "/", client, {}), EventBus(), lambda: 0.0)
    writer = client.open_writer(context)
    relay = Crossing(upstream.open_reader(), writer) if leg.is_crossing else upstream.open_relay(context)
    reply = StreamedReply(_Pieces(*pieces), relay, record, writer.write, {}, 10.0)
    out = b"".join([chunk async for chunk in reply.chunks()])
    return out, record.exchange.outcome


def body_of(leg: Leg) -> bytes:
    return Reply(answer=SMALL, split=lambda text: [text]).render(leg.upstream, stream=True)


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_no_cut_between_two_bytes_changes_anything(leg: Leg) -> None:
    body = body_of(leg)
    whole = await told(leg, body)
    assert whole[1] == "done"
    assert "🙂".encode() in whole[0]
    for place in range(1, len(body)):
        assert await told(leg, body[:place], body[place:]) == whole, place
    assert await told(leg, *(body[place : place + 1] for place in range(len(body)))) == whole


def assert_readable(out: bytes) -> None:
    """Whatever carries data carries JSON, or the end mark: an SDK stumbles over anything else."""
    for event in SseDecoder().feed(out):
        if event.data is None:
            assert event.raw.startswith(b":")
        elif event.data != b"[DONE]":
            assert isinstance(orjson.loads(event.data), dict)


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize(
    "heartbeat", [b"data:\n\n", b"data: \n\n", b"event: ping\ndata:\n\n", b"event: ping\n\n", b": hi\n\n"]
)
async def test_empty_events_stay_readable(leg: Leg, heartbeat: bytes) -> None:
    first, rest = body_of(leg).split(b"\n\n", 1)
    out, outcome = await told(leg, first + b"\n\n" + heartbeat + rest)
    assert outcome == "done"
    assert_readable(out)


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_a_stream_that_ends_early_anywhere_is_a_failure(leg: Leg) -> None:
    body = body_of(leg)
    last = b"message_delta\ndata: " if leg.upstream == "anthropic" else b'"finish_reason":"'
    complete = body.index(b"\n\n", body.index(last))
    ending = b"message_stop" if leg.client == "anthropic" else b'"finish_reason":"'
    for place in range(complete):
        out, outcome = await told(leg, body[:place])
        assert (outcome, b'"error"' in out, ending in out) == ("failed", True, False), place
        assert_readable(out)
    # Once the model said why it stopped, nothing is lost by a missing end mark.
    for place in (complete, complete + 1, complete + 2, len(body)):
        assert (await told(leg, body[:place]))[1] == "done", place
