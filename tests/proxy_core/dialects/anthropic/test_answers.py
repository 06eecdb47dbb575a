"""Whole answers: read, written, and touched."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from anthropic.types import Message as SdkMessage

from proxy_core.chat import Answer, StopReason, Text, Thinking, ToolCall, Usage
from proxy_core.dialects.anthropic.answers import read_answer, read_usage, touch_answer, write_answer
from proxy_core.dialects.anthropic.asked import Asked
from proxy_core.dialects.base import ReplyContext
from proxy_core.errors import ErrorKind, UpstreamError

CONTEXT = ReplyContext(model="claude-x", fresh_id="f1", created=0)
BODY = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "glm-4.6",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}},
        {"type": "text", "text": "Looking."},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "x"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 7},
}
PARTS = (Thinking("hm", "s"), Text("Looking."), ToolCall("toolu_1", "look", '{"at":"x"}'))


def answer(*parts, stop=StopReason.END_TURN, **fields):
    return Answer("a1", "glm-4.6", parts, stop, **fields)


def test_read():
    assert read_answer(BODY) == Answer("msg_1", "glm-4.6", PARTS, StopReason.TOOL_USE, Usage(5, 3, 0, 7))


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        ({"content": []}, answer()),
        ({"content": ["odd", {"type": "text"}, {"type": 3}]}, answer(Text(""))),
        ({"content": [{"type": "redacted_thinking", "data": "d"}]}, answer(Thinking("", redacted="d"))),
        ({"content": [{"type": "tool_use"}]}, answer(ToolCall("", "", "{}"), stop=StopReason.TOOL_USE)),
        ({"stop_reason": "tool_use"}, answer()),
        ({"stop_reason": None}, answer()),
        ({"stop_reason": "sensitive"}, answer(stop=StopReason.REFUSAL)),
        ({"stop_reason": "model_context_window_exceeded"}, answer(stop=StopReason.CONTEXT_EXCEEDED)),
        (
            {"stop_reason": "stop_sequence", "stop_sequence": "E"},
            answer(stop=StopReason.STOP_SEQUENCE, stop_sequence="E"),
        ),
        ({"usage": None, "stop_sequence": 4}, answer()),
        ({"usage": {"input_tokens": "9", "output_tokens": True}}, answer()),
    ],
)
def test_odd_answers_are_read(changes, read):
    assert read_answer({"id": "a1", "model": "glm-4.6", "content": [], "type": "message", **changes}) == read


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ({"success": False, "code": 1305, "msg": "busy"}, ErrorKind.OVERLOADED, "1305"),
        ({"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}, ErrorKind.RATE_LIMIT, None),
        ({}, ErrorKind.SERVER, None),
        ({"type": "message", "content": [], "stop_reason": "network_error"}, ErrorKind.SERVER, "network_error"),
        ({"type": "message", "content": "text"}, ErrorKind.SERVER, None),
    ],
)
def test_what_is_no_message_is_an_upstream_error(body, kind, code):
    with pytest.raises(UpstreamError) as caught:
        read_answer(body)
    assert (caught.value.kind, caught.value.code) == (kind, code)


@pytest.mark.parametrize(
    ("said", "counted"), [(9 * 10**18, 2**40), (2**70, 2**40), (1e300, 0), (-5, 0), (float("nan"), 0)]
)
def test_hostile_figures_stay_within_reason(said, counted):
    assert read_usage({"input_tokens": said, "output_tokens": said}) == Usage(counted, output_tokens=counted)


def test_usage_tells_thinking_tokens():
    usage = read_usage({"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}})
    assert usage == Usage(output_tokens=9, thinking_tokens=4)


def test_written():
    usage = Usage(5, 3, 1, 7, thinking_tokens=2)
    written = write_answer(Answer("chatcmpl-1", "glm-4.6", PARTS, StopReason.TOOL_USE, usage), CONTEXT)
    assert written == {
        "id": "msg_chatcmpl-1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [block for block in BODY["content"] if block["type"] != "server_tool_use"],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 5,
            "cache_read_input_tokens": 3,
            "cache_creation_input_tokens": 1,
            "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 2},
        },
    }


@pytest.mark.parametrize(
    ("given", "content"),
    [
        (answer(), [{"type": "text", "text": ""}]),
        (answer(Text(""), Thinking("")), [{"type": "text", "text": ""}]),
        (answer(Thinking("", redacted="d")), [{"type": "redacted_thinking", "data": "d"}]),
        (answer(ToolCall("", "n", "{")), [{"type": "tool_use", "id": "toolu_f1_0", "name": "n", "input": {}}]),
    ],
)
def test_content(given, content):
    assert write_answer(given, CONTEXT)["content"] == content


def test_unsigned_thinking_gets_a_signature_of_ours():
    (first,), (second,) = (write_answer(answer(Thinking(text)), CONTEXT)["content"] for text in ("hm", "hm!"))
    assert first["signature"].startswith("zp1.")
    assert first["signature"] != second["signature"]


@pytest.mark.parametrize(
    ("stop", "parts", "word"),
    [
        (StopReason.END_TURN, (ToolCall("i", "n", ""),), "tool_use"),
        (StopReason.TOOL_USE, (), "end_turn"),
        (StopReason.MAX_TOKENS, (ToolCall("i", "n", ""),), "max_tokens"),
        (StopReason.CONTEXT_EXCEEDED, (), "max_tokens"),
        (StopReason.REFUSAL, (), "refusal"),
    ],
)
def test_stop_reasons(stop, parts, word):
    written = write_answer(answer(*parts, stop=stop), CONTEXT)
    assert SdkMessage.model_validate(written).stop_reason == word
    assert ("stop_details" in written) is (word == "refusal")


def test_an_answer_without_an_id_gets_a_fresh_one():
    assert write_answer(Answer("", "m", (), StopReason.END_TURN), CONTEXT)["id"] == "msg_f1"


@pytest.mark.parametrize(
    ("changes", "touched"),
    [
        ({"model": "claude-x"}, {"model": "claude-x"}),
        ({"unknown": 1}, {"model": "claude-x", "unknown": 1}),
        (
            {"usage": {"output_tokens": 1, "server_tool_use": {"web_search_requests": 2, "x": 3}}},
            {
                "model": "claude-x",
                "usage": {
                    "output_tokens": 1,
                    "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0, "x": 3},
                },
            },
        ),
        ({"usage": None}, {"model": "claude-x", "usage": None}),
        (
            {"stop_reason": "sensitive", "content": [{"type": "text", "text": "No."}]},
            {
                "model": "claude-x",
                "content": [{"type": "text", "text": "No."}],
                "stop_reason": "refusal",
                "stop_sequence": None,
                "stop_details": {"type": "refusal", "category": None, "explanation": None},
            },
        ),
        (
            {"stop_reason": "model_context_window_exceeded"},
            {"model": "claude-x", "stop_reason": "max_tokens", "stop_sequence": None},
        ),
        ({"stop_reason": "vendor_word"}, {"model": "claude-x", "stop_reason": "vendor_word"}),
    ],
)
def test_touched(changes, touched):
    body = {**BODY, **changes}
    before = copy.deepcopy(body)
    assert touch_answer(body, CONTEXT) == {**BODY, **touched}
    assert body == before


def test_an_answer_that_is_right_is_not_touched():
    counts = {"web_search_requests": 0, "web_fetch_requests": 2}
    body = {**BODY, "model": "claude-x", "usage": {"output_tokens": 1, "server_tool_use": counts}}
    assert touch_answer(body, CONTEXT) is body


def test_hidden_thinking_is_taken_out_of_an_answer():
    thought, text = {"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "a"}
    body = {**BODY, "model": "claude-x", "content": [thought, text, "odd"], "stop_reason": "end_turn"}
    assert touch_answer(body, CONTEXT) is body
    touched = touch_answer(body, replace(CONTEXT, echo=Asked(hides_thinking=True)))
    assert touched == {**body, "content": [{**thought, "thinking": ""}, text, "odd"]}
