"""While a stream runs: nothing of a long prompt stays in memory, clients that wait hear of it, and may leave."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession, ClientTimeout

from proxy_core.chat import Conversation
from tests.corridor import Corridor
from tests.fake_upstream import Reply
from tests.legs import LEGS, Leg, anthropic_body, openai_body, seen
from tests.proxy_core.context_rig import CAP_S, PATHS, SEEN, House, finished, open_house, shown, worked
from tests.proxy_core.pipeline.describers import red

ON_ALL_LEGS = pytest.mark.parametrize("leg", LEGS, ids=str)
BODIES = {"anthropic": anthropic_body, "openai": openai_body}
OWN = pytest.mark.parametrize("own", ["pictures", "summary"])


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "stores") as house:
        house.beat_s = 0.03
        house.settings = {"real_text_model_tokens": 20_000}
        yield house


async def lines(corridor: Corridor, leg: Leg, talk: Conversation) -> AsyncIterator[str]:
    """The lines of a streamed answer as they arrive."""
    body = {**BODIES[leg.client](replace(talk, model=leg.model)), "stream": True}
    del talk
    async with (
        ClientSession(timeout=ClientTimeout(CAP_S)) as session,
        session.post(corridor.url + PATHS[leg.client], json=body) as got,
    ):
        del body
        async for line in got.content:
            yield line.decode().strip()


def held_reply(house: House, own: str) -> Reply:
    """What the proxy's own call of this kind is answered, once the gate is opened."""
    before = house.upstream.sight if own == "pictures" else house.upstream.summary
    reply = Reply(answer=before.answer, hold_at=0)
    setattr(house.upstream, "sight" if own == "pictures" else "summary", reply)
    return reply


TALKS = {"pictures": shown(red()), "summary": worked(18)}


@OWN
@ON_ALL_LEGS
async def test_who_waits_for_our_own_calls_hears_that_we_live(house: House, leg: Leg, own: str) -> None:
    corridor = await house.open()
    reply = held_reply(house, own)
    heard: list[str] = []
    async for line in lines(corridor, leg, TALKS[own]):
        heard.append(line)
        if heard.count(": keep-alive") == 3:
            reply.gate.set()
    assert any("world" in line for line in heard)
    assert [one.outcome for one in finished(corridor) + finished(corridor, own)] == ["done", "done"]


@OWN
@ON_ALL_LEGS
async def test_who_leaves_meanwhile_leaves_the_work_to_be_finished(house: House, leg: Leg, own: str) -> None:
    corridor = await house.open()
    reply = held_reply(house, own)
    async with asyncio.timeout(CAP_S):
        async with aclosing(lines(corridor, leg, TALKS[own])) as heard:
            async for line in heard:
                if line == ": keep-alive":
                    break
        while not finished(corridor):
            await asyncio.sleep(0.01)
        assert (corridor.proxy.in_flight, finished(corridor)[0].outcome) == (0, "cancelled")
        reply.gate.set()
        while not finished(corridor, own):
            await asyncio.sleep(0.01)
        assert [line async for line in lines(corridor, leg, TALKS[own])]
    assert len(house.upstream.requests) == 2
    assert any(word in str(seen(house.upstream.last).turns) for word in (SEEN, "<conversation_summary>"))


@OWN
async def test_who_stops_the_proxy_meanwhile_leaves_nothing_behind(house: House, own: str) -> None:
    corridor = await house.open()
    held_reply(house, own)
    async with asyncio.timeout(CAP_S), aclosing(lines(corridor, LEGS[0], TALKS[own])) as heard:
        async for line in heard:
            if line == ": keep-alive":
                break
        await corridor.stop()
        rest = [line async for line in heard]
    assert any("error" in line for line in rest)
    assert [one.outcome for one in finished(corridor, own)] == ["cancelled"]


@pytest.mark.parametrize("turns", [2, 18], ids=["short", "condensed"])
@ON_ALL_LEGS
async def test_a_running_stream_holds_no_conversation(house: House, leg: Leg, turns: int) -> None:
    corridor = await house.open()
    house.upstream.reply = reply = Reply(hold_at=300)
    gc.collect()
    before = conversations()
    async with asyncio.timeout(CAP_S):
        async for line in lines(corridor, leg, worked(turns)):
            if line.startswith("data") and not reply.gate.is_set():
                await corridor.proxy._counter.count(worked(0))
                held = conversations() - before
                reply.gate.set()
    assert held == 0


def conversations() -> int:
    gc.collect()
    return sum(isinstance(one, Conversation) for one in gc.get_objects())
