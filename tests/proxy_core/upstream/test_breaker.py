"""The circuit breaker, step by step."""

from __future__ import annotations

import pytest

from proxy_core.errors import ErrorKind, UpstreamError
from proxy_core.upstream.breaker import FAILURES, OPEN_S, Breaker, Breakers, BreakerState, is_outage
from proxy_core.upstream_codes import find_code


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Clock, Breaker]:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        breaker.failed()
    return clock, breaker


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(Clock())
    for _ in range(FAILURES - 1):
        breaker.failed()
    breaker.succeeded()
    for _ in range(FAILURES - 1):
        breaker.failed()
    assert (breaker.admits(), breaker.state) == (True, BreakerState.CLOSED)
    breaker.failed()
    assert (breaker.admits(), breaker.state) == (False, BreakerState.OPEN)


@pytest.mark.parametrize(
    ("outcome", "state", "admits"),
    [
        ("succeeded", BreakerState.CLOSED, True),
        ("failed", BreakerState.OPEN, False),
        ("dropped", BreakerState.HALF_OPEN, True),
    ],
)
def test_one_probe_decides(outcome: str, state: BreakerState, admits: bool) -> None:
    clock, breaker = opened()
    clock.now += OPEN_S - 0.1
    assert not breaker.admits()
    clock.now += 0.1
    assert [breaker.admits(), breaker.admits()] == [True, False]
    getattr(breaker, outcome)()
    assert (breaker.state, breaker.admits()) == (state, admits)


def test_a_failed_probe_opens_it_for_the_whole_time_again() -> None:
    clock, breaker = opened()
    clock.now += OPEN_S
    assert breaker.admits()
    breaker.failed()
    clock.now += OPEN_S - 0.1
    assert not breaker.admits()


def test_each_server_has_its_own_until_they_are_reset() -> None:
    breakers = Breakers(Clock())
    for _ in range(FAILURES):
        breakers.of("a").failed()
    assert [breakers.of("a").admits(), breakers.of("b").admits()] == [False, True]
    breakers.reset()
    assert breakers.of("a").admits()


def coded(code: str) -> UpstreamError:
    return UpstreamError("x", known=find_code(code), code=code)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *((coded(code), True) for code in ("1305", "1312", "500", "1234")),
        *((coded(code), False) for code in ("1302", "1303", "1308", "1113", "1000", "1210", "1261", "1301")),
        (UpstreamError("x", status=502), True),
        (UpstreamError("x", kind=ErrorKind.TIMEOUT), True),
        (UpstreamError("x", kind=ErrorKind.OVERLOADED), True),
        (UpstreamError("x", kind=ErrorKind.RATE_LIMIT), False),
        (UpstreamError("x", kind=ErrorKind.AUTH), False),
    ],
)
def test_what_counts_as_an_outage(error: UpstreamError, expected: bool) -> None:
    assert is_outage(error) is expected
