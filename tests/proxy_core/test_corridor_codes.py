"""Every code of the upstreams through the whole proxy: status, envelope, headers, tries and words on both doors."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from proxy_core.events import ExchangeFinished
from proxy_core.upstream_codes import CODES
from tests.corridor import Corridor, Got, call
from tests.fake_upstream import Reply
from tests.legs import LEGS, Leg
from tests.proxy_core.codes import EXPECTED, Expected

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
"""20:00 in Beijing."""
TRACE = "20261122200000abcdef"
DOORS = {"anthropic": "/v1/messages", "openai": "/v1/chat/completions"}
ANTHROPIC, A_TO_O = LEGS[0], LEGS[2]


@pytest.fixture(autouse=True)
def noon(corridor: Corridor) -> None:
    """The proxy's clock stands still."""
    corridor.clock = lambda: NOON


def envelope(dialect: str, code: str, text: str) -> dict[str, object]:
    """As the real servers write it: the Anthropic side tells the code in the message only."""
    if dialect == "openai":
        return {"error": {"code": code, "message": text}}
    return {"type": "error", "error": {"type": "api_error", "message": f"[{code}][{text}][{TRACE}]"}}


async def ask(corridor: Corridor, leg: Leg, text: str = "go", **fields: object) -> Got:
    """One request by hand, with all that the client gets back."""
    body = {"model": leg.model, "max_tokens": 9, "messages": [{"role": "user", "content": text}], **fields}
    return await call(corridor, "POST", DOORS[leg.client], body)


def told(got: Got, client: str) -> tuple[object, ...]:
    """(status, type) or (status, type, code)."""
    assert isinstance(got.body, dict)
    error = got.body["error"]
    if client == "anthropic":
        assert (got.body["type"], got.body["request_id"]) == ("error", got.headers["request-id"])
        return got.status, error["type"]
    assert set(got.body) == {"error"}
    assert "param" in error
    return got.status, error["type"], error["code"]


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.code)
async def test_every_code_on_both_doors(corridor: Corridor, leg: Leg, expected: Expected) -> None:
    corridor.upstream.reply = Reply(status=429, body=envelope(leg.upstream, expected.code, "No such luck"))
    got = await ask(corridor, leg)
    words = expected.anthropic if leg.client == "anthropic" else expected.openai
    assert told(got, leg.client) == tuple(expected.code if word is None else word for word in words)
    assert got.headers.get("retry-after") == expected.told_s
    assert got.headers["x-should-retry"] == ("true" if expected.retries else "false")
    assert len(corridor.upstream.requests) == 1 + expected.retries
    assert corridor.waits == [expected.first_wait_s, 2 * expected.first_wait_s][: expected.retries]
    assert TRACE not in str(got.body)
    if expected.error_class != "too_long":
        said = f"No such luck. {CODES[expected.code].rule.remedy.en}"
        assert got.body["error"]["message"] == said


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.code)
async def test_every_code_behind_status_200(corridor: Corridor, expected: Expected) -> None:
    corridor.upstream.reply = Reply(body={"success": False, "code": int(expected.code), "msg": "额度不足"})
    got = await ask(corridor, A_TO_O)
    assert told(got, "anthropic") == expected.anthropic
    assert len(corridor.upstream.requests) == 1 + expected.retries
    if expected.error_class != "too_long":
        assert got.body["error"]["message"] == f"额度不足。 {CODES[expected.code].rule.remedy.zh}"


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize(
    ("code", "time", "seconds"),
    [
        ("1308", "2026-11-22 22:00:00", "7200"),
        ("1310", "2026-11-30 20:00:00", "691200"),
        ("1318", "01:00:00", "18000"),
        ("1304", "23:00:00", "10800"),
        ("1308", "2026-11-22 19:00:00", None),
        ("1309", "2026-11-22 22:00:00", None),
    ],
)
async def test_a_reset_on_beijings_clock_becomes_seconds(
    corridor: Corridor, leg: Leg, code: str, time: str, seconds: str | None
) -> None:
    text = f"Your limit will reset at {time}"
    corridor.upstream.reply = Reply(status=429, body=envelope(leg.upstream, code, text))
    got = await ask(corridor, leg)
    assert (got.headers.get("retry-after"), got.headers["x-should-retry"]) == (seconds, "false")
    assert text in got.body["error"]["message"]


async def test_a_header_wins_over_the_message(corridor: Corridor) -> None:
    body = envelope("anthropic", "1308", "Your limit will reset at 2026-11-22 22:00:00")
    corridor.upstream.reply = Reply(status=429, body=body, headers={"retry-after-ms": "60000", "retry-after": "7"})
    assert (await ask(corridor, ANTHROPIC)).headers["retry-after"] == "60"


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("chars", "prompt_tokens"), [(10, 204_801), (900_000, 225_000)], ids=["few", "many"])
async def test_a_prompt_that_is_too_long_is_told_with_figures(
    corridor: Corridor, leg: Leg, stream: bool, chars: int, prompt_tokens: int
) -> None:
    corridor.upstream.reply = Reply(status=400, body=envelope(leg.upstream, "1261", "Prompt exceeds max length"))
    got = await ask(corridor, leg, "x" * chars, stream=stream)
    message = got.body["error"]["message"]
    figures = [int(figure) for figure in re.findall(r"\d+", message)]
    assert got.status == 400
    if leg.client == "anthropic":
        assert re.fullmatch(r"prompt is too long: \d+ tokens > \d+ maximum", message)
        figures.reverse()
    else:
        assert message.startswith("This model's maximum context length is 204800 tokens. However, your messages ")
    assert figures[0] == 204_800
    assert prompt_tokens <= figures[1] <= prompt_tokens + 50


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_figures_that_the_upstream_names_are_kept(corridor: Corridor, leg: Leg) -> None:
    text = {
        "anthropic": "prompt is too long: 213000 tokens > 200000 maximum",
        "openai": "This model's maximum context length is 200000 tokens. However, your messages resulted in "
        "213000 tokens.",
    }
    error = {"type": "invalid_request_error", "message": text[leg.upstream]}
    corridor.upstream.reply = Reply(status=400, body={"type": "error", "error": error})
    assert text[leg.client] in (await ask(corridor, leg)).body["error"]["message"]


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_the_record_holds_what_the_client_was_told(corridor: Corridor, leg: Leg) -> None:
    corridor.upstream.reply = Reply(status=429, body=envelope(leg.upstream, "1305", "Busy"))
    await ask(corridor, leg)
    exchanges = [event.exchange for event in corridor.events if isinstance(event, ExchangeFinished)]
    assert [(one.status, one.error_kind, one.retries) for one in exchanges] == [
        (529 if leg.client == "anthropic" else 503, "overloaded", 2)
    ]
