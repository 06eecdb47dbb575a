"""An upstream that repeats the key it was sent: nobody is told it, in no field of no error."""

from __future__ import annotations

import orjson
import pytest

from proxy_core.errors import UpstreamError
from proxy_core.upstream.echoes import bytes_without_key, without_key
from tests.corridor import CLIENT_KEY, STORED_KEY, Corridor, call
from tests.fake_upstream import Reply
from tests.legs import LEGS, Leg

_SSE = {"content-type": "text/event-stream"}


def _event(said: object) -> bytes:
    return b"event: error\ndata: " + orjson.dumps(said) + b"\n\n"


def _replies(key: str) -> dict[str, Reply]:
    said = {"type": "authentication_error", "message": f"bad key {key}", "code": key}
    body = {"type": "error", "error": said, "key": [key], key: {"headers": f"Bearer {key}"}}
    return {
        "json": Reply(status=401, body=body),
        "json, cut off": Reply(status=401, body={"error": {"message": "x" * 990 + key}}),
        "text": Reply(status=403, body=f"denied for {key}".encode(), headers={"content-type": "text/plain"}),
        "text, cut off": Reply(status=403, body=b"x" * 290 + key.encode(), headers={"content-type": "text/plain"}),
        "status 200": Reply(body=body),
        "event": Reply(body=_event(body), headers=_SSE),
    }


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("stored", [STORED_KEY, None])
@pytest.mark.parametrize("name", _replies(""))
async def test_no_key_comes_back(corridor: Corridor, leg: Leg, stream: bool, stored: str | None, name: str) -> None:
    corridor.stored_key = stored
    key = stored or CLIENT_KEY
    corridor.upstream.reply = _replies(key)[name]
    corridor.change(forward_client_key=True, max_retries=0)
    path = "/v1/messages" if leg.client == "anthropic" else "/v1/chat/completions"
    body = {"model": leg.model, "max_tokens": 9, "stream": stream, "messages": [{"role": "user", "content": "go"}]}
    got = await call(corridor, "POST", path, body, {"x-api-key": CLIENT_KEY})
    assert "error" in got.text
    assert key not in got.text
    assert key[: len(key) // 2] not in got.text
    assert all(key not in repr(event) for event in corridor.events)


@pytest.mark.parametrize("key", ["", "1", "none"])
def test_what_is_no_key_is_no_key(key: str) -> None:
    error = without_key(UpstreamError("none of 1", body={"1": "none"}), key)
    assert (error.message, error.body) == ("none of 1", {"1": "none"})
    assert bytes_without_key(b"none of 1", key) == b"none of 1"
