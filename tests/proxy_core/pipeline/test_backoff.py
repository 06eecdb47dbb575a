"""What failed rests, longer each time."""

from __future__ import annotations

from proxy_core.pipeline.backoff import Backoff
from tests.proxy_core.stores.shelves import Clock


def rests(backoff: Backoff, clock: Clock, name: str) -> float:
    """Seconds until it may be tried."""
    began = clock.now
    while not backoff.may_try(name):
        clock.now += 1
    return clock.now - began


def test_the_rest_doubles_up_to_the_longest_and_ends_with_a_success():
    clock = Clock()
    backoff = Backoff(clock, 10, 60)
    found = []
    for _ in range(5):
        backoff.failed("a")
        found.append(rests(backoff, clock, "a"))
    backoff.worked("a")
    backoff.failed("a")
    assert [*found, rests(backoff, clock, "a")] == [0, 10, 20, 40, 60, 0]


def test_each_rests_for_itself_and_failures_side_by_side_count_once():
    clock = Clock()
    backoff = Backoff(clock, 10, 60)
    for _ in range(4):
        backoff.failed("a")
    assert backoff.may_try("b")
    assert rests(backoff, clock, "a") == 10


def test_a_longer_rest_may_be_demanded():
    clock = Clock()
    backoff = Backoff(clock, 10, 60)
    backoff.failed("a", 300)
    assert rests(backoff, clock, "a") == 300
    backoff.failed("a")
    assert rests(backoff, clock, "a") == 10


def test_only_the_newest_failures_are_remembered():
    backoff = Backoff(Clock(), 10, 60)
    for number in range(2_001):
        backoff.failed(number)
        backoff.failed(number)
    assert [backoff.may_try(number) for number in (0, 1, 2_000)] == [True, False, False]
