"""Breakers over several proxies: one finds a server down, all pass it by, one probes it, and all trust it again."""

from __future__ import annotations

import pytest

from proxy_core.stores.shared_breakers import BREAKERS
from proxy_core.upstream.breaker import FAILURES, OPEN_S, Breakers, BreakerState
from tests.proxy_core.stores.shelves import Clock
from tests.shared_server import expect_soon

SERVER = "international"
OPEN, CLOSED = BreakerState.OPEN, BreakerState.CLOSED


@pytest.fixture
async def pair(another):
    return [Breakers(Clock(), (await another()).breakers) for _ in range(2)]


def fail(breakers: Breakers) -> None:
    """So often that it opens."""
    for _ in range(FAILURES):
        breakers.of(SERVER).failed()


async def expect_state(breakers: Breakers, state: BreakerState) -> None:
    """It is heard by itself."""

    async def is_so() -> bool:
        return breakers.of(SERVER).state is state

    await expect_soon(is_so)


async def rest(server) -> None:
    """The open time passes."""
    past = f"string.format('%.0f 0', redis.call('TIME')[1] * 1000 - {OPEN_S * 1000 + 1000:.0f})"
    await server.do("EVAL", f"return redis.call('HSET', KEYS[1], ARGV[1], {past})", 1, BREAKERS, SERVER)


async def test_what_one_finds_open_is_open_for_all(pair):
    one, other = pair
    assert await other.admits(SERVER)
    fail(one)
    await expect_state(other, OPEN)
    assert not await other.admits(SERVER)
    assert not await one.admits(SERVER)


async def test_failures_in_a_row_count_although_others_may_ask(pair):
    one, _ = pair
    for _ in range(FAILURES):
        assert await one.admits(SERVER)
        one.of(SERVER).failed()
    assert one.of(SERVER).state is OPEN


async def test_one_of_them_probes_and_its_success_is_heard(server, pair):
    one, other = pair
    fail(one)
    await expect_state(other, OPEN)
    await rest(server)
    assert [await other.admits(SERVER), await one.admits(SERVER), await other.admits(SERVER)] == [True, False, False]
    other.of(SERVER).succeeded()
    await expect_state(one, CLOSED)
    assert await one.admits(SERVER)


@pytest.mark.parametrize(("outcome", "may"), [("failed", False), ("dropped", True)])
async def test_a_probe_that_fails_opens_again_and_a_dropped_one_frees_the_next(server, pair, outcome, may):
    one, other = pair
    fail(one)
    await expect_state(other, OPEN)
    await rest(server)
    assert await other.admits(SERVER)
    getattr(other.of(SERVER), outcome)()

    async def is_told() -> bool:
        return await one.admits(SERVER) is may

    await expect_soon(is_told)


async def test_without_the_store_each_decides_alone_and_tells_it_afterwards(server, pair):
    one, other = pair
    server.kill()
    fail(one)
    assert not await one.admits(SERVER)
    assert await other.admits(SERVER)
    await server.start()
    await expect_state(other, OPEN)


async def test_a_choice_by_hand_makes_all_trust_again(pair):
    one, other = pair
    fail(one)
    await expect_state(other, OPEN)
    other.reset()
    await expect_state(one, CLOSED)


@pytest.mark.parametrize("value", ["nonsense", "99999999999999999999 0", "1 1"])
async def test_damaged_and_forgotten_states_count_as_closed(server, pair, value):
    await server.do("HSET", BREAKERS, SERVER, value)
    assert await pair[0].admits(SERVER)

    async def is_gone() -> bool:
        return not await server.do("EXISTS", BREAKERS)

    await expect_soon(is_gone)


async def test_a_key_of_another_kind_is_replaced(server, pair):
    await server.do("SET", BREAKERS, "a string")
    assert await pair[0].admits(SERVER)
    fail(pair[0])
    await expect_state(pair[1], OPEN)
