"""Errors keep their status and come in the caller's envelope, so that each SDK raises the class its users catch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime

import anthropic
import openai
import pytest

from app.demo.faults import FAULTS, Fault, anthropic_envelope, openai_envelope
from proxy_core.events import ExchangeFinished
from proxy_core.settings import Server
from tests.corridor import Corridor
from tests.fake_upstream import Reply
from tests.legs import LEGS, Leg, ask, request

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
Refusal = anthropic.APIStatusError | openai.APIStatusError
CLASSES = {
    400: (anthropic.BadRequestError, openai.BadRequestError),
    401: (anthropic.AuthenticationError, openai.AuthenticationError),
    403: (anthropic.PermissionDeniedError, openai.PermissionDeniedError),
    404: (anthropic.NotFoundError, openai.NotFoundError),
    429: (anthropic.RateLimitError, openai.RateLimitError),
    500: (anthropic.InternalServerError, openai.InternalServerError),
    502: (anthropic.InternalServerError, openai.InternalServerError),
    504: (anthropic.InternalServerError, openai.InternalServerError),
    529: (anthropic.InternalServerError, openai.InternalServerError),
}

REFUSALS = (anthropic.APIStatusError, openai.APIStatusError)
# What callers of each dialect get: Anthropic, OpenAI.
STATUS = {
    "500": (500, 500),
    "1002": (401, 401),
    "1113": (402, 429),
    "1211": (404, 404),
    "1214": (400, 400),
    "1220": (403, 403),
    "1301": (400, 400),
    "1302": (429, 429),
    "1305": (529, 503),
    "1308": (429, 429),
}


async def refusal(answer: Awaitable[object]) -> Refusal:
    """The error that the SDK raises."""
    with pytest.raises(REFUSALS) as caught:
        await answer
    return caught.value


def envelope(leg: Leg, fault: Fault) -> dict[str, object]:
    return (anthropic_envelope if leg.upstream == "anthropic" else openai_envelope)(fault, NOON)


def told(error: Refusal) -> dict[str, object]:
    """The inner error object; the OpenAI SDK unwraps it by itself."""
    return error.body["error"] if isinstance(error, anthropic.APIStatusError) else error.body


@BOTH
@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize("code", STATUS)
async def test_an_upstream_error_keeps_its_words_under_the_status_that_the_client_knows(
    corridor: Corridor, leg: Leg, code: str, stream: bool
) -> None:
    fault = FAULTS[code]
    corridor.upstream.reply = Reply(status=fault.status, body=envelope(leg, fault))
    error = await refusal(ask(corridor, leg, request("go"), stream=stream))
    assert error.status_code == STATUS[code][leg.client == "openai"]
    assert isinstance(error, CLASSES.get(error.status_code, REFUSALS))
    assert fault.message.split("{")[0] in str(told(error)["message"])
    assert told(error)["type"]
    assert error.response.headers["request-id" if leg.client == "anthropic" else "x-request-id"].startswith("req_")


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, b"<html><h1>Bad gateway</h1></html>"),
        (500, b""),
        (429, b"slow down"),
        (529, b'{"error":"odd"}'),
        (404, b"[]"),
    ],
)
async def test_errors_that_are_no_envelope_get_one(corridor: Corridor, leg: Leg, status: int, body: bytes) -> None:
    corridor.upstream.reply = Reply(status=status, body=body)
    error = await refusal(ask(corridor, leg, request("go"), stream=False))
    assert isinstance(error, CLASSES[status])
    assert told(error)["message"]


@BOTH
@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_an_error_behind_status_200_is_an_error(corridor: Corridor, leg: Leg, stream: bool) -> None:
    body = {"success": False, "code": 1305, "msg": "overloaded"}
    corridor.upstream.reply = Reply(body=body, headers={"Content-Type": "application/json"})
    error = await refusal(ask(corridor, leg, request("go"), stream=stream))
    assert error.status_code == (529 if leg.client == "anthropic" else 503)
    assert str(told(error)["message"]).startswith("overloaded")


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_the_waiting_time_is_passed_on(corridor: Corridor, leg: Leg) -> None:
    corridor.upstream.reply = Reply(status=429, body=envelope(leg, FAULTS["1302"]), headers={"Retry-After": "17"})
    error = await refusal(ask(corridor, leg, request("go"), stream=False))
    assert error.response.headers["retry-after"] == "17"


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_an_overflow_is_told_in_words_that_agents_act_on(corridor: Corridor, leg: Leg) -> None:
    corridor.upstream.reply = Reply(status=400, body=envelope(leg, FAULTS["1261"]))
    error = told(await refusal(ask(corridor, leg, request("go"), stream=False)))
    if leg.client == "anthropic":
        assert str(error["message"]).startswith("prompt is too long: ")
    else:
        assert error["code"] == "context_length_exceeded"


@pytest.mark.parametrize("client", ["anthropic", "openai"])
@pytest.mark.parametrize(
    ("model", "status", "word"), [("llama-3", 404, "llama-3"), ("glm-4.6", 502, "No connection to 127.0.0.1")]
)
async def test_our_own_refusals_say_what_happened(
    corridor: Corridor, client: str, model: str, status: int, word: str, unused_port: int
) -> None:
    corridor.server = Server(name="gone", endpoint=f"http://127.0.0.1:{unused_port}")
    error = await refusal(ask(corridor, Leg(client, "anthropic"), request("go", model=model), stream=False))
    assert isinstance(error, CLASSES[status])
    assert word in str(told(error)["message"])


@pytest.fixture
def unused_port(unused_tcp_port: int) -> int:
    """A port that nobody listens on."""
    return unused_tcp_port


@BOTH
@pytest.mark.parametrize("client", ["anthropic", "openai"])
async def test_without_any_key_nothing_goes_out(corridor: Corridor, client: str, stream: bool) -> None:
    corridor.stored_key = None
    corridor.change(forward_client_key=False)
    error = await refusal(ask(corridor, Leg(client, "openai"), request("go"), stream=stream))
    assert isinstance(error, CLASSES[401])
    assert corridor.upstream.requests == []


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize(
    ("limit", "hold_at", "stream"),
    [("first_byte_timeout", 0, True), ("first_byte_timeout", 0, False), ("request_timeout", 20, False)],
)
async def test_silence_ends_in_a_timeout(corridor: Corridor, leg: Leg, limit: str, hold_at: int, stream: bool) -> None:
    corridor.change(**{limit: 0.1, "connect_timeout": 0.1})
    corridor.upstream.reply = Reply(hold_at=hold_at)
    error = await refusal(ask(corridor, leg, request("go"), stream=stream))
    assert isinstance(error, CLASSES[504])
    await asyncio.wait_for(corridor.upstream.last.left.wait(), 10)


async def test_a_redirect_is_not_followed(corridor: Corridor) -> None:
    corridor.upstream.reply = Reply(status=307, body=b"", headers={"Location": f"{corridor.url}/health"})
    error = await refusal(ask(corridor, LEGS[0], request("go"), stream=False))
    assert (error.status_code, len(corridor.upstream.requests)) == (502, 1)


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_a_failure_is_recorded_once(corridor: Corridor, leg: Leg) -> None:
    corridor.upstream.reply = Reply(status=429, body=envelope(leg, FAULTS["1302"]))
    await refusal(ask(corridor, leg, request("go"), stream=False))
    finished = [event.exchange for event in corridor.events if isinstance(event, ExchangeFinished)]
    assert [(one.outcome, one.status, one.error_kind) for one in finished] == [("failed", 429, "rate_limit")]


@pytest.mark.parametrize("client", ["anthropic", "openai"])
async def test_a_paused_proxy_says_so(corridor: Corridor, client: str) -> None:
    corridor.proxy.paused = True
    error = await refusal(ask(corridor, Leg(client, "openai"), request("go"), stream=False))
    assert (error.status_code, "paused" in str(told(error)["message"])) == (503, True)
    corridor.proxy.paused = False
    assert (await ask(corridor, Leg(client, "openai"), request("go"), stream=False)).text == "Hello, world."
