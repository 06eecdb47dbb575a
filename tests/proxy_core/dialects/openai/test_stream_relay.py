"""Streams for clients of the same dialect: bytes through, but for what must change."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import Delta, Failed, Finished, Pinged, Stopped, StopReason
from proxy_core.dialects.arguments import made_id
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.crossing import Crossing
from proxy_core.dialects.openai.stream_reader import OpenAiStreamReader
from proxy_core.dialects.openai.stream_relay import OpenAiRelay
from proxy_core.dialects.openai.stream_writer import OpenAiStreamWriter
from proxy_core.jsontypes import JsonObject
from proxy_core.upstream_codes import CODES
from proxy_core.wire.sse import SseEvent
from tests.proxy_core.dialects.openai.builders import (
    ASKED_USAGE,
    CONTEXT,
    call,
    chunk,
    event,
    payloads,
    piece,
    read_all,
)

STANDARD: JsonObject = {"object": "chat.completion.chunk", "model": "asked"}
TEXT, END = chunk({"content": "Hi"}), chunk({}, "stop")
USAGE_ONLY = {**TEXT, "choices": [], "usage": {"prompt_tokens": 3}}
CLOSED = {"message": "The upstream closed the stream before it was complete.", "type": "server_error"}

BROKEN = {"message": "The upstream sent tool arguments that are not JSON.", "type": "server_error"}


def calls(*entries: object) -> JsonObject:
    """A chunk that tells calls."""
    return chunk({"tool_calls": list(entries)})


def told(index: int, call_id: str, arguments: str) -> JsonObject:
    """The first piece of a call as we tell it."""
    return {"index": index, **call(call_id, "look", arguments)}


def relay(*payloads: object, context: ReplyContext = CONTEXT) -> tuple[bytes, list[Delta]]:
    """All bytes and all deltas, the end of the body included."""
    found = OpenAiRelay(context)
    results = [*[found.relay(event(payload)) for payload in payloads], found.close()]
    return b"".join(sent for sent, _ in results), [delta for _, deltas in results for delta in deltas]


def test_standard_chunks_pass_byte_for_byte() -> None:
    stream = [
        TEXT | STANDARD,
        chunk({"tool_calls": [piece(0, "c", "look", "{}")]}) | STANDARD,
        chunk({}, "tool_calls") | STANDARD,
        "[DONE]",
    ]
    sent, deltas = relay(*stream)
    assert sent == b"".join(event(payload).raw for payload in stream)
    assert deltas == read_all(*stream)


def test_odd_bytes_pass_as_they_are() -> None:
    raw = b'id: 9\r\ndata:  {"object":"x", "model" : "asked","choices":[]}\r\n\r\n'
    data = b' {"object":"x", "model" : "asked","choices":[]}'
    assert OpenAiRelay(CONTEXT).relay(SseEvent("", data, raw))[0] == raw


@pytest.mark.parametrize(("model", "sent"), [("asked", r"\ud83d"), ("own", "\ufffd")])
def test_half_a_character_passes_unless_the_chunk_must_change(model: str, sent: str) -> None:
    head = f'{{"object":"chat.completion.chunk","model":"{model}",'
    raw = head + r'"choices":[{"index":0,"delta":{"content":"\ud83d"}}]}'
    assert f'"content":"{sent}"'.encode() in OpenAiRelay(CONTEXT).relay(event(raw))[0]


@pytest.mark.parametrize(
    ("payload", "sent"),
    [
        (TEXT, TEXT | STANDARD),
        (TEXT | {"model": "asked"}, TEXT | STANDARD),
        (TEXT | {"object": "own"}, TEXT | STANDARD),
        (END | STANDARD | {"model": "glm-4.6"}, END | STANDARD),
        (chunk({}, "sensitive", more=1) | STANDARD, chunk({}, "content_filter", more=1) | STANDARD),
        (chunk({}, "model_context_window_exceeded"), chunk({}, "length") | STANDARD),
        (
            chunk({"tool_calls": [piece(0, "c", "look", {"a": 1})]}) | STANDARD,
            chunk({"tool_calls": [told(0, "c", '{"a":1}')]}) | STANDARD,
        ),
        ({"choices": [3]}, {"choices": [3], **STANDARD}),
    ],
)
def test_what_must_change_changes(payload: JsonObject, sent: JsonObject) -> None:
    assert payloads(OpenAiRelay(CONTEXT).relay(event(payload))[0]) == [sent]


@pytest.mark.parametrize(("context", "count"), [(CONTEXT, 2), (ASKED_USAGE, 3)])
def test_a_usage_chunk_goes_only_to_those_who_asked(context: ReplyContext, count: int) -> None:
    sent, deltas = relay(END, USAGE_ONLY, "[DONE]", context=context)
    assert len(payloads(sent)) == count
    assert deltas == read_all(END, USAGE_ONLY, "[DONE]")


@pytest.mark.parametrize(("context", "count"), [(CONTEXT, 0), (ASKED_USAGE, 1)])
def test_behind_the_finish_reason_only_usage_counts(context: ReplyContext, count: int) -> None:
    sent, _ = relay(END | STANDARD, TEXT | USAGE_ONLY | {"choices": TEXT["choices"]}, "[DONE]", context=context)
    assert payloads(sent) == [END | STANDARD, *[{**USAGE_ONLY, **STANDARD}] * count, "[DONE]"]


COUNTING = replace(ASKED_USAGE, estimate_prompt=lambda: 12)
RECKONED = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}


@pytest.mark.parametrize(
    ("context", "stream", "reckoned"),
    [
        (COUNTING, [chunk({"content": "Hello!!"}), END], [RECKONED]),
        (COUNTING, [calls(piece(0, "c", "a", '{"a":1}'))], [RECKONED]),
        (COUNTING, [TEXT, END | {"usage": {"prompt_tokens": 3}}], []),
        (COUNTING, [TEXT, END, USAGE_ONLY], [{"prompt_tokens": 3}]),
        (CONTEXT, [TEXT, END], []),
    ],
)
def test_usage_that_never_came_is_reckoned(
    context: ReplyContext, stream: list[object], reckoned: list[JsonObject]
) -> None:
    sent = payloads(relay(*stream, "[DONE]", context=context)[0])
    told = [said["usage"].items() for said in sent if isinstance(said, dict) and not said["choices"]]
    assert [wanted.items() <= found for wanted, found in zip(reckoned, told, strict=True)] == [True] * len(reckoned)


@pytest.mark.parametrize(
    ("stream", "prompt"),
    [
        ([TEXT, END | STANDARD | {"usage": {"prompt_tokens": 3}}], 6),
        ([TEXT, END, USAGE_ONLY], 6),
        ([TEXT, END | STANDARD, TEXT | USAGE_ONLY | {"choices": TEXT["choices"]}], 6),
        ([TEXT, END | {"usage": None}], 24),
    ],
)
def test_prompts_are_told_larger_and_heard_as_they_are(stream: list[object], prompt: int) -> None:
    sent, deltas = relay(*stream, "[DONE]", context=replace(COUNTING, prompt_scale=2.0))
    told = [said["usage"] for said in payloads(sent) if isinstance(said, dict) and said.get("usage")]
    assert [usage["prompt_tokens"] for usage in told] == [prompt]
    assert deltas == read_all(*stream, "[DONE]")


def test_usage_on_a_chunk_with_choices_passes() -> None:
    assert payloads(relay(END | USAGE_ONLY | {"choices": END["choices"]}, "[DONE]")[0])[0]["usage"] == {
        "prompt_tokens": 3
    }


def test_comments_pass_until_the_end() -> None:
    found, comment = OpenAiRelay(CONTEXT), SseEvent("", None, b": alive\n\n")
    assert found.relay(comment) == (b": alive\n\n", [Pinged()])
    found.relay(event("{"))
    assert found.relay(comment) == (b"", [])


@pytest.mark.parametrize(
    ("stream", "last"),
    [
        ([TEXT, END, "[DONE]"], [END | STANDARD, "[DONE]"]),
        ([TEXT, END], [END | STANDARD, "[DONE]"]),
        ([TEXT, END, "[DONE]", "[DONE]", TEXT], [END | STANDARD, "[DONE]"]),
        ([TEXT, "[DONE]"], [END | STANDARD, "[DONE]"]),
    ],
)
def test_every_good_stream_gets_a_whole_end(stream: list[object], last: list[object]) -> None:
    sent, deltas = relay(*stream)
    assert payloads(sent) == [TEXT | STANDARD, *last]
    assert deltas[-2:] == [Stopped(StopReason.END_TURN), Finished()]


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        ([TEXT], CLOSED),
        ([TEXT, "{"], {"message": "The upstream sent a chunk that is not JSON."}),
        ([TEXT, chunk({}, "network_error"), "[DONE]"], {"code": "network_error", "type": "server_error"}),
        (
            [TEXT, {"error": {"code": "1302", "message": "Slow", "own": 1}}, END, "[DONE]"],
            {"message": f"Slow. {CODES['1302'].rule.remedy.en}", "own": 1},
        ),
        ([TEXT, {"error": {"code": "1302", "message": "Slow"}}], {"code": "rate_limit_exceeded"}),
        ([TEXT, chunk({"tool_calls": [piece(0, "c", "look", "oops")]}, "tool_calls"), END, "[DONE]"], BROKEN),
        ([TEXT, chunk({"function_call": {"name": "look", "arguments": '{"a" 1'}}, "stop")], BROKEN),
    ],
)
def test_every_broken_stream_ends_with_an_error(stream: list[object], error: JsonObject) -> None:
    sent, deltas = relay(*stream)
    first, failure, done = payloads(sent)
    assert (first, done) == (TEXT | STANDARD, "[DONE]")
    assert isinstance(failure, dict) and failure["error"].items() >= error.items()
    assert isinstance(deltas[-1], Failed)


@pytest.mark.parametrize("arguments", ['{"a":' * 300 + "1" + "}" * 300])
def test_a_bottomless_chunk_is_an_error_not_a_crash(arguments: str) -> None:
    raw = '{"choices":[{"delta":{"tool_calls":[{"id":"c","function":{"name":"a","arguments":%s}}],"x":%s}}]}'
    sent, deltas = relay(raw % (arguments, arguments))
    assert payloads(sent)[-1] == "[DONE]"
    assert isinstance(deltas[-1], Failed)


MADE = made_id("up-1", 0)
CUSTOM = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "patch", "input": "x"}}


@pytest.mark.parametrize(
    ("stream", "said", "finish"),
    [
        ([calls(piece(None, "c", "look", "{"), 3), calls(piece(None, None, None, "}"))],
         [calls(told(0, "c", "{")), calls(piece(0, None, None, "}"))], "tool_calls"),
        ([calls(piece(0, "c", "look", "{}")), calls(piece(0, "d", "look", "{}"))],
         [calls(piece(0, "c", "look", "{}")), calls(told(1, "d", "{}"))], "tool_calls"),
        ([calls(piece(0, "c", "look", "{")), calls(piece(0, "c", "look", "}"))],
         [calls(piece(0, "c", "look", "{")), calls(piece(0, None, None, "}"))], "tool_calls"),
        ([calls(piece(0, "c", None, "{")), calls(piece(0, None, "look", "}"))],
         [chunk(), calls(told(0, "c", "{}"))], "tool_calls"),
        ([calls(piece(0, None, "look", "{}"))], [chunk(), calls(told(0, MADE, "{}"))], "tool_calls"),
        ([chunk({"function_call": {"name": "look", "arguments": "{}"}})],
         [chunk(), calls(told(0, MADE, "{}"))], "tool_calls"),
        ([calls(piece(0, "c", "look", ""))],
         [calls(piece(0, "c", "look", "")), calls(piece(0, None, None, "{}"))], "tool_calls"),
        ([calls(piece(0, "c", "look", "{}")), chunk({}, "length")], [calls(piece(0, "c", "look", "{}"))], "length"),
        ([calls(CUSTOM), chunk({}, "tool_calls")], [calls(CUSTOM)], "tool_calls"),
        ([TEXT, chunk({}, "tool_calls"), chunk({}, "tool_calls")], [TEXT], "stop"),
        ([calls(piece(0, "c", "look", '{"a":["b')), chunk({}, "tool_calls")],
         [calls(piece(0, "c", "look", '{"a":["b')), calls(piece(0, None, None, '"]}'))], "tool_calls"),
        ([calls(piece(0, "c", "look", '"{\\"a')), calls(piece(0, None, None, '\\":1}"'))],
         [calls(told(0, "c", "")), chunk(), calls(piece(0, None, None, '{"a":1}'))], "tool_calls"),
        ([calls(piece(0, "c", "look", '{"a":["b')), chunk({}, "length")],
         [calls(piece(0, "c", "look", '{"a":["b'))], "length"),
        ([calls(piece(0, "c", "look", "oops")), chunk({}, "length")], [calls(piece(0, "c", "look", "oops"))], "length"),
        ([TEXT, END, TEXT, END], [TEXT], "stop"),
    ],
)  # fmt: skip
def test_odd_chunks_are_told_anew(stream: list[JsonObject], said: list[JsonObject], finish: str) -> None:
    is_ended = '"finish_reason": "' in json.dumps(stream[-1])
    sent = payloads(relay(*stream, *([] if is_ended else [END]), "[DONE]")[0])
    assert sent == [*(wanted | STANDARD for wanted in said), chunk({}, finish) | STANDARD, "[DONE]"]


def test_a_last_chunk_that_begins_a_call_tells_it_once() -> None:
    last = chunk({"tool_calls": [piece(0, "c", "look", "")], "content": "x"}, "stop")
    sent = payloads(relay(last, "[DONE]")[0])
    assert sent == [calls(told(0, "c", "{}")) | STANDARD, chunk({"content": "x"}, "tool_calls") | STANDARD, "[DONE]"]


def test_a_call_held_back_is_told_before_a_finish_left_out() -> None:
    sent = payloads(relay(calls(piece(0, None, "look", "{}")), "[DONE]")[0])
    assert sent[1:] == [calls(told(0, MADE, "{}")) | STANDARD, chunk({}, "tool_calls") | STANDARD, "[DONE]"]


FRAGMENTS = st.sampled_from(
    ["", " ", "{", "}", '{"a"', '{"a":', ":", "1", "1}", '"', '"b', ",", "[", "]", "\\", '"{\\"a\\"', ':1}"', "null",
     "x", '{"a":1}', '{"a":1', "\\ud83d", {"a": 1}, {}]
)  # fmt: skip
PIECES = st.lists(
    st.builds(
        piece,
        st.sampled_from([None, 0, 0, 1, 2]),
        st.sampled_from([None, None, "c", "d"]),
        st.sampled_from([None, "look", "see"]),
        FRAGMENTS,
    ),
    max_size=2,
)
CHUNKS = st.lists(
    st.builds(lambda pieces: calls(*pieces), PIECES) | st.sampled_from([TEXT, USAGE_ONLY, chunk({"reasoning": "r"})]),
    max_size=8,
)
LAST = st.sampled_from(["tool_calls", "stop", "length", "sensitive", "network_error", None])


@given(CHUNKS, LAST, st.booleans())
def test_no_broken_call_is_ever_told_as_a_good_one(stream: list[JsonObject], last: str, passes: bool) -> None:
    way = OpenAiRelay(ASKED_USAGE) if passes else Crossing(OpenAiStreamReader(), OpenAiStreamWriter(ASKED_USAGE))
    sent = b"".join(way.relay(event(payload))[0] for payload in [*stream, chunk({}, last), "[DONE]"]) + way.close()[0]
    *told, end = payloads(sent)
    assert end == "[DONE]"
    if "error" in told[-1]:
        return
    heard: dict[int, str] = {}
    choices = [choice for said in told for choice in said["choices"]]
    for entry in (entry for choice in choices for entry in choice["delta"].get("tool_calls", ())):
        assert (entry["index"] in heard) is not ("id" in entry)
        heard[entry["index"]] = heard.get(entry["index"], "") + entry["function"]["arguments"]
    (finish,) = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    for said in heard.values() if finish in ("tool_calls", "stop") else ():
        json.loads(said)
    assert finish != "tool_calls" or heard
