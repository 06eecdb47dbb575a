"""The limit of requests in flight: rises while accepted, halves when refused, people first."""

import asyncio

import pytest

from proxy_core.errors import ErrorKind, ProxyError
from proxy_core.upstream.throttle import FIRST_LIMIT, QUIET_S, Lane, Throttle, Ticket


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lane(clock: Clock) -> Lane:
    return Throttle(clock).lane("international", "glm-4.6")


async def fill(lane: Lane, count: int = FIRST_LIMIT) -> list[Ticket]:
    return [await lane.enter(is_background=False) for _ in range(count)]


async def test_a_full_lane_waits_and_a_free_place_goes_to_the_next(lane: Lane) -> None:
    tickets = await fill(lane)
    async with asyncio.TaskGroup() as group:
        next_one = group.create_task(lane.enter(is_background=False))
        await asyncio.sleep(0)
        assert (lane.in_flight, lane.waiting) == (FIRST_LIMIT, 1)
        tickets[0].leave()
        tickets[0].leave()
    assert (lane.in_flight, lane.waiting) == (FIRST_LIMIT, 0)
    next_one.result().leave()


async def test_people_go_before_background_and_the_refused_before_all(lane: Lane) -> None:
    tickets = await fill(lane)
    order: list[str] = []

    async def wait(name: str, *, is_background: bool, is_return: bool = False) -> None:
        ticket = await lane.enter(is_background=is_background, is_return=is_return)
        order.append(name)
        ticket.leave()

    async with asyncio.TaskGroup() as group:
        group.create_task(wait("background", is_background=True))
        await asyncio.sleep(0)
        group.create_task(wait("person", is_background=False))
        await asyncio.sleep(0)
        group.create_task(wait("refused", is_background=False, is_return=True))
        await asyncio.sleep(0)
        for ticket in tickets:
            ticket.leave()
    assert order == ["refused", "person", "background"]
    assert lane.in_flight == 0


async def test_it_rises_until_the_first_refusal_and_a_burst_counts_once(lane: Lane) -> None:
    tickets = await fill(lane)
    for ticket in tickets:
        ticket.accepted()
    assert lane.limit == 2 * FIRST_LIMIT
    assert [ticket.refused() for ticket in tickets] == [True, True, False]
    assert lane.limit == FIRST_LIMIT
    (again,) = await fill(lane, 1)
    again.accepted()
    assert lane.limit == FIRST_LIMIT
    again.refused()
    assert lane.limit == FIRST_LIMIT // 2


async def test_it_is_not_cut_below_what_the_server_carries(lane: Lane) -> None:
    tickets = await fill(lane)
    for ticket in tickets:
        ticket.accepted()
    (refused,) = await fill(lane, 1)
    tickets.pop().leave()
    refused.refused()
    assert (lane.limit, lane.carried) == (3, 2)
    (again,) = await fill(lane, 1)
    again.refused()
    assert lane.limit == 2  # half of three would be one


async def test_quiet_minutes_give_places_back(lane: Lane, clock: Clock) -> None:
    (ticket,) = await fill(lane, 1)
    ticket.refused()
    assert lane.limit == 1
    clock.now += 2.5 * QUIET_S
    await fill(lane, 3)
    assert lane.limit == 3


async def test_quiet_minutes_count_though_nobody_comes_or_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy_core.upstream.throttle.QUIET_S", 0.01)
    lane = Throttle(asyncio.get_running_loop().time).lane("international", "glm-4.6")
    (ticket,) = await fill(lane, 1)
    ticket.refused()
    async with asyncio.timeout(10):
        await fill(lane, 3)  # the first gets the one place; the others wait for the lane to grow
    assert (lane.in_flight, lane.waiting, lane.quiet_timer) == (3, 0, None)


async def test_nobody_waits_for_ever(lane: Lane) -> None:
    tickets = await fill(lane)
    with pytest.raises(ProxyError, match="within 0 s") as caught:
        await lane.enter(is_background=False, within_s=0.01)
    assert (caught.value.kind, caught.value.retry_after_s) == (ErrorKind.OVERLOADED, 15)
    assert (lane.in_flight, lane.waiting, lane.quiet_timer) == (FIRST_LIMIT, 0, None)
    tickets[0].leave()
    (again,) = await fill(lane, 1)
    assert lane.in_flight == FIRST_LIMIT
    again.leave()


async def test_who_gives_up_waiting_costs_no_place(lane: Lane) -> None:
    tickets = await fill(lane)
    async with asyncio.TaskGroup() as group:
        early = group.create_task(lane.enter(is_background=False))
        late = group.create_task(lane.enter(is_background=False))
        await asyncio.sleep(0)
        early.cancel()
        tickets[0].leave()
        late.cancel()  # in the very moment in which its place is given
    assert (lane.in_flight, lane.waiting) == (FIRST_LIMIT - 1, 0)


async def test_twenty_against_a_limit_of_two_are_refused_at_most_five_times(lane: Lane) -> None:
    taken = refused = done = 0

    async def request() -> None:
        nonlocal taken, refused, done
        is_return = False
        while True:
            ticket = await lane.enter(is_background=False, is_return=is_return)
            await asyncio.sleep(0)
            if taken < 2:
                break
            refused += 1
            is_return = True
            assert ticket.refused()
        taken += 1
        ticket.accepted()
        await asyncio.sleep(0.001)
        taken -= 1
        ticket.leave()
        done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(request())
    assert done == 20
    assert refused <= 5
