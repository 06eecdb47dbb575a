"""Whole chat completions, both ways."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from proxy_core.chat import Answer, AnswerPart, StopReason, Text, Thinking, ToolCall, Usage
from proxy_core.dialects.arguments import made_id
from proxy_core.dialects.openai.answers import read_answer, touch_answer, write_answer
from proxy_core.errors import ErrorKind, UpstreamError
from proxy_core.jsontypes import JsonObject
from tests.proxy_core.dialects.openai.builders import CONTEXT, call


def reply(message: object, finish: object = "stop", **more: object) -> JsonObject:
    """As z.ai answers: without `object`."""
    choice = {"index": 0, "finish_reason": finish, "message": message}
    return {"id": "up-1", "request_id": "r", "created": 5, "model": "glm-4.6", "choices": [choice], **more}


def said(**fields: object) -> JsonObject:
    return {"role": "assistant", **fields}


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        (said(content="A"), (Text("A"),)),
        (said(content=None), ()),
        (said(content=[{"type": "text", "text": "A"}, {"type": "text", "text": "B"}, 3]), (Text("AB"),)),
        (said(content="A", reasoning_content="T"), (Thinking("T"), Text("A"))),
        (said(content="A", reasoning="T"), (Thinking("T"), Text("A"))),
        (said(content="A", reasoning_details=[{"text": "T"}, {"text": "U"}]), (Thinking("TU"), Text("A"))),
        (said(content=None, refusal="No."), (Text("No."),)),
        (said(content="", tool_calls=[call()]), (ToolCall("call_1", "look", "{}"),)),
        (said(tool_calls=[call(arguments={"a": 1})]), (ToolCall("call_1", "look", '{"a":1}'),)),
        (said(tool_calls=[call(arguments="")]), (ToolCall("call_1", "look", "{}"),)),
        (said(tool_calls=[call(arguments='{"a": ')]), (ToolCall("call_1", "look", '{"a": '),)),
        (said(tool_calls=[call(name=""), 3, {"function": 3}]), ()),
        (said(content=3, tool_calls={}, reasoning_details=3), ()),
    ],
)
def test_read_parts(message: JsonObject, parts: tuple[AnswerPart, ...]) -> None:
    assert read_answer(reply(message)).parts == parts


def test_read_everything_else() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 8}}
    expected = Answer("up-1", "glm-4.6", (Text("A"),), StopReason.MAX_TOKENS, Usage(2, 8, 0, 5), created=5)
    assert read_answer(reply(said(content="A"), "length", usage=usage)) == expected


def test_calls_without_id_or_in_the_legacy_form_get_one() -> None:
    bare = said(tool_calls=[{"function": {"name": "a"}}], function_call={"name": "b", "arguments": '{"x":1}'})
    first, second = read_answer(reply(bare)).parts
    assert isinstance(first, ToolCall) and isinstance(second, ToolCall)
    assert (first.name, first.arguments, second.name, second.arguments) == ("a", "{}", "b", '{"x":1}')
    assert first.id.startswith("call_") and first.id != second.id


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ({"error": {"code": "1302", "message": "Rate limit"}}, ErrorKind.RATE_LIMIT, 429),
        ({"success": False, "code": 1211, "msg": "No such model"}, ErrorKind.NOT_FOUND, 404),
        ({"error": "broken"}, ErrorKind.SERVER, 500),
        ({}, ErrorKind.SERVER, 502),
        ({"choices": []}, ErrorKind.SERVER, 502),
        ({"choices": [{"message": "A"}]}, ErrorKind.SERVER, 502),
        (reply(said(content="A"), "network_error"), ErrorKind.SERVER, 502),
    ],
)
def test_what_is_no_answer_is_an_error(body: JsonObject, kind: ErrorKind, status: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        read_answer(body)
    assert (caught.value.kind, caught.value.status) == (kind, status)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((), said(content="", refusal=None)),
        ((Text("A"), Text("B")), said(content="AB", refusal=None)),
        ((Thinking("T"), Text("A")), said(content="A", refusal=None, reasoning_content="T")),
        ((Thinking("", redacted="x"), Text("A")), said(content="A", refusal=None)),
        ((ToolCall("call_1", "look", ""),), said(content=None, refusal=None, tool_calls=[call()])),
        ((Text("A"), ToolCall("call_1", "look", "{}")), said(content="A", refusal=None, tool_calls=[call()])),
    ],
)
def test_write_message(parts: tuple[AnswerPart, ...], message: JsonObject) -> None:
    answer = Answer("id", "model", parts, StopReason.END_TURN)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    assert write_answer(answer, CONTEXT)["choices"] == [choice]


@pytest.mark.parametrize(
    ("answer_id", "created", "expected"),
    [
        ("up-1", 5, ("chatcmpl-up-1", 5)),
        ("chatcmpl-2", None, ("chatcmpl-2", 7)),
        ("", None, ("chatcmpl-fresh", 7)),
    ],
)
def test_write_frame(answer_id: str, created: int | None, expected: tuple[str, int]) -> None:
    answer = Answer(answer_id, "glm-4.6", (), StopReason.END_TURN, Usage(1, 2, 0, 3), created=created)
    body = write_answer(answer, CONTEXT)
    assert (body["id"], body["created"]) == expected
    assert (body["object"], body["model"]) == ("chat.completion", "asked")
    assert body["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 3,
        "total_tokens": 6,
        "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
    }


def test_touched_is_only_what_must_be() -> None:
    body = reply(said(content="A", odd=1), usage={"odd": 2}, web_search=[])
    before = copy.deepcopy(body)
    assert touch_answer(body, CONTEXT) == {**before, "object": "chat.completion", "model": "asked"}
    assert body == before


@pytest.mark.parametrize(
    ("finish", "arguments", "touched"),
    [
        ("sensitive", "{}", ("content_filter", "{}")),
        ("model_context_window_exceeded", "{}", ("length", "{}")),
        ("tool_calls", {"a": 1}, ("tool_calls", '{"a":1}')),
        ("stop", "", ("tool_calls", "{}")),
        (None, None, ("tool_calls", "{}")),
        ("function_call", " ", ("function_call", "{}")),
        ("tool_calls", '{"a":["b', ("tool_calls", '{"a":["b"]}')),
        ("tool_calls", '"{\\"a\\":1}"', ("tool_calls", '{"a":1}')),
        ("length", '{"a":["b', ("length", '{"a":["b')),
    ],
)
def test_what_strict_clients_stumble_over_is_set_right(finish: str, arguments: object, touched: object) -> None:
    body = reply(said(content=None, tool_calls=[call(arguments=arguments)]), finish)
    (choice,) = touch_answer(body, CONTEXT)["choices"]  # type: ignore[misc] # a list, as in the body
    assert (choice["finish_reason"], choice["message"]["tool_calls"][0]["function"]["arguments"]) == touched


@pytest.mark.parametrize(("call_id", "touched"), [("c", "c"), (None, made_id("up-1", 0)), ("", made_id("up-1", 0))])
def test_a_call_without_an_id_is_given_one(call_id: object, touched: str) -> None:
    body = reply(said(tool_calls=[{**call(), "id": call_id}]), "tool_calls")
    (choice,) = touch_answer({**body, "id": "up-1"}, CONTEXT)["choices"]  # type: ignore[misc] # a list, as in the body
    assert choice["message"]["tool_calls"][0]["id"] == touched


def test_a_finish_that_contradicts_the_answer_gives_way() -> None:
    (choice,) = touch_answer(reply(said(content="A"), "tool_calls"), CONTEXT)["choices"]  # type: ignore[misc] # as above
    assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize("choices", [None, "x", [3], [{}], [{"message": {"tool_calls": [3, {"function": 3}]}}]])
def test_touching_odd_replies_does_not_break_them(choices: object) -> None:
    assert touch_answer({"choices": choices}, CONTEXT)["choices"] == choices


def test_usage_that_never_came_is_reckoned() -> None:
    body = reply(said(content="Hello", reasoning_content="Hm", tool_calls=[call(arguments="{}")]), "tool_calls")
    body.pop("usage", None)
    usage = write_answer(read_answer(body), replace(CONTEXT, estimate_prompt=lambda: 12))["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (12, 3, 15)


def test_a_call_that_is_no_json_is_an_error_unless_a_limit_cut_it() -> None:
    body = reply(said(content=None, tool_calls=[call(arguments='{"a" 1')]), "tool_calls")
    for write in (lambda: touch_answer(body, CONTEXT), lambda: write_answer(read_answer(body), CONTEXT)):
        with pytest.raises(UpstreamError, match="not JSON"):
            write()
    body["choices"][0]["finish_reason"] = "length"
    assert touch_answer(body, CONTEXT)["choices"] == body["choices"]
