"""Streams from an upstream: read into deltas, and relayed to a client of the same dialect."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import (
    BlockEnded,
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
from proxy_core.dialects.anthropic.stream import AnthropicStreamReader
from proxy_core.errors import ErrorKind
from proxy_core.wire.sse import SseDecoder, SseEvent
from tests.proxy_core.dialects.anthropic.events import END, PING, block, delta, event, message_delta, start, stop

STARTED = Started("msg_1", "glm-4.6", Usage(5))
STOPPED = [Stopped(StopReason.END_TURN), UsageDelta(Usage(5, output_tokens=7))]
TOOL_STOPPED = [Stopped(StopReason.TOOL_USE), UsageDelta(Usage(5, output_tokens=7))]
ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "look"}
GOLDEN = [
    start(input_tokens=5),
    PING,
    block(0, type="thinking", thinking="", signature=""),
    delta(0, "thinking_delta", thinking="hm"),
    delta(0, "signature_delta", signature="sig"),
    stop(0),
    block(1, type="text", text=""),
    delta(1, "text_delta", text="Grüße "),
    delta(1, "text_delta", text="👋"),
    stop(1),
    block(2, **TOOL, input={}),
    delta(2, "input_json_delta", partial_json=""),
    delta(2, "input_json_delta", partial_json='{"at":'),
    delta(2, "input_json_delta", partial_json='"x"}'),
    stop(2),
    message_delta("tool_use", input_tokens=4, cache_read_input_tokens=2, output_tokens=7),
    END,
]
GOLDEN_DELTAS = [
    STARTED,
    Pinged(),
    ThinkingDelta("hm"),
    ThinkingDelta(signature="sig"),
    BlockEnded(),
    TextDelta("Grüße "),
    TextDelta("👋"),
    BlockEnded(),
    ToolCallStarted(0, "toolu_1", "look"),
    ToolCallDelta(0, '{"at":'),
    ToolCallDelta(0, '"x"}'),
    BlockEnded(),
    Stopped(StopReason.TOOL_USE),
    UsageDelta(Usage(4, 2, 0, 7)),
    Finished(),
]


def read(*events):
    reader = AnthropicStreamReader()
    return [delta for each in events for delta in reader.read(each)] + reader.close()


def odd(data, name=""):
    return SseEvent(name, data, b"data: " + data + b"\n\n")


def test_a_whole_stream():
    assert read(*GOLDEN) == GOLDEN_DELTAS


@pytest.mark.parametrize(
    ("events", "deltas"),
    [
        pytest.param(
            [block(0, type="text", text="a"), stop(0)], [TextDelta("a"), BlockEnded()], id="text at the start"
        ),
        pytest.param(
            [block(0, type="thinking", thinking="a", signature="s"), stop(0)],
            [ThinkingDelta("a", "s"), BlockEnded()],
            id="thinking at the start",
        ),
        pytest.param(
            [block(0, type="redacted_thinking", data="d"), stop(0)],
            [ThinkingDelta(redacted="d"), BlockEnded()],
            id="redacted thinking",
        ),
        pytest.param(
            [block(0, type="server_tool_use", id="s"), delta(0, "input_json_delta", partial_json="{}"), stop(0)],
            [],
            id="server tools are not told",
        ),
        pytest.param(
            [block(0, type="odd"), delta(0, "text_delta", text="no"), stop(0), block(0, type="text"), stop(0)],
            [BlockEnded()],
            id="unknown block, then a known one in its place",
        ),
        pytest.param(
            [delta(0, "citations_delta", citation={}), delta(0, "odd"), event({"type": "odd"}), event({"type": ""})],
            [],
            id="unknown deltas and events",
        ),
        pytest.param(
            [delta(0, "text_delta", text=7), event({"type": "content_block_delta", "delta": "x"}), block([], type=[])],
            [],
            id="wrong types",
        ),
        pytest.param([delta(9, "text_delta", text="a")], [TextDelta("a")], id="text of a block that never began"),
        pytest.param([delta(9, "input_json_delta", partial_json="{}")], [], id="arguments of a call that never began"),
        pytest.param([start()], [], id="a second start"),
        pytest.param([SseEvent("", None, b": hi\n\n"), odd(b"", "ping"), PING], [Pinged()] * 3, id="heartbeats"),
        pytest.param([odd(b" ")], [Pinged()], id="a blank"),
        pytest.param([odd(b"[DONE] ")], [], id="the other dialect's end mark"),
        pytest.param(
            [block(0, type="thinking", thinking="a")], [ThinkingDelta("a")], id="unsigned thinking at the start"
        ),
        pytest.param(
            [block(0, type="odd"), delta(1, "text_delta", text="a")], [TextDelta("a")], id="beside an unknown one"
        ),
        pytest.param([delta(0, "thinking_delta", thinking=["a"])], [], id="thinking that is no text"),
    ],
)
def test_content(events, deltas):
    assert read(start(), *events, message_delta("end_turn"), END) == [STARTED, *deltas, *STOPPED, Finished()]


@pytest.mark.parametrize(
    ("events", "deltas"),
    [
        pytest.param(
            [block(0, **TOOL, input={"a": 1}), stop(0)],
            [ToolCallDelta(0, '{"a":1}'), BlockEnded()],
            id="input at the start",
        ),
        pytest.param([block(0, **TOOL), stop(0)], [ToolCallDelta(0, "{}"), BlockEnded()], id="no input"),
        pytest.param(
            [block(0, **TOOL, input={"a": 1}), delta(0, "input_json_delta", partial_json="{}"), stop(0)],
            [ToolCallDelta(0, "{}"), BlockEnded()],
            id="fragments before input",
        ),
    ],
)
def test_calls(events, deltas):
    expected = [STARTED, ToolCallStarted(0, "toolu_1", "look"), *deltas, *TOOL_STOPPED, Finished()]
    assert read(start(), *events, message_delta("end_turn"), END) == expected


def test_without_event_lines_and_without_a_start():
    events = [SseEvent("", each.data, b"") for each in (delta(0, "text_delta", text="a"), END)]
    guessed = UsageDelta(Usage(output_tokens=1))
    expected = [Started("", ""), TextDelta("a"), Stopped(StopReason.END_TURN), guessed, Finished()]
    assert read(*events, SseEvent("", END.data, b"")) == expected


@pytest.mark.parametrize(
    ("data", "deltas"),
    [
        (delta(0, "text_delta", text="a?").data.replace(b"?", b"\\ud83d"), [TextDelta("a\ufffd")]),
        (delta(0, "text_delta", text="?").data.replace(b"?", b"\\ude00b"), [TextDelta("\ufffdb")]),
        (delta(0, "text_delta", text="?").data.replace(b"?", b"\\ud83d\\ude00\\ud83d"), [TextDelta("😀\ufffd")]),
        (delta(0, "text_delta", text="a", x=0).data.replace(b"0}", b"NaN}"), [TextDelta("a")]),
        (message_delta(None, output_tokens=3).data.replace(b"3}", b"Infinity}"), [UsageDelta(Usage(5))]),
        (delta(0, "text_delta", text="a?").data.replace(b"?", b"\xff"), [TextDelta("a\ufffd")]),
    ],
)
def test_what_only_lenient_parsers_take_is_read(data, deltas):
    assert read(start(), odd(data), message_delta("end_turn"), END) == [STARTED, *deltas, *STOPPED, Finished()]


def test_an_end_without_a_reason_behind_closed_blocks_is_an_end():
    assert read(start(), block(0, **TOOL), stop(0), END)[-2:] == [Stopped(StopReason.TOOL_USE), Finished()]


def test_the_name_stands_in_for_a_missing_type():
    assert read(start(), SseEvent("message_stop", b"{}", b""))[-1] == Finished()


def test_usage_of_the_end_is_laid_over_that_of_the_start():
    events = [start(input_tokens=0, output_tokens=0), message_delta("end_turn", output_tokens=3), END]
    assert read(*events)[0].usage == Usage()
    assert UsageDelta(Usage(output_tokens=3)) in read(*events)


def test_the_end_of_the_body_after_the_stop_reason_is_an_end():
    assert read(start(), message_delta("end_turn")) == [STARTED, *STOPPED, Finished()]


@pytest.mark.parametrize(
    ("events", "kind", "message"),
    [
        pytest.param([], ErrorKind.SERVER, "closed the stream before", id="nothing at all"),
        pytest.param([start(), delta(0, "text_delta", text="a")], ErrorKind.SERVER, "closed the stream", id="cut"),
        pytest.param([start(), message_delta(None)], ErrorKind.SERVER, "closed the stream", id="usage is no end"),
        pytest.param([start(), event(ERROR), END], ErrorKind.OVERLOADED, "busy", id="error event"),
        pytest.param(
            [odd(b'{"success":false,"code":1302,"msg":"slow"}')], ErrorKind.RATE_LIMIT, "slow", id="error body"
        ),
        pytest.param(
            [event({"type": "error", "error": {"message": "[1310][Used up.][t]"}})],
            ErrorKind.RATE_LIMIT,
            r"^Used up\. Wait until the limit resets",
            id="code in the message",
        ),
        pytest.param([start(), message_delta("network_error"), END], ErrorKind.SERVER, "lost its own", id="odd stop"),
        pytest.param([start(), odd(b'{"type":"ping"'), END], ErrorKind.SERVER, "could not be read", id="broken JSON"),
        pytest.param([start(), odd(b"[1]"), END], ErrorKind.SERVER, "could not be read", id="no object"),
        pytest.param(
            [start(), block(0, **TOOL), delta(0, "input_json_delta", partial_json='{"a'), END],
            ErrorKind.SERVER,
            "closed the stream",
            id="an end inside of a call",
        ),
        pytest.param([start(), block(0, type="text", text="a"), END], ErrorKind.SERVER, "closed", id="inside of text"),
    ],
)
def test_failures_come_last(events, kind, message):
    *before, failed = read(*events)
    assert isinstance(failed, Failed)
    assert not any(isinstance(each, (Failed, Finished)) for each in before)
    assert failed.error.kind == kind
    with pytest.raises(type(failed.error), match=message):
        raise failed.error


@given(st.data())
def test_any_cut_of_the_bytes_means_the_same(data):
    raw = b"".join(each.raw for each in GOLDEN)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=6)))
    decoder = SseDecoder()
    pieces = [raw[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    events = [each for piece in pieces for each in decoder.feed(piece)] + decoder.flush()
    assert read(*events) == GOLDEN_DELTAS


WORDS = ["message", "content_block", "delta", "usage", "index", "error", "id", "text", "input", "stop_reason", "type"]
KINDS = ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "error"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from([*KINDS, "tool_use", "text_delta", "\n"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=10,
)
ODD_EVENTS = (
    st.builds(
        lambda kind, rest: orjson.dumps({**rest, "type": kind}),
        st.sampled_from(KINDS) | JSON,
        st.dictionaries(st.sampled_from(WORDS), JSON, max_size=4),
    )
    | st.builds(orjson.dumps, JSON)
    | st.binary(max_size=8)
)


@given(st.lists(ODD_EVENTS, max_size=6))
def test_no_event_is_too_odd(datas):
    events = [odd(data) for data in datas]
    *before, last = read(*events)
    assert isinstance(last, (Failed, Finished))
    assert not any(isinstance(each, (Failed, Finished)) for each in before)
