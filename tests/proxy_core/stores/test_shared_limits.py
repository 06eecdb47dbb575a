"""Places over several proxies: one limit for all, which no killed proxy and no lost store can hold for good."""

from __future__ import annotations

import asyncio

import pytest

from proxy_core.errors import ProxyError
from proxy_core.stores.shared_limits import LANES
from proxy_core.upstream.throttle import FIRST_LIMIT, Lane, Throttle, Ticket
from tests.proxy_core.stores.shelves import Clock
from tests.shared_server import expect_soon

KEY = "secret-key-of-the-test"
SHORT_S = 0.3


def lane_of(stores: object, key: str = KEY) -> Lane:
    """As the proxy with these stores has it."""
    return Throttle(Clock(), stores.limits).lane("international", "glm-4.6", key)


async def enter(lane: Lane, within_s: float = 20.0) -> Ticket:
    """A place, or an error after so long."""
    return await lane.enter(is_background=False, within_s=within_s)


@pytest.fixture
async def lanes(another):
    return [lane_of(await another()) for _ in range(2)]


async def test_the_limit_holds_over_both(lanes):
    one, other = lanes
    tickets = [await enter(one), await enter(other), await enter(one)]
    assert len(tickets) == FIRST_LIMIT
    with pytest.raises(ProxyError):
        await enter(other, SHORT_S)
    waiting = asyncio.get_running_loop().create_task(enter(other))
    tickets[0].leave()
    assert isinstance(await waiting, Ticket)


async def test_lanes_of_other_keys_are_others_and_no_key_is_told(server, another):
    one, other = await another(), await another()
    for _ in range(FIRST_LIMIT):
        await enter(lane_of(one))
    assert await enter(lane_of(other, "another-key"))
    names = b" ".join(await server.do("KEYS", f"{LANES}*"))
    assert b"glm-4.6" in names
    assert KEY.encode() not in names


async def test_one_refusal_halves_the_limit_of_all(lanes):
    one, other = lanes
    for _ in range(9):
        accepted = await enter(one)
        accepted.accepted()
        accepted.leave()

    async def heard() -> int:
        (await enter(other)).leave()
        return other.limit

    async def has_risen() -> bool:
        return await heard() == FIRST_LIMIT + 9

    async def is_halved() -> bool:
        return await heard() == (FIRST_LIMIT + 9) // 2

    await expect_soon(has_risen)
    (await enter(one)).refused()
    await expect_soon(is_halved)


async def test_twenty_over_two_proxies_are_never_more_than_the_limit(lanes):
    running, most = set(), 0

    async def work(number: int) -> None:
        nonlocal most
        ticket = await enter(lanes[number % 2])
        running.add(number)
        most = max(most, len(running))
        await asyncio.sleep(0.01)
        running.discard(number)
        ticket.leave()

    await asyncio.gather(*map(work, range(20)))
    assert 1 < most <= FIRST_LIMIT


async def test_the_places_of_a_killed_proxy_come_free(server, lanes, monkeypatch):
    one, other = lanes
    for _ in range(FIRST_LIMIT):
        await enter(one)
    places = (await server.do("KEYS", f"{LANES}*places"))[0]
    one.shared.busy.clear()  # no more beats
    for ticket, _ in await server.do("ZRANGE", places, 0, -1, "WITHSCORES"):
        await server.do("ZADD", places, 1, ticket)
    assert await enter(other)


async def test_who_lives_keeps_its_places(server, lanes):
    await enter(lanes[0])
    places = (await server.do("KEYS", f"{LANES}*places"))[0]
    ((ticket, _),) = await server.do("ZRANGE", places, 0, -1, "WITHSCORES")
    await server.do("ZADD", places, 1, ticket)

    async def is_renewed():
        return float(await server.do("ZSCORE", places, ticket)) > 1

    await expect_soon(is_renewed)


async def test_without_the_store_each_goes_on_and_tells_its_places_afterwards(server, lanes):
    one, other = lanes
    first = await enter(one)
    server.kill()
    alone = [await enter(one), await enter(one), await enter(other)]
    with pytest.raises(ProxyError):
        await enter(one, SHORT_S)
    await server.start()

    async def are_told():
        keys = await server.do("KEYS", f"{LANES}*places")
        return keys and await server.do("ZCARD", keys[0]) == 4

    await expect_soon(are_told)
    with pytest.raises(ProxyError):
        await enter(other, SHORT_S)
    for ticket in (first, *alone):
        ticket.leave()
    assert await enter(other)


async def test_who_gives_up_waiting_leaves_no_place_behind(server, lanes):
    one, other = lanes
    held = [await enter(one) for _ in range(FIRST_LIMIT)]
    gone = asyncio.get_running_loop().create_task(enter(other))
    await asyncio.sleep(0.1)
    gone.cancel()
    await asyncio.wait({gone})
    for ticket in held:
        ticket.leave()
    for _ in range(FIRST_LIMIT):
        assert await enter(other)
    assert other.in_flight == FIRST_LIMIT


@pytest.mark.parametrize("part", ["places", "state", "epochs", "carried"])
async def test_keys_of_another_kind_cost_no_request(server, lanes, part):
    await enter(lanes[0])
    places = (await server.do("KEYS", f"{LANES}*places"))[0].decode()
    name = places.removesuffix("places") + part
    await server.do("SET", name, "a string")
    ticket = await enter(lanes[1])
    ticket.accepted()
    ticket.leave()

    async def is_mended():
        return await server.do("TYPE", name) != b"string"

    await expect_soon(is_mended)
