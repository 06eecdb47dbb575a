"""Deltas, written as a client's stream."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import (
    Answer,
    BlockEnded,
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
from proxy_core.dialects.anthropic.answers import write_answer
from proxy_core.dialects.anthropic.asked import Asked
from proxy_core.dialects.anthropic.stream import AnthropicStreamReader
from proxy_core.dialects.anthropic.writer import AnthropicStreamWriter
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.crossing import Telling
from proxy_core.dialects.fold import fold, unfold
from proxy_core.errors import ErrorKind, UpstreamError
from proxy_core.wire.sse import SseDecoder
from tests.proxy_core.dialects.anthropic.events import assert_legal, folded, sent

CONTEXT = ReplyContext(model="claude-x", fresh_id="f", created=0, estimate_prompt=lambda: 90, request_id="req_1")
STARTED = Started("x", "glm-4.6")
END = [Stopped(StopReason.END_TURN), UsageDelta(Usage(4, 2, 0, 7)), Finished()]


def begin(index, call_id=None):
    return ToolCallStarted(index, f"c{index}" if call_id is None else call_id, f"tool{index}")


def more(index, fragment):
    return ToolCallDelta(index, fragment)


def write(*deltas):
    writer = AnthropicStreamWriter(CONTEXT)
    return b"".join(writer.write(delta) for delta in deltas)


def content(*deltas):
    """What the client has in the end; calls as (name, input)."""
    blocks = folded(sent(write(STARTED, *deltas, *END)))["content"]
    return [(each["name"], each["input"]) if each["type"] == "tool_use" else each for each in blocks]


def text(said):
    return {"type": "text", "text": said}


def test_the_golden_sequence():
    deltas = [ThinkingDelta("hm"), begin(0), more(0, '{"at":'), more(0, '"x"}'), Stopped(StopReason.END_TURN)]
    payloads = sent(write(STARTED, *deltas, UsageDelta(Usage(4, 2, 0, 7, 3)), Finished()))
    zero = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    message = {"id": "msg_x", "type": "message", "role": "assistant", "model": "claude-x", "content": []}
    begun = {**message, "stop_reason": None, "stop_sequence": None}
    use = {"type": "tool_use", "id": "c0", "name": "tool0", "input": {}}
    last = {"stop_reason": "tool_use", "stop_sequence": None}
    usage = {"input_tokens": 4, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 2, "output_tokens": 7}
    changes = [
        (0, {"type": "thinking_delta", "thinking": "hm"}),
        (0, {"type": "signature_delta", "signature": payloads[3]["delta"]["signature"]}),
        (1, {"type": "input_json_delta", "partial_json": '{"at":'}),
        (1, {"type": "input_json_delta", "partial_json": '"x"}'}),
    ]
    hm, signature, first, second = (
        {"type": "content_block_delta", "index": n, "delta": change} for n, change in changes
    )
    assert payloads == [
        {"type": "message_start", "message": {**begun, "usage": {"input_tokens": 90, **zero, "output_tokens": 1}}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        *(hm, signature, {"type": "content_block_stop", "index": 0}),
        {"type": "content_block_start", "index": 1, "content_block": use},
        *(first, second, {"type": "content_block_stop", "index": 1}),
        {"type": "message_delta", "delta": last, "usage": {**usage, "output_tokens_details": {"thinking_tokens": 3}}},
        {"type": "message_stop"},
    ]
    assert payloads[3]["delta"]["signature"].startswith("zp1.")


@pytest.mark.parametrize(
    ("deltas", "blocks"),
    [
        pytest.param([], [text("")], id="nothing said"),
        pytest.param([TextDelta(""), ThinkingDelta()], [text("")], id="only empty deltas"),
        pytest.param([TextDelta("a"), TextDelta("b")], [text("ab")], id="one block"),
        pytest.param(
            [TextDelta("a"), BlockEnded(), BlockEnded(), TextDelta("b")], [text("a"), text("b")], id="two blocks"
        ),
        pytest.param(
            [ThinkingDelta("a"), ThinkingDelta("b", "sig"), ThinkingDelta("c", "sig2")],
            [
                {"type": "thinking", "thinking": "ab", "signature": "sig"},
                {"type": "thinking", "thinking": "c", "signature": "sig2"},
            ],
            id="a signature ends its thinking",
        ),
        pytest.param(
            [ThinkingDelta(signature="sig"), TextDelta("a")],
            [{"type": "thinking", "thinking": "", "signature": "sig"}, text("a")],
            id="a signature alone",
        ),
        pytest.param(
            [TextDelta("a"), ThinkingDelta(redacted="d"), TextDelta("b")],
            [text("a"), {"type": "redacted_thinking", "data": "d"}, text("b")],
            id="redacted thinking",
        ),
    ],
)
def test_text_and_thinking(deltas, blocks):
    assert content(*deltas) == blocks


@pytest.mark.parametrize(
    ("deltas", "blocks"),
    [
        pytest.param([begin(0)], [("tool0", {})], id="no arguments"),
        pytest.param([begin(0), more(0, ""), more(0, " ")], [("tool0", {})], id="blank arguments"),
        pytest.param([begin(0), more(0, " "), more(0, '\n{"a":1} ')], [("tool0", {"a": 1})], id="blank in front"),
        pytest.param([begin(0), more(0, '{"a": [1, "b')], [("tool0", {"a": [1, "b"]})], id="cut off"),
        pytest.param([begin(0), more(0, "nu"), more(0, "ll")], [("tool0", {})], id="null"),
        pytest.param([begin(0), more(0, "[1"), more(0, "2]")], [("tool0", {"value": [12]})], id="no object"),
        pytest.param([begin(0), more(0, r'"{\"a\"'), more(0, r':1}"')], [("tool0", {"a": 1})], id="encoded twice"),
        pytest.param([begin(0), more(0, "rm -rf")], [("tool0", {"_raw": "rm -rf"})], id="no JSON"),
        pytest.param(
            [begin(0), more(0, "{}"), begin(1), more(1, "{}")], [("tool0", {}), ("tool1", {})], id="one after the other"
        ),
        pytest.param(
            [begin(0), more(0, "{}"), BlockEnded(), begin(1), BlockEnded(), TextDelta("a")],
            [("tool0", {}), ("tool1", {}), text("a")],
            id="with ends",
        ),
        pytest.param(
            [begin(0), begin(1), more(1, '{"b":'), more(0, '{"a":'), more(1, "1}"), more(0, "1}")],
            [("tool0", {"a": 1}), ("tool1", {"b": 1})],
            id="interleaved",
        ),
        pytest.param(
            [
                begin(0),
                begin(1),
                begin(2),
                more(2, "{}"),
                more(1, '{"b":1}'),
                more(0, '{"a":'),
                more(2, " "),
                more(0, "1}"),
            ],
            [("tool0", {"a": 1}), ("tool1", {"b": 1}), ("tool2", {})],
            id="interleaved, last first",
        ),
        pytest.param(
            [begin(0), more(0, '{"a":'), TextDelta("t"), ThinkingDelta("h", "s"), more(0, "1}"), TextDelta("u")],
            [("tool0", {"a": 1}), text("t"), {"type": "thinking", "thinking": "h", "signature": "s"}, text("u")],
            id="text between fragments waits",
        ),
        pytest.param(
            [begin(0), begin(1), more(1, "{}"), BlockEnded(), more(0, "{}"), TextDelta("t")],
            [("tool0", {}), ("tool1", {}), text("t")],
            id="the end of a call that waits",
        ),
        pytest.param([begin(0), more(0, "{}"), BlockEnded(), more(0, " \n")], [("tool0", {})], id="a late blank"),
    ],
)
def test_calls(deltas, blocks):
    assert content(*deltas) == blocks


@pytest.mark.parametrize("fragments", [['{"a":'], [" ", "\n", '{"a":'], ["{", '"a":']])
def test_the_open_call_is_written_as_it_comes(fragments):
    payloads = sent(write(STARTED, begin(0), *(more(0, fragment) for fragment in fragments)))
    assert "".join(each["delta"]["partial_json"] for each in payloads[2:]).strip() == '{"a":'


def test_the_next_call_is_written_as_soon_as_the_first_is_whole():
    assert b'partial_json":"{\\"b\\":' in write(STARTED, begin(0), more(0, "{}"), begin(1), more(1, '{"b":'))


def test_a_call_without_an_id_gets_one():
    blocks = folded(sent(write(STARTED, begin(0, ""), begin(1, ""), *END)))["content"]
    assert [each["id"] for each in blocks] == ["toolu_f_0", "toolu_f_1"]


@pytest.mark.parametrize(
    ("reason", "deltas", "word"),
    [
        (StopReason.END_TURN, [TextDelta("a")], "end_turn"),
        (StopReason.END_TURN, [begin(0)], "tool_use"),
        (StopReason.TOOL_USE, [TextDelta("a")], "end_turn"),
        (StopReason.MAX_TOKENS, [begin(0)], "max_tokens"),
        (StopReason.CONTEXT_EXCEEDED, [], "max_tokens"),
        (StopReason.REFUSAL, [], "refusal"),
    ],
)
def test_stop_reasons(reason, deltas, word):
    message = folded(sent(write(STARTED, *deltas, Stopped(reason), Finished())))
    assert message["stop_reason"] == word
    assert ("stop_details" in message) is (word == "refusal")


@pytest.mark.parametrize(
    ("started", "later", "begun", "ended"),
    [
        (None, None, 90, (90, 0, 2)),
        (Usage(), None, 90, (90, 0, 2)),
        (Usage(5, 3), None, 5, (5, 3, 2)),
        (Usage(), Usage(4, 2, 0, 7), 90, (4, 2, 7)),
        (Usage(5), Usage(output_tokens=7), 5, (5, 0, 7)),
    ],
)
def test_usage(started, later, begun, ended):
    reported = [UsageDelta(later)] if later else []
    payloads = sent(write(replace(STARTED, usage=started), TextDelta("12345"), *reported, Finished()))
    usage = folded(payloads)["usage"]
    assert payloads[0]["message"]["usage"]["input_tokens"] == begun
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == ended


BUSY = UpstreamError("busy", kind=ErrorKind.OVERLOADED)
BAD = "The upstream sent tool arguments that are not JSON."
LATE = "The upstream sent arguments of a tool call that had already ended."


@pytest.mark.parametrize(
    ("deltas", "message"),
    [
        pytest.param([Failed(BUSY)], "busy", id="at once"),
        pytest.param([STARTED, TextDelta("a"), Failed(BUSY)], "busy", id="in a block"),
        pytest.param([STARTED, begin(0), more(0, '{"a":1}}'), begin(1), more(1, "{}"), *END], BAD, id="bad arguments"),
        pytest.param([STARTED, begin(0), more(0, "{a"), BlockEnded(), *END], BAD, id="bad arguments, ended"),
        pytest.param([STARTED, begin(0), begin(1), more(1, "{a"), TextDelta("t"), *END], BAD, id="bad held arguments"),
        pytest.param(
            [STARTED, begin(0), begin(1), more(1, "{a"), BlockEnded(), TextDelta("t"), *END], BAD, id="held end"
        ),
        pytest.param([STARTED, begin(0), BlockEnded(), more(0, "{}"), *END], LATE, id="late arguments"),
    ],
)
def test_failures_end_the_stream(deltas, message):
    payloads = sent(write(*deltas, TextDelta("more"), Pinged(), Failed(BUSY), Finished()))
    assert (payloads[-1]["type"], payloads[-1]["request_id"]) == ("error", "req_1")
    assert payloads[-1]["error"]["message"] == message
    assert not any(each["type"] in ("error", "message_delta", "message_stop") for each in payloads[:-1])


def test_an_end_that_cannot_be_encoded_leaves_room_for_an_error():
    writer = AnthropicStreamWriter(CONTEXT)
    writer.write(STARTED)
    with pytest.raises(TypeError):
        writer.write(UsageDelta(Usage(output_tokens=2**70))) + writer.write(Finished())
    assert sent(writer.write(Failed(BUSY)))[0]["type"] == "error"


def test_nothing_follows_the_end():
    assert write(STARTED, *END, TextDelta("a"), Pinged(), Failed(BUSY), Finished()) == write(STARTED, *END)


def test_content_before_the_start_and_a_second_start():
    message = folded(sent(write(Pinged(), TextDelta("a"), STARTED, *END)))
    assert (message["id"], message["content"]) == ("msg_f", [text("a")])


def test_pings_are_comments_until_the_message_begins():
    assert write(Pinged()) == b": keep-alive\n\n"
    assert write(STARTED, Pinged()).endswith(b'\n\nevent: ping\ndata: {"type":"ping"}\n\n')


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({}, "max_tokens"),
        ({"anthropic-version": "2023-06-01", "anthropic-beta": "a-2025-01-01"}, "max_tokens"),
        ({"anthropic-version": "2026-10-21"}, "model_context_window_exceeded"),
        (
            {"anthropic-version": "2023-06-01", "anthropic-beta": "a,model-context-window-exceeded-2025-08-26"},
            "model_context_window_exceeded",
        ),
    ],
)
def test_a_full_window_is_told_to_clients_that_know_it(headers, word):
    context = replace(CONTEXT, headers=headers)
    writer = AnthropicStreamWriter(context)
    raw = b"".join(map(writer.write, [STARTED, Stopped(StopReason.CONTEXT_EXCEEDED), Finished()]))
    assert folded(sent(raw))["stop_reason"] == word
    answer = Answer("a", "m", (), StopReason.CONTEXT_EXCEEDED)
    assert write_answer(answer, context)["stop_reason"] == word


def test_hidden_thinking_keeps_its_signature_alone():
    context = replace(CONTEXT, echo=Asked(hides_thinking=True))
    thought = Answer(
        "a", "m", (Thinking("hm"), Thinking("so", "sig"), Text("a")), StopReason.END_TURN, Usage(1, 0, 0, 1)
    )
    writer = AnthropicStreamWriter(context)
    message = folded(sent(b"".join(map(writer.write, unfold(thought)))))
    assert message == write_answer(thought, context)
    assert [each.get("thinking") for each in message["content"]] == ["", "", None]
    assert message["content"][0]["signature"] == write_answer(thought, CONTEXT)["content"][0]["signature"]


ARGUMENTS = st.sampled_from(["", " ", "{}", '{"a": {"b": [1, "ü"]}}', '{"a": "cut', "[1]", '"{}"', "null", "no JSON"])
PARTS = st.one_of(
    st.builds(Text, st.text(max_size=5)),
    st.builds(Thinking, st.text(max_size=5), st.sampled_from(["", "sig"])),
    st.builds(lambda data: Thinking("", redacted=data), st.text(min_size=1, max_size=3)),
    st.builds(ToolCall, st.sampled_from(["", "a", "b"]), st.sampled_from(["look", "read"]), ARGUMENTS),
)
COUNTS = st.integers(0, 9)
ANSWERS = st.builds(
    Answer,
    st.sampled_from(["msg_1", "chatcmpl-1", ""]),
    st.just("glm-4.6"),
    st.lists(PARTS, max_size=5).map(tuple),
    st.sampled_from(StopReason),
    st.builds(Usage, st.integers(1, 9), COUNTS, COUNTS, st.integers(1, 9), st.none() | COUNTS),
    st.none() | st.just("END"),
)


@given(ANSWERS)
def test_a_folded_stream_is_the_whole_answer(answer):
    assert folded(sent(write(*unfold(answer)))) == write_answer(answer, CONTEXT)


@given(ANSWERS, st.randoms(use_true_random=False))
def test_however_the_fragments_come_the_answer_is_the_same(answer, random):
    calls = [part for part in answer.parts if isinstance(part, ToolCall)]
    answer = replace(answer, parts=tuple(calls))
    queues = [[begun, *pieces] for begun, *pieces in map(call_deltas, range(len(calls)), calls)]
    heads = [queue.pop(0) for queue in queues]
    order = [n for n, queue in enumerate(queues) for _ in queue]
    random.shuffle(order)
    deltas = [*heads, *(queues[n].pop(0) for n in order)]
    end = [Stopped(answer.stop, answer.stop_sequence), UsageDelta(answer.usage), Finished()]
    assert folded(sent(write(unfold(answer)[0], *deltas, *end))) == write_answer(answer, CONTEXT)


def call_deltas(index, call):
    pieces = [call.arguments[n : n + 3] for n in range(0, len(call.arguments), 3)]
    return [ToolCallStarted(index, call.id, call.name), *(ToolCallDelta(index, piece) for piece in pieces)]


@given(ANSWERS)
def test_what_was_written_is_read_back(answer):
    reader = AnthropicStreamReader()
    raw = write(*unfold(answer))
    deltas = [delta for event in SseDecoder().feed(raw) for delta in reader.read(event)] + reader.close()
    assert write_answer(fold(deltas), CONTEXT) == write_answer(answer, CONTEXT)


DELTAS = st.one_of(
    st.sampled_from([STARTED, BlockEnded(), Pinged(), UsageDelta(Usage(5, 0, 0, 3)), Stopped(StopReason.TOOL_USE)]),
    st.builds(TextDelta, st.sampled_from(["", "a"])),
    st.builds(ThinkingDelta, st.sampled_from(["", "h"]), st.sampled_from(["", "s"]), st.sampled_from(["", "d"])),
    st.builds(begin, st.integers(0, 2), st.sampled_from(["", "c"])),
    st.builds(more, st.integers(0, 2), st.sampled_from(["", " ", "{", "}", '{"a":', '"b', '"', "]", "[1", "no", "\\"])),
)


@given(st.lists(DELTAS, max_size=14))
def test_every_stream_is_legal_or_an_error(deltas):
    telling = Telling(AnthropicStreamWriter(CONTEXT))
    answers = [telling.tell([delta]) for delta in [*deltas, Finished()]]
    payloads = sent(b"".join(raw for raw, _ in answers))
    ends = [each for _, told in answers for each in told if isinstance(each, Failed | Finished)]
    assert len(ends) == 1
    if isinstance(ends[0], Failed):
        assert payloads[-1]["type"] == "error"
        assert not any(each["type"] == "message_stop" for each in payloads)
    else:
        assert_legal(payloads)
