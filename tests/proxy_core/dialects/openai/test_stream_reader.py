"""z.ai's streams, read: dialogues of chunks against deltas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import (
    Delta,
    Failed,
    Finished,
    Pinged,
    Started,
    Stopped,
    StopReason,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from proxy_core.dialects.arguments import made_id
from proxy_core.dialects.openai.stream_reader import OpenAiStreamReader
from proxy_core.errors import ErrorKind
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.sse import SseDecoder, SseEvent, encode_event, encode_json
from tests.proxy_core.dialects.openai.builders import chunk, event, piece, read_all

STARTED = Started("up-1", "glm-4.6", created=5)
STOP, FINISHED = Stopped(StopReason.END_TURN), Finished()
USED = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 8}}
USAGE = UsageDelta(Usage(2, 8, 0, 5))
TEXT = chunk({"role": "assistant", "content": "Hi"})
LOOK = chunk({"tool_calls": [piece(0, "c1", "look", "{}")]})
CALLED = [ToolCallStarted(0, "c1", "look"), ToolCallDelta(0, "{}")]
END = chunk({}, "stop")


@pytest.mark.parametrize(
    ("payloads", "deltas"),
    [
        ([TEXT, END, "[DONE]"], [STARTED, TextDelta("Hi"), STOP, FINISHED]),
        ([chunk({"content": "Hi"}, "stop"), "[DONE]"], [STARTED, TextDelta("Hi"), STOP, FINISHED]),
        ([chunk({"content": ""}), END, "[DONE]"], [STARTED, STOP, FINISHED]),
        ([chunk({"content": [{"text": "H"}, {"text": "i"}]}), END], [STARTED, TextDelta("Hi"), STOP, FINISHED]),
        ([chunk({"refusal": "No."}), END], [STARTED, TextDelta("No."), STOP, FINISHED]),
        # Reasoning under its three names, before text in the same chunk.
        ([chunk({"reasoning_content": "T", "content": "A"}), END],
         [STARTED, ThinkingDelta("T"), TextDelta("A"), STOP, FINISHED]),
        ([chunk({"reasoning": "T"}), END], [STARTED, ThinkingDelta("T"), STOP, FINISHED]),
        ([chunk({"reasoning_details": [{"text": "T"}]}), END], [STARTED, ThinkingDelta("T"), STOP, FINISHED]),
        # Tool calls, and a finish_reason that contradicts them.
        ([LOOK, chunk({}, "tool_calls"), "[DONE]"], [STARTED, *CALLED, Stopped(StopReason.TOOL_USE), FINISHED]),
        ([LOOK, END], [STARTED, *CALLED, Stopped(StopReason.TOOL_USE), FINISHED]),
        ([TEXT, chunk({}, "tool_calls")], [STARTED, TextDelta("Hi"), STOP, FINISHED]),
        ([chunk({"function_call": {"name": "old"}}), chunk({"function_call": {"arguments": "{}"}}), END],
         [STARTED, ToolCallStarted(0, made_id("up-1", 0), "old"), ToolCallDelta(0, "{}"),
          Stopped(StopReason.TOOL_USE), FINISHED]),
        # z.ai's own finish reasons.
        ([chunk({}, "sensitive")], [STARTED, Stopped(StopReason.REFUSAL), FINISHED]),
        ([chunk({}, "model_context_window_exceeded")], [STARTED, Stopped(StopReason.CONTEXT_EXCEEDED), FINISHED]),
        ([chunk({}, "length")], [STARTED, Stopped(StopReason.MAX_TOKENS), FINISHED]),
        # Usage: on the last chunk, on any, after the end, with and without choices.
        ([TEXT, chunk({}, "stop", usage=USED), "[DONE]"], [STARTED, TextDelta("Hi"), STOP, USAGE, FINISHED]),
        ([TEXT | {"usage": USED}, END], [STARTED, TextDelta("Hi"), USAGE, STOP, FINISHED]),
        ([END, END | {"choices": [], "usage": USED}, "[DONE]"], [STARTED, STOP, USAGE, FINISHED]),
        ([END, {"usage": USED}], [STARTED, STOP, USAGE, FINISHED]),
        ([END | {"usage": None}], [STARTED, STOP, FINISHED]),
        # Ends: said twice, chunks behind it, [DONE] missing, finish_reason missing.
        ([END, END, TEXT, "[DONE]"], [STARTED, STOP, FINISHED]),
        ([END, "[DONE]", TEXT, "[DONE]", "{"], [STARTED, STOP, FINISHED]),
        ([TEXT, "[DONE]"], [STARTED, TextDelta("Hi"), STOP, FINISHED]),
        ([LOOK, " [DONE] "], [STARTED, *CALLED, Stopped(StopReason.TOOL_USE), FINISHED]),
        ([chunk({}, ""), TEXT, END], [STARTED, TextDelta("Hi"), STOP, FINISHED]),
        # Odd but harmless.
        ([{}, {"choices": None}, {"choices": [3]}, {"choices": [{"delta": 3, "usage": 3}]}, END],
         [Started("", ""), STOP, FINISHED]),
        (["", TEXT, END], [STARTED, TextDelta("Hi"), STOP, FINISHED]),
    ],
)  # fmt: skip
def test_streams_that_end_well(payloads: list[object], deltas: list[Delta]) -> None:
    assert read_all(*payloads) == deltas


@pytest.mark.parametrize(
    ("payloads", "kind", "status", "message"),
    [
        ([], ErrorKind.SERVER, 502, "closed the stream"),
        (["[DONE]"], ErrorKind.SERVER, 502, "without an answer"),
        ([TEXT], ErrorKind.SERVER, 502, "closed the stream"),
        # [DONE] without a finish_reason amid the arguments of a call, or before any.
        ([chunk({"tool_calls": [piece(0, "c1", "look", '{"a":"rm')]}), "[DONE]"], ErrorKind.SERVER, 502, "amid a tool"),
        ([chunk({"tool_calls": [piece(0, "c1", "look", "")]}), "[DONE]"], ErrorKind.SERVER, 502, "amid a tool"),
        ([chunk({"tool_calls": [piece(0, None, "look", "{")]}), "[DONE]"], ErrorKind.SERVER, 502, "amid a tool"),
        ([LOOK, chunk({"tool_calls": [piece(1, "c2", "look", "[1")]}), "[DONE]"], ErrorKind.SERVER, 502, "amid a tool"),
        ([TEXT, "{"], ErrorKind.SERVER, 502, "not JSON"),
        ([TEXT, "[1]"], ErrorKind.SERVER, 502, "not JSON"),
        ([TEXT, chunk({}, "network_error"), "[DONE]"], ErrorKind.SERVER, 502, "lost its own connection"),
        ([{"error": {"code": "1302", "message": "Slow down"}}], ErrorKind.RATE_LIMIT, 429, "Slow down"),
        ([TEXT, {"error": {"code": "1305", "message": "Busy"}}, END], ErrorKind.OVERLOADED, 529, "Busy"),
        ([{"success": False, "code": 1261, "msg": "Too long"}], ErrorKind.BAD_REQUEST, 400, "Too long"),
    ],
)
def test_streams_that_break_fail_once_and_last(
    payloads: list[object], kind: ErrorKind, status: int, message: str
) -> None:
    *before, last = read_all(*payloads)
    assert isinstance(last, Failed)
    assert (last.error.kind, last.error.status) == (kind, status)
    assert message in last.error.message
    assert not any(isinstance(delta, (Failed, Finished, Stopped)) for delta in before)


def test_comments_mean_that_the_upstream_lives() -> None:
    reader = OpenAiStreamReader()
    comment = SseEvent("", None, b": hi\n\n")
    assert reader.read(comment) == [Pinged()]
    reader.read(event("{"))
    assert (reader.is_over, reader.read(comment), reader.close()) == (True, [], [])


ALMOST = '{"id":"up-1","model":"glm-4.6","created":5,"x":%s,"choices":[{"delta":{"content":"%s"}}]}'


@pytest.mark.parametrize(
    ("extra", "text", "told"),
    [
        ("1", r"a\ud83d", "a\ufffd"),
        ("1", r"\ude00 b\ud83d\ude00", "\ufffd b\U0001f600"),
        ("NaN", "a", "a"),
        ("[-Infinity,1e999,1.5]", "a", "a"),
    ],
)
def test_what_is_json_only_almost_is_read(extra: str, text: str, told: str) -> None:
    assert read_all(ALMOST % (extra, text), END) == [STARTED, TextDelta(told), STOP, FINISHED]


GOLDEN = (
    chunk({"role": "assistant", "reasoning_content": "Wetter? 天气"}),
    chunk({"content": "Ich sehe nach… ☂️"}),
    chunk({"tool_calls": [piece(0, "c1", "look", "")]}),
    chunk({"tool_calls": [piece(0, arguments='{"city":"München"}')]}),
    chunk({}, "tool_calls", usage=USED),
)


@given(st.lists(st.integers(1, 60), max_size=30))
def test_any_cut_of_the_bytes_means_the_same(cuts: list[int]) -> None:
    stream = b": hi\n\n" + b"".join(encode_json(payload) for payload in GOLDEN) + encode_event(b"[DONE]")
    decoder, reader = SseDecoder(), OpenAiStreamReader()
    deltas: list[Delta] = []
    start = 0
    for size in [*cuts, len(stream)]:
        for found in decoder.feed(stream[start : start + size]):
            deltas += reader.read(found)
        start += size
    assert deltas == [Pinged(), *read_all(*GOLDEN, "[DONE]")]


KEYS = ["choices", "delta", "content", "tool_calls", "index", "id", "function", "name", "arguments", "usage", "error"]
KEYS += ["finish_reason", "reasoning_details", "text", "created", "function_call", "prompt_tokens", "message"]
NOISE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def wrapped(noise: object) -> list[JsonObject]:
    """The same noise at each depth where a reader looks."""
    return [
        chunk({"tool_calls": [noise]}),
        chunk({"tool_calls": noise, "content": noise}),
        {"choices": [noise]},
        {"choices": noise, "usage": noise},
        {"error": noise, "created": noise},
    ]


@given(st.lists(NOISE, max_size=4), st.binary(max_size=20))
def test_nothing_makes_the_reader_raise(noises: list[object], junk: bytes) -> None:
    reader = OpenAiStreamReader()
    deltas: list[Delta] = []
    for payload in [part for noise in noises for part in wrapped(noise)]:
        deltas += reader.read(event(payload))
    deltas += reader.read(SseEvent("", junk, junk)) + reader.close()
    assert isinstance(deltas[-1], (Finished, Failed))
    assert sum(isinstance(delta, (Finished, Failed)) for delta in deltas) == 1
