"""Streams relayed from an upstream to a client of the same dialect."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import Failed, Finished, Pinged
from proxy_core.dialects.anthropic.asked import Asked
from proxy_core.dialects.anthropic.relay import AnthropicRelay
from proxy_core.dialects.anthropic.stream import KINDS
from proxy_core.dialects.base import ReplyContext
from proxy_core.upstream_codes import CODES
from proxy_core.wire.sse import SseDecoder, SseEvent
from tests.proxy_core.dialects.anthropic.events import (
    END,
    PING,
    assert_legal,
    block,
    delta,
    event,
    folded,
    message_delta,
    sent,
    start,
    stop,
)
from tests.proxy_core.dialects.anthropic.test_stream import ERROR, GOLDEN, GOLDEN_DELTAS, ODD_EVENTS, TOOL, odd


def relayed(*events, **context):
    relay = AnthropicRelay(ReplyContext(**{"model": "glm-4.6", "fresh_id": "f", "created": 0, **context}))
    answers = [*(relay.relay(each) for each in events), relay.close()]
    return b"".join(raw for raw, _ in answers), [each for _, deltas in answers for each in deltas]


def test_bytes_pass_untouched():
    events = [*GOLDEN[:3], SseEvent("", None, b": hi\r\n\r\n"), *GOLDEN[3:]]
    raw, deltas = relayed(*events)
    assert raw == b"".join(each.raw for each in events)
    assert deltas == [*GOLDEN_DELTAS[:2], Pinged(), *GOLDEN_DELTAS[2:]]


@pytest.mark.parametrize(
    ("usage", "estimate", "told"),
    [
        ({"input_tokens": 5}, 90, {"input_tokens": 5}),
        ({"input_tokens": 0, "output_tokens": 0, "x": 1}, 90, {"input_tokens": 90, "output_tokens": 0, "x": 1}),
        ({"output_tokens": 1}, 90, {"input_tokens": 90, "output_tokens": 1}),
        ({"output_tokens": 1}, 0, {"input_tokens": 0, "output_tokens": 1}),
        ({"input_tokens": 0, "cache_read_input_tokens": 7}, 90, {"input_tokens": 0, "cache_read_input_tokens": 7}),
        (
            {"input_tokens": 5, "server_tool_use": {"web_search_requests": 1}},
            90,
            {"input_tokens": 5, "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0}},
        ),
    ],
)
def test_the_start_is_told_what_it_lacks(usage, estimate, told):
    raw, _ = relayed(start(**usage), model="claude-x", estimate_prompt=lambda: estimate)
    message = sent(raw)[0]["message"]
    assert (message["model"], message["usage"]) == ("claude-x", told)


@pytest.mark.parametrize("usage", [{"input_tokens": 5}, {"input_tokens": 0}])
def test_a_start_that_lacks_nothing_passes(usage):
    raw, _ = relayed(start(**usage))
    assert raw.startswith(start(**usage).raw)


@pytest.mark.parametrize(
    ("payload", "usage"),
    [
        ({"usage": {"server_tool_use": {}}}, {"server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0}}),
        ({}, {"output_tokens": 1}),
    ],
)
def test_the_end_is_mended_where_the_sdks_would_stumble(payload, usage):
    ended = event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, **payload})
    raw, _ = relayed(start(input_tokens=5, output_tokens=1), ended, END)
    assert sent(raw)[1] == {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}


@pytest.mark.parametrize("data", [b'{"type":"ping"}', b'{"type":\n"ping"}'])
def test_a_missing_event_line_is_added(data):
    raw, deltas = relayed(start(), SseEvent("", data, b"data\n\n"))
    assert raw.startswith(start().raw + b"event: ping\ndata: ")
    assert sent(raw)[1] == {"type": "ping"}
    assert deltas[1] == Pinged()


@pytest.mark.parametrize("payload", [{"type": "odd\nname"}, {"type": "vendor_note", "x": 1}])
def test_what_nobody_knows_passes(payload):
    unknown = event(payload, "")
    assert relayed(start(), unknown)[0].startswith(start().raw + unknown.raw)


def test_an_upstreams_error_passes_and_nothing_follows():
    error = event({**ERROR, "request_id": "req_1"})
    raw, deltas = relayed(start(), error, END, request_id="req_1")
    assert raw == start().raw + error.raw
    assert isinstance(deltas[-1], Failed)


@pytest.mark.parametrize(
    ("last", "error"),
    [
        ([SseEvent("", orjson.dumps(ERROR), b"")], ERROR["error"]),
        (
            [odd(b'{"success":false,"code":1302,"msg":"slow"}')],
            {"type": "rate_limit_error", "message": f"slow. {CODES['1302'].rule.remedy.en}"},
        ),
        (
            [event({"type": "error", "error": {"message": "busy"}})],
            {"type": "api_error", "message": "busy"},
        ),
        ([odd(b"{")], {"type": "api_error", "message": "The upstream sent an event that could not be read."}),
        ([], {"type": "api_error", "message": "The upstream closed the stream before it was complete."}),
    ],
)
def test_other_failures_are_told_as_error_events(last, error):
    raw, deltas = relayed(start(), *last, request_id="req_1")
    assert sent(raw)[1:] == [{"type": "error", "error": error, "request_id": "req_1"}]
    assert isinstance(deltas[-1], Failed)


def test_a_missing_end_is_added_when_the_model_was_done():
    raw, deltas = relayed(start(), message_delta("end_turn"))
    assert raw == start().raw + message_delta("end_turn").raw + END.raw
    assert deltas[-1] == Finished()


def test_nothing_follows_the_end():
    assert relayed(*GOLDEN, PING, END)[0] == relayed(*GOLDEN)[0]


def test_a_start_nested_too_deeply_to_be_written_is_an_error():
    data = b'{"type":"message_start","message":{"x":' + b"[" * 500 + b"]" * 500 + b"}}"
    raw, deltas = relayed(odd(data))
    assert sent(raw)[0]["type"] == "error"
    assert isinstance(deltas[-1], Failed)


@given(st.data())
def test_any_cut_of_the_bytes_means_the_same(data):
    raw = b"".join(each.raw for each in GOLDEN)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=6)))
    decoder = SseDecoder()
    pieces = [raw[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    events = [each for piece in pieces for each in decoder.feed(piece)] + decoder.flush()
    assert relayed(*events)[0] == raw


def blocks(*events, **context):
    """What the client has of a stream between its start and its end; calls as (name, input)."""
    raw, deltas = relayed(start(), *events, **context)
    assert isinstance(deltas[-1], Finished)
    content = folded(sent(raw))["content"]
    return [(each["name"], each["input"]) if each["type"] == "tool_use" else each for each in content]


def call(index):
    return block(index, **{**TOOL, "id": f"toolu_{index}"}, input={})


def more(index, fragment):
    return delta(index, "input_json_delta", partial_json=fragment)


DONE = [message_delta("tool_use"), END]


@pytest.mark.parametrize(
    ("events", "content"),
    [
        pytest.param([call(0), more(0, '{"a":"x'), stop(0), *DONE], [("look", {"a": "x"})], id="cut arguments"),
        pytest.param(
            [call(0), more(0, '{"a":'), call(1), more(1, '{"b":'), more(0, "1}"), more(1, "2}"), stop(0), *DONE],
            [("look", {"a": 1}), ("look", {"b": 2})],
            id="interleaved",
        ),
        pytest.param([call(0), more(0, '{"a":1}'), *DONE], [("look", {"a": 1})], id="no end of the block"),
        pytest.param(
            [call(0), more(0, " "), more(0, '{"a":1}'), call(1), stop(1), *DONE],
            [("look", {"a": 1}), ("look", {})],
            id="no end before the next",
        ),
        pytest.param([delta(0, "text_delta", text="a"), *DONE], [{"type": "text", "text": "a"}], id="text of no block"),
        pytest.param(
            [block(3, type="text", text=""), delta(3, "text_delta", text="a"), stop(3), *DONE],
            [{"type": "text", "text": "a"}],
            id="a gap in the numbers",
        ),
        pytest.param(
            [block(0, type="text", text=""), delta(0, "text_delta", text="a"), stop(0), END],
            [{"type": "text", "text": "a"}],
            id="no message_delta",
        ),
        pytest.param(
            [*DONE[:1], block(0, type="text", text="late"), delta(0, "text_delta", text="b"), stop(0), END],
            [],
            id="content behind the stop_reason",
        ),
        pytest.param(
            [block(0, type="text", text=""), delta(0, "text_delta", text=7), odd(b"[DONE]"), stop(0), *DONE],
            [{"type": "text", "text": ""}],
            id="no text, and the other dialect's end mark",
        ),
        pytest.param(
            [start(), block(0, type="text", text=""), stop(0), *DONE], [{"type": "text", "text": ""}], id="two"
        ),
    ],
)
def test_what_is_not_regular_becomes_so(events, content):
    assert blocks(*events) == content


def test_thinking_that_is_broken_into_is_signed_and_closed():
    events = [
        block(0, type="thinking", thinking=""),
        delta(0, "thinking_delta", thinking="hm"),
        call(1),
        stop(1),
        *DONE,
    ]
    thought, looked = blocks(*events)
    assert (thought["thinking"], thought["signature"][:4], looked) == ("hm", "zp1.", ("look", {}))


def test_hidden_thinking_is_not_told():
    events = [*GOLDEN[2:6], block(1, type="thinking", thinking="so", signature="s"), stop(1), *DONE]
    thoughts = blocks(*events, echo=Asked(hides_thinking=True))
    assert [(each["thinking"], each["signature"]) for each in thoughts] == [("", "sig"), ("", "s")]


def test_arguments_beyond_repair_are_an_error():
    raw, deltas = relayed(start(), call(0), more(0, '{"a":1}}'), stop(0), *DONE)
    assert sent(raw)[-1]["type"] == "error"
    assert [type(each) for each in deltas if isinstance(each, Failed | Finished)] == [Failed]


@pytest.mark.parametrize(
    ("reason", "events", "headers", "told"),
    [
        ("sensitive", [], {}, "refusal"),
        ("end_turn", [call(0), more(0, "{}"), stop(0)], {}, "tool_use"),
        ("vendor_word", [], {}, "vendor_word"),
        ("model_context_window_exceeded", [], {}, "max_tokens"),
        ("model_context_window_exceeded", [], {"anthropic-version": "2026-10-21"}, "model_context_window_exceeded"),
    ],
)
def test_words_for_the_end(reason, events, headers, told):
    ended = folded(sent(relayed(start(), *events, message_delta(reason), END, headers=headers)[0]))
    assert ended["stop_reason"] == told
    assert ("stop_details" in ended) is (told == "refusal")


def test_figures_that_were_never_said_are_guessed():
    text = [block(0, type="text", text=""), delta(0, "text_delta", text="12345"), stop(0)]
    ended = event({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}})
    assert folded(sent(relayed(start(), *text, ended, END)[0]))["usage"]["output_tokens"] == 2


@pytest.mark.parametrize("odd_events", [[], [delta(3, "text_delta", text="late")]], ids=["relayed", "taken over"])
@pytest.mark.parametrize(
    ("at_start", "at_end", "told"),
    [
        ({"input_tokens": 5}, {"output_tokens": 7}, (10, None)),
        ({"input_tokens": 5}, {"input_tokens": 6, "output_tokens": 7}, (10, 12)),
        ({"input_tokens": 0}, {"input_tokens": 6, "output_tokens": 7}, (180, 12)),
    ],
)
def test_prompts_are_told_larger_and_heard_as_they_are(odd_events, at_start, at_end, told):
    events = [start(**at_start), *odd_events, message_delta("end_turn", **at_end), END]
    context = {"estimate_prompt": lambda: 90, "prompt_scale": 2.0}
    raw, deltas = relayed(*events, **context)
    begun, *_, ended, _ = sent(raw)
    # A writer that took over repeats what was said at the start.
    repeated = told[0] if odd_events and told[1] is None else told[1]
    assert (begun["message"]["usage"]["input_tokens"], ended["usage"].get("input_tokens")) == (told[0], repeated)
    assert deltas == relayed(*events)[1]


def test_a_prompt_that_was_told_larger_is_repeated_as_such():
    ended = event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})
    raw, _ = relayed(start(input_tokens=5), delta(3, "text_delta", text=""), ended, END, prompt_scale=2.0)
    assert sent(raw)[-2]["usage"]["input_tokens"] == 10


def test_pings_in_front_of_the_message_are_comments():
    assert relayed(PING, *GOLDEN)[0] == b": ping\n\n" + relayed(*GOLDEN)[0]


def test_what_is_json_only_almost_is_told_as_json():
    data = delta(0, "text_delta", text="?", x=0).data.replace(b"?", b"\\ud83d").replace(b"0}", b"NaN}")
    raw, _ = relayed(start(), block(0, type="text", text=""), odd(data))
    assert sent(raw)[2]["delta"] == {"type": "text_delta", "text": "\ufffd", "x": None}


def named(data, name):
    return SseEvent(name, data, b"event: " + name.encode() + b"\ndata: " + data + b"\n\n")


EVENTS = st.one_of(
    st.sampled_from([start(), PING, END, stop(0), stop(1), stop(2), message_delta(None), event(ERROR)]),
    st.builds(message_delta, st.sampled_from(["end_turn", "tool_use", "sensitive", "max_tokens", "odd"])),
    st.builds(call, st.integers(0, 3)),
    st.builds(more, st.integers(0, 3), st.sampled_from(["", "{", "}", '{"a":', '"b"', "}}", " ", "[1"])),
    st.builds(lambda n, text: block(n, type="text", text=text), st.integers(0, 3), st.sampled_from(["", "a"])),
    st.builds(lambda n: block(n, type="thinking", thinking="", signature=""), st.integers(0, 3)),
    st.builds(lambda n, word: delta(n, "text_delta", text=word), st.integers(0, 3), st.sampled_from(["", "a"])),
    st.builds(lambda n: delta(n, "thinking_delta", thinking="h"), st.integers(0, 3)),
    st.builds(lambda n: delta(n, "signature_delta", signature="s"), st.integers(0, 3)),
    st.builds(named, ODD_EVENTS, st.sampled_from(["", "message_stop", "odd"])),
)
RUNS = st.lists(EVENTS, max_size=14)


@given(RUNS | RUNS.map(lambda run: [start(), *run, message_delta("end_turn"), END]))
def test_every_stream_is_legal_or_an_error(events):
    raw, deltas = relayed(*events)
    payloads = sent(b"".join(each.raw for each in SseDecoder().feed(raw) if each.name in KINDS))
    ends = [each for each in deltas if isinstance(each, Failed | Finished)]
    assert len(ends) == 1
    if isinstance(ends[0], Failed):
        assert payloads[-1]["type"] == "error"
        assert not any(each["type"] == "message_stop" for each in payloads)
    else:
        assert_legal(payloads)
