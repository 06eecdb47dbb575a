"""Plain answers of upstreams that are JSON only almost: what can be understood is told in proper JSON."""

from __future__ import annotations

import json

import pytest

from proxy_core.events import ExchangeFinished
from tests.corridor import Corridor, call
from tests.fake_upstream import Reply
from tests.legs import openai_body, request

HEAD = '{"id":"c1","object":"chat.completion","created":5,"model":"m","x":%s,"choices":[{"index":0,'
BODY = HEAD + '"finish_reason":"stop","message":{"role":"assistant","content":"%s"}}]}'
MESSAGES = {"model": "glm-4.6-openai", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    ("extra", "text", "told"),
    [
        ("1", r"a\ud83d b", "a\ufffd b"),
        ("1", r"a\ude00", "a\ufffd"),
        ("1", r"\ud83d\ude00\ud83d", "\U0001f600\ufffd"),
        ("NaN", "a", "a"),
        ("[-Infinity, 1e999]", "a", "a"),
    ],
)
async def test_what_is_odd_is_mended(corridor: Corridor, extra: str, text: str, told: str) -> None:
    corridor.upstream.reply = Reply(body=(BODY % (extra, text)).encode())
    talk = openai_body(request("Hi", model="glm-4.6-openai"))
    same = json.loads((await call(corridor, "POST", "/v1/chat/completions", talk)).text)
    crossed = json.loads((await call(corridor, "POST", "/v1/messages", MESSAGES)).text)
    assert same["choices"][0]["message"]["content"] == told
    assert crossed["content"][0]["text"] == told


@pytest.mark.parametrize("body", [b"{", b"\xff{}", b"NaN", b"[" * 100_000, b"[1]", b'"\\ud83d"'])
async def test_what_is_none_is_an_error(corridor: Corridor, body: bytes) -> None:
    corridor.upstream.reply = Reply(body=body)
    got = await call(corridor, "POST", "/v1/chat/completions", openai_body(request("Hi", model="glm-4.6-openai")))
    assert got.status == 502
    assert "not JSON" in got.text or "not a JSON object" in got.text


async def test_what_cannot_be_written_again_is_a_failure_and_no_success(corridor: Corridor) -> None:
    body = BODY.replace('"model":"m"', '"model":"other"') % ("[" * 400 + "]" * 400, "a")
    corridor.upstream.reply = Reply(body=body.encode())
    got = await call(corridor, "POST", "/v1/chat/completions", openai_body(request("Hi", model="glm-4.6-openai")))
    assert (got.status, "cannot be told" in got.text) == (502, True)
    assert [each.exchange.outcome for each in corridor.events if isinstance(each, ExchangeFinished)] == ["failed"]


async def test_figures_beyond_64_bits_go_on_as_floats(corridor: Corridor) -> None:
    tool = {"name": "look", "input_schema": {"type": "object", "properties": {"n": {"maximum": 2**70}}}}
    raw = json.dumps({**MESSAGES, "tools": [tool], "max_tokens": 2**70}).encode()
    assert (await call(corridor, "POST", "/v1/messages", raw)).status == 200
    assert b'"maximum":1.1805916207174113e+21' in corridor.upstream.last.raw
    assert corridor.upstream.last.body["max_tokens"] < 2**20


async def test_a_plain_answer_that_cannot_be_told_as_a_stream_is_a_failure(corridor: Corridor) -> None:
    call_ = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}}'}}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [call_]}}
    body = {"id": "c1", "model": "m", "choices": [choice]}
    corridor.upstream.reply = Reply(body=body, headers={"Content-Type": "application/json"})
    got = await call(corridor, "POST", "/v1/messages", {**MESSAGES, "stream": True})
    assert (got.status, "arguments that are not JSON" in got.text) == (502, True)
    assert [each.exchange.outcome for each in corridor.events if isinstance(each, ExchangeFinished)] == ["failed"]
