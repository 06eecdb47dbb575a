"""Trying again: before the first byte only, within limits, and unseen by the client where it helps."""

from __future__ import annotations

import asyncio

import pytest

from proxy_core.events import Exchange, ExchangeFinished
from proxy_core.settings import Server
from tests.corridor import Corridor
from tests.fake_upstream import HELLO, Reply
from tests.legs import LEGS, Leg, ask, request
from tests.proxy_core.test_corridor_codes import ask as ask_by_hand
from tests.proxy_core.test_corridor_codes import envelope, told

BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
ALL_LEGS = pytest.mark.parametrize("leg", LEGS, ids=str)
CAP_S = 10.0


def refusal(leg: Leg, code: str = "1302", **fields: object) -> Reply:
    return Reply(status=429, body=envelope(leg.upstream, code, "No"), **fields)


def finished(corridor: Corridor) -> Exchange:
    return [event.exchange for event in corridor.events if isinstance(event, ExchangeFinished)][-1]


@BOTH
@ALL_LEGS
async def test_a_client_does_not_notice_what_was_tried_again(corridor: Corridor, leg: Leg, stream: bool) -> None:
    corridor.upstream.replies = [refusal(leg), refusal(leg, "1305")]
    heard = await ask(corridor, leg, request("go"), stream=stream)
    assert (heard.text, corridor.waits) == ("Hello, world.", [1.0, 10.0])
    assert len({received.raw for received in corridor.upstream.requests}) == 1
    assert (finished(corridor).outcome, finished(corridor).retries) == ("done", 2)


@BOTH
@ALL_LEGS
async def test_an_error_behind_status_200_is_tried_again(corridor: Corridor, leg: Leg, stream: bool) -> None:
    busy = Reply(body={"success": False, "code": 1305, "msg": "busy"}, headers={"Content-Type": "application/json"})
    corridor.upstream.replies = [busy]
    assert (await ask(corridor, leg, request("go"), stream=stream)).text == "Hello, world."


@pytest.mark.parametrize("max_retries", [0, 1, 3])
async def test_the_setting_says_how_often(corridor: Corridor, max_retries: int) -> None:
    corridor.change(max_retries=max_retries)
    corridor.upstream.reply = refusal(LEGS[0])
    got = await ask_by_hand(corridor, LEGS[0])
    assert (got.status, got.headers["x-should-retry"]) == (429, "true")
    assert len(corridor.upstream.requests) == 1 + max_retries
    assert finished(corridor).retries == max_retries


@pytest.mark.parametrize(("header", "waits"), [("17", [17.0, 17.0]), ("30", [30.0, 30.0]), ("31", [])])
async def test_a_demanded_wait_is_kept_or_passed_on(corridor: Corridor, header: str, waits: list[float]) -> None:
    corridor.upstream.reply = refusal(LEGS[0], headers={"Retry-After": header})
    got = await ask_by_hand(corridor, LEGS[0])
    assert (corridor.waits, got.headers["retry-after"], got.status) == (waits, header, 429)


@pytest.mark.parametrize(("chars", "tries"), [(100_000, 3), (468_000, 2), (600_000, 1)])
async def test_large_prompts_are_not_sent_again_and_again(corridor: Corridor, chars: int, tries: int) -> None:
    corridor.upstream.reply = refusal(LEGS[0], "1305")
    got = await ask_by_hand(corridor, LEGS[0], "x" * chars)
    assert (got.status, len(corridor.upstream.requests)) == (529, tries)


@BOTH
@ALL_LEGS
async def test_a_server_that_cannot_be_reached_is_tried_again(
    corridor: Corridor, leg: Leg, stream: bool, unused_tcp_port: int
) -> None:
    corridor.server = Server(name="gone", endpoint=f"http://127.0.0.1:{unused_tcp_port}")
    got = await ask_by_hand(corridor, leg, "x" * 600_000, stream=stream)
    assert (got.status, got.headers["x-should-retry"], corridor.waits) == (502, "true", [0.5, 1.0])
    assert "No connection to 127.0.0.1" in got.text


@ALL_LEGS
async def test_silence_before_the_first_byte_is_not_tried_again(corridor: Corridor, leg: Leg) -> None:
    corridor.change(first_byte_timeout=0.05, connect_timeout=0.2)
    corridor.upstream.reply = Reply(hold_at=0)
    got = await ask_by_hand(corridor, leg, stream=True)
    assert (got.status, len(corridor.upstream.requests)) == (504, 1)
    assert "x-should-retry" not in got.headers
    await asyncio.wait_for(corridor.upstream.last.left.wait(), CAP_S)


@BOTH
@pytest.mark.parametrize("leg", [leg for leg in LEGS if leg.upstream == "openai"], ids=str)
async def test_what_broke_in_the_upstreams_network_is_tried_again_while_nothing_went_out(
    corridor: Corridor, leg: Leg, stream: bool
) -> None:
    whole = Reply(answer=HELLO).render("openai", stream=stream)
    lost = whole.replace(b'"finish_reason":"stop"', b'"finish_reason":"network_error"')
    corridor.upstream.replies = [Reply(body=lost)]
    got = await ask_by_hand(corridor, leg, stream=stream)
    assert len(corridor.upstream.requests) == (1 if stream else 2)
    assert ("lost its own connection" in got.text) is stream


@ALL_LEGS
async def test_a_stream_that_has_begun_is_not_begun_again(corridor: Corridor, leg: Leg) -> None:
    corridor.upstream.reply = Reply(cut_at=150, ending="abort")
    got = await ask_by_hand(corridor, leg, stream=True)
    assert (got.status, len(corridor.upstream.requests), corridor.waits) == (200, 1, [])
    assert "error" in got.text


@ALL_LEGS
async def test_a_plain_request_is_not_waited_for_beyond_its_limit(corridor: Corridor, leg: Leg) -> None:
    corridor.change(request_timeout=4.0)
    corridor.upstream.reply = refusal(leg, "1303")
    got = await ask_by_hand(corridor, leg)
    assert (got.status, corridor.waits) == (429, [])


@BOTH
async def test_the_last_refusal_is_the_one_that_is_told(corridor: Corridor, stream: bool) -> None:
    leg = LEGS[0]
    corridor.upstream.replies = [refusal(leg), refusal(leg, "1113")]
    got = await ask_by_hand(corridor, leg, stream=stream)
    assert told(got, "anthropic") == (402, "billing_error")
    assert len(corridor.upstream.requests) == 2
