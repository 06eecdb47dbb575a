"""Waiting: the client hears that we are alive, an early error keeps its status, and the queue spares it refusals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from aiohttp import ClientSession, ClientTimeout

from proxy_core.events import Exchange, ExchangeFinished
from tests.corridor import Corridor, call, open_anthropic
from tests.fake_upstream import HELLO, FakeUpstream, Reply
from tests.legs import LEGS, Leg

CAP_S = 10.0
PATHS = {"anthropic": "/v1/messages", "openai": "/v1/chat/completions"}
BUSY = {"error": {"code": "1302", "message": "Rate limit reached for requests"}}


@pytest.fixture(autouse=True)
def quick_beat(corridor: Corridor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corridor.proxy._porter._desk._corridor, "_beat_s", 0.03)


def outcomes(corridor: Corridor) -> list[Exchange]:
    return [event.exchange for event in corridor.events if isinstance(event, ExchangeFinished)]


async def lines(corridor: Corridor, leg: Leg) -> AsyncIterator[str]:
    """The lines of a streamed answer as they arrive; the first is the status."""
    body = {"model": leg.model, "stream": True, "max_tokens": 9, "messages": [{"role": "user", "content": "go"}]}
    async with (
        ClientSession(timeout=ClientTimeout(CAP_S)) as session,
        session.post(corridor.url + PATHS[leg.client], json=body) as got,
    ):
        yield str(got.status)
        async for line in got.content:
            yield line.decode().strip()


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_keep_alives_before_the_head_and_then_the_answer(corridor: Corridor, leg: Leg) -> None:
    corridor.upstream.reply = reply = Reply(hold_at=0)
    heard: list[str] = []
    async for line in lines(corridor, leg):
        heard.append(line)
        if heard.count(": keep-alive") == 3:
            reply.gate.set()
    assert heard[0] == "200"
    assert "world" in "".join(heard)
    assert outcomes(corridor)[0].outcome == "done"


@pytest.mark.parametrize(("leg", "ping"), [(LEGS[0], '"ping"'), (LEGS[1], ": ")], ids=str)
async def test_pings_in_mid_stream(corridor: Corridor, leg: Leg, ping: str) -> None:
    corridor.upstream.reply = reply = Reply(hold_at=400)
    heard: list[str] = []
    async for line in lines(corridor, leg):
        heard.append(line)
        if sum(ping in line for line in heard) == 2:
            reply.gate.set()
    assert any("world" in line for line in heard)


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_pings_in_front_of_the_start_are_comments(corridor: Corridor, leg: Leg) -> None:
    ping = b'event: ping\ndata: {"type":"ping"}\n\n' if leg.upstream == "anthropic" else b": hi\n\n"
    body = ping + Reply().render(leg.upstream, stream=True)
    corridor.upstream.reply = reply = Reply(body=body, hold_at=len(ping))
    heard: list[str] = []
    async for line in lines(corridor, leg):
        heard.append(line)
        if sum(line.startswith(": ") for line in heard) == 4:
            reply.gate.set()
    first = next(n for n, line in enumerate(heard) if line.startswith("data:"))
    assert '"ping"' not in heard[first]
    assert any("world" in line for line in heard)


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_an_error_after_the_first_keep_alive_is_told_in_the_stream(corridor: Corridor, leg: Leg) -> None:
    corridor.upstream.reply = reply = Reply(hold_at=0, status=400, body={"error": {"code": "1214", "message": "no"}})
    heard: list[str] = []
    async for line in lines(corridor, leg):
        heard.append(line)
        reply.gate.set()
    assert heard[0] == "200"
    error = next(json.loads(line[6:]) for line in heard if line.startswith("data: {"))["error"]
    assert error["type"] == "invalid_request_error"
    assert outcomes(corridor)[0].outcome == "failed"


async def test_who_leaves_while_waiting_takes_the_upstream_along(corridor: Corridor) -> None:
    corridor.upstream.reply = Reply(hold_at=0)
    async with asyncio.timeout(CAP_S):
        async with aclosing(lines(corridor, LEGS[0])) as heard:
            async for line in heard:
                if line == ": keep-alive":
                    break
        await corridor.upstream.last.left.wait()
        while not outcomes(corridor):
            await asyncio.sleep(0.005)
    assert [exchange.outcome for exchange in outcomes(corridor)] == ["cancelled"]
    assert corridor.proxy.in_flight == 0


@pytest.mark.parametrize("leg", LEGS[:2], ids=str)
async def test_who_queues_in_vain_is_told_to_come_again(
    corridor: Corridor, monkeypatch: pytest.MonkeyPatch, leg: Leg
) -> None:
    monkeypatch.setattr("proxy_core.pipeline.sending._QUEUE_S", 0.05)
    corridor.upstream.reply = reply = Reply(hold_at=0)
    body = {"model": leg.model, "max_tokens": 9, "messages": [{"role": "user", "content": "go"}]}
    async with asyncio.TaskGroup() as group:
        asks = [group.create_task(call(corridor, "POST", PATHS[leg.client], body)) for _ in range(4)]
        done, _ = await asyncio.wait(asks, return_when=asyncio.FIRST_COMPLETED, timeout=CAP_S)
        reply.gate.set()
    (refused,) = [ask.result() for ask in done]
    assert (refused.status, refused.headers["retry-after"], len(corridor.upstream.requests)) == (529, "15", 3)
    assert "their places at this server came free" in refused.text


async def test_a_stream_that_queues_in_vain_hears_of_it_inside(corridor: Corridor) -> None:
    corridor.change(first_byte_timeout=0.2)
    lane = corridor.proxy._corridor._sender._sender._sender.throttle.lane("fake", "glm-4.6")
    tickets = [await lane.enter(is_background=False) for _ in range(lane.limit)]
    heard = [line async for line in lines(corridor, LEGS[0])]
    for ticket in tickets:
        ticket.leave()
    assert ": keep-alive" in heard
    assert "overloaded_error" in heard[-2]
    assert (outcomes(corridor)[0].outcome, lane.waiting, corridor.proxy.in_flight) == ("failed", 0, 0)


class Narrow(FakeUpstream):
    """Takes two requests at a time and refuses the others."""

    running = refused = most = 0

    async def _serve(self, request):
        self.most = max(self.most, self.running + 1)
        if self.running >= 2:
            self.refused += 1
            self.reply = Reply(status=429, body=BUSY)
            return await super()._serve(request)
        self.running += 1
        self.reply = Reply(answer=HELLO)
        try:
            await asyncio.sleep(0.005)
            return await super()._serve(request)
        finally:
            self.running -= 1


async def test_twenty_at_once_against_an_upstream_that_takes_two() -> None:
    upstream = Narrow()
    corridor = Corridor(upstream)
    await corridor.start()
    try:
        async with open_anthropic(corridor.url) as client, asyncio.TaskGroup() as group:
            asks = [
                group.create_task(
                    client.messages.create(
                        model="glm-4.6", max_tokens=9, messages=[{"role": "user", "content": str(number)}]
                    )
                )
                for number in range(20)
            ]
    finally:
        await corridor.stop()
        await upstream.stop()
    assert [ask.result().stop_reason for ask in asks] == ["end_turn"] * 20
    assert upstream.refused <= 5
    assert upstream.most <= 5
