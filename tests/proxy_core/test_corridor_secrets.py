"""Keys and prompts never reach a log, whatever goes wrong."""

from __future__ import annotations

import logging

import pytest

from app.demo.faults import FAULTS, anthropic_envelope
from proxy_core.settings import Server
from tests.corridor import CLIENT_KEY, STORED_KEY, Corridor, call
from tests.fake_upstream import Reply
from tests.proxy_core.test_corridor_errors import NOON

ZAI_KEY = "0123456789abcdef0123456789abcdef.AbCdEfGh"
KEY = "access-key-of-the-test"
PROMPT = "a prompt that nobody else may read"
ANSWER = "Hello, world."
THEIR_OWN = ("openai", "anthropic", "httpx", "httpcore", "hpack", "asyncio")
TALK = {"model": "glm-4.6", "max_tokens": 5, "messages": [{"role": "user", "content": PROMPT}]}
PATHS = pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions"])
FAULTY = {
    "all is well": Reply(),
    "refused": Reply(status=429, body=anthropic_envelope(FAULTS["1302"], NOON)),
    "the upstream repeats it all": Reply(status=400, body={"error": {"message": f"{PROMPT} {STORED_KEY}"}}),
    "no JSON": Reply(body=f"{PROMPT}".encode()),
    "an odd answer": Reply(body={"content": PROMPT}),
    "it dies": Reply(cut_at=20, ending="abort"),
}


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Everything that was logged by us or by what we use, tracebacks included."""
    lines = [record for record in caplog.records if not record.name.startswith(THEIR_OWN)]
    return "\n".join(caplog.handler.format(record) for record in lines)


def assert_silent(caplog: pytest.LogCaptureFixture) -> None:
    text = logged(caplog)
    for secret in (PROMPT, ANSWER, STORED_KEY, CLIENT_KEY, KEY):
        assert secret not in text


@PATHS
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("case", FAULTY)
async def test_no_exchange_leaves_a_secret_in_the_log(
    corridor: Corridor, caplog: pytest.LogCaptureFixture, path: str, stream: bool, case: str
) -> None:
    caplog.set_level(logging.DEBUG)
    corridor.access_key = KEY
    corridor.upstream.reply = FAULTY[case]
    headers = {"x-api-key": CLIENT_KEY, "Authorization": f"Bearer {KEY}"}
    got = await call(corridor, "POST", path, TALK | {"stream": stream}, headers)
    assert got.status != 401
    assert_silent(caplog)


@PATHS
@pytest.mark.parametrize("key", ["", CLIENT_KEY])
async def test_refusals_at_the_door_leave_none_either(
    corridor: Corridor, caplog: pytest.LogCaptureFixture, path: str, key: str
) -> None:
    caplog.set_level(logging.DEBUG)
    corridor.access_key = KEY
    bodies = [TALK, TALK | {"tools": PROMPT}, TALK | {"model": PROMPT}, f'{{"{PROMPT}'.encode()]
    for body in bodies:
        for headers in ({"x-api-key": key}, {"x-api-key": KEY}, {"x-api-key": key, "Host": "evil.example"}):
            assert (await call(corridor, "POST", path, body, headers)).status in (200, 400, 401, 403, 404)
    assert_silent(caplog)


async def test_a_bug_of_ours_is_logged_without_the_request(
    corridor: Corridor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(Server, "base", lambda *_: 1 / 0)
    got = await call(corridor, "POST", "/v1/messages", TALK, {"x-api-key": CLIENT_KEY})
    assert (got.status, got.body["error"]["type"]) == (500, "api_error")
    assert PROMPT not in got.body["error"]["message"]
    assert "ZeroDivisionError" in logged(caplog)
    assert_silent(caplog)


@pytest.mark.parametrize("model", [CLIENT_KEY, f"glm-{CLIENT_KEY}", f"glm-4.6 {PROMPT}", f"glm-{ZAI_KEY}"])
async def test_a_key_or_a_prompt_sent_for_a_model_is_told_to_nobody(
    corridor: Corridor, caplog: pytest.LogCaptureFixture, model: str
) -> None:
    caplog.set_level(logging.DEBUG)
    corridor.upstream.reply = Reply(status=404, body={"error": {"message": f"model {model} not found"}})
    await call(corridor, "POST", "/v1/messages", TALK | {"model": model}, {"x-api-key": CLIENT_KEY})
    assert_silent(caplog)
    exchange = corridor.events[-1].exchange
    assert (CLIENT_KEY in str(exchange), ZAI_KEY in logged(caplog), exchange.outcome) == (False, False, "failed")
    assert all(secret not in exchange.asked_model + exchange.served_model for secret in (PROMPT, ZAI_KEY))
