"""Two whole proxies over one shared store: one describes, the other reuses; the limit holds over both; and where the
store is killed in the middle both go on and say so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from proxy_core.stores import shared_link
from proxy_core.upstream.throttle import FIRST_LIMIT
from tests.corridor import Corridor
from tests.fake_upstream import Reply
from tests.legs import Heard, Leg, ask, request
from tests.proxy_core.context_rig import SEEN, KnowingUpstream, finished, shown
from tests.proxy_core.pipeline.describers import red
from tests.shared_server import SharedServer, expect_soon

LEG = Leg("anthropic", "anthropic")


@pytest_asyncio.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SharedServer]:
    monkeypatch.setattr(shared_link, "BEAT_S", 0.05)
    made = SharedServer()
    await made.start()
    yield made
    made.close()


@pytest_asyncio.fixture
async def pair(server: SharedServer, tmp_path: Path) -> AsyncIterator[tuple[Corridor, Corridor]]:
    upstream = KnowingUpstream()
    one, other = (Corridor(upstream, tmp_path / name, shared=server.url) for name in ("one", "other"))
    await one.start()
    other.server = one.server
    await other.proxy.start()
    yield one, other
    await one.stop()
    await other.stop()
    await upstream.stop()
    assert upstream.violations == []


async def look(corridor: Corridor, color: str = "red") -> Heard:
    """A conversation with an old picture."""
    return await ask(corridor, LEG, shown(red(color=color)), stream=False)


async def has_said(corridor: Corridor, times: int) -> None:
    """It has said so often that the store went or came."""

    async def is_said() -> bool:
        return len(corridor.said) >= times

    await expect_soon(is_said)


async def test_one_describes_and_the_other_reuses(pair: tuple[Corridor, Corridor]) -> None:
    one, other = pair
    for corridor in pair:
        await look(corridor)
    assert len(one.upstream.sights) == 1
    talks = [talk.body["messages"] for talk in one.upstream.talks]
    assert SEEN in str(talks[0])
    assert talks[0] == talks[1]
    assert not finished(other, "pictures")


async def test_both_at_once_pay_for_one_description(pair: tuple[Corridor, Corridor]) -> None:
    sight = pair[0].upstream.sight
    slow = pair[0].upstream.sight = Reply(answer=sight.answer, hold_at=0)
    both = asyncio.gather(*map(look, pair))
    await asyncio.sleep(0.5)
    slow.gate.set()
    await both
    assert len(pair[0].upstream.sights) == 1
    assert [SEEN in str(talk.body) for talk in pair[0].upstream.talks] == [True, True]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_the_limit_holds_over_both(pair: tuple[Corridor, Corridor], stream: bool) -> None:
    upstream = pair[0].upstream
    slow = upstream.reply = Reply(hold_at=0)
    asking = asyncio.gather(*(ask(pair[n % 2], LEG, request("Hi"), stream=stream) for n in range(8)))
    await asyncio.sleep(0.5)
    assert len(upstream.requests) == FIRST_LIMIT
    slow.gate.set()
    assert [heard.text for heard in await asking] == ["Hello, world."] * 8


async def test_a_killed_store_costs_no_request_and_a_new_one_is_used_again(
    server: SharedServer, pair: tuple[Corridor, Corridor]
) -> None:
    one, other = pair
    await asyncio.gather(*map(look, pair))
    server.kill()
    heard = await asyncio.gather(*(look(corridor) for corridor in pair * 5))
    assert [one.text for one in heard] == ["Hello, world."] * 10
    assert len(one.upstream.sights) == 1  # each has it in its own files
    await look(one, "blue")
    await look(other, "blue")
    assert len(one.upstream.sights) == 3
    for corridor in pair:
        await has_said(corridor, 1)
    assert ["goes on by itself" in sentence for sentence in one.said + other.said] == [True, True]
    await server.start()
    for corridor in pair:
        await has_said(corridor, 2)
    await look(one, "green")
    await look(other, "green")
    assert len(one.upstream.sights) == 4
    assert ["used again" in said for said in one.said + other.said] == [False, True] * 2


async def test_a_proxy_starts_without_the_store(tmp_path: Path) -> None:
    upstream = KnowingUpstream()
    corridor = Corridor(upstream, tmp_path / "alone", shared="redis://:hunter2@127.0.0.1:9/0")
    await corridor.start()
    assert (await look(corridor)).text == "Hello, world."
    await corridor.stop()
    await upstream.stop()
    (said,) = corridor.said
    assert "127.0.0.1:9" in said
    assert "hunter2" not in said
