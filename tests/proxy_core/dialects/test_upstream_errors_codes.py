"""Every code inside of a stream: an error event in the client's own words, on every way through."""

from __future__ import annotations

import orjson
import pytest

from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.crossing import Crossing
from proxy_core.dialects.table import DIALECTS
from proxy_core.upstream_codes import CODES
from proxy_core.wire.sse import SseEvent
from tests.proxy_core.codes import EXPECTED

BEGUN = {
    "anthropic": {"type": "message_start", "message": {"id": "m", "model": "glm-4.6", "content": [], "usage": {}}},
    "openai": {"id": "m", "model": "glm-4.6", "choices": [{"index": 0, "delta": {"role": "assistant"}}]},
}
ENVELOPES = {
    "anthropic": lambda code: {"type": "error", "error": {"message": f"[{code}][No such luck][a1b2c3]"}},
    "openai": lambda code: {"error": {"code": code, "message": "No such luck"}},
    "biz": lambda code: {"success": False, "code": int(code), "msg": "No such luck"},
}


def turned(client: str, upstream: str, *payloads: object) -> str:
    """What the client of one dialect gets from a stream of the other, or of the same."""
    context = ReplyContext("glm", "fresh", 0)
    if client == upstream:
        relay = DIALECTS[upstream].open_relay(context)
    else:
        relay = Crossing(DIALECTS[upstream].open_reader(), DIALECTS[client].open_writer(context))
    events = [SseEvent("", orjson.dumps(payload), b"") for payload in payloads]
    return b"".join([relay.relay(event)[0] for event in events]).decode()


@pytest.mark.parametrize("client", ["anthropic", "openai"])
@pytest.mark.parametrize("upstream", ["anthropic", "openai"])
@pytest.mark.parametrize("form", ENVELOPES)
@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.code)
def test_every_code_in_mid_stream(client, upstream, form, expected):
    text = turned(client, upstream, BEGUN[upstream], ENVELOPES[form](expected.code))
    told = orjson.loads(text.split("data: ")[2 if client == "anthropic" else -2])["error"]
    assert told["type"] == (expected.anthropic if client == "anthropic" else expected.openai)[1]
    if client == "openai":
        assert told["code"] == (expected.openai[2] or expected.code)
    if expected.error_class == "too_long":
        assert told["message"].startswith(("prompt is too long: ", "This model's maximum context length is "))
    else:
        assert told["message"] == f"No such luck. {CODES[expected.code].rule.remedy.en}"
