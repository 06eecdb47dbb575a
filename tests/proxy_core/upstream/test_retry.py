"""Whether and when to try again: the decision for every code, and the loop that obeys it."""

from __future__ import annotations

import asyncio

import pytest

from proxy_core.dialects.upstream_errors import read_error
from proxy_core.errors import ErrorKind, UpstreamError
from proxy_core.upstream.faults import first_byte_fault
from proxy_core.upstream.retry import (
    CONNECT_AGAIN,
    MAX_WAIT_S,
    RESEND_BUDGET_TOKENS,
    Budget,
    GiveUp,
    Pace,
    Retry,
    budget_of,
    persist,
    retry_decision,
)
from proxy_core.upstream_codes import RetryAdvice
from tests.proxy_core.codes import EXPECTED

NOW = 1000.0
PLENTY = Budget(max_retries=10, prompt_tokens=100, until=NOW + 1000)
BUSY = UpstreamError("busy", retry=RetryAdvice(1, 30))
UNREACHED = UpstreamError("refused", retry=CONNECT_AGAIN, was_sent=False)


def refused(code: str, headers: dict[str, str] | None = None) -> UpstreamError:
    body = b'{"error":{"code":"%s","message":"no"}}' % code.encode()
    return read_error(429, body, headers or {}, NOW)


def decide(error: UpstreamError, attempt: int = 0, budget: Budget = PLENTY, jitter: float = 0.0) -> Retry | GiveUp:
    return retry_decision(error, attempt, NOW, budget, lambda: jitter)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.code)
def test_every_code(expected):
    error = refused(expected.code)
    decisions = [decide(error, attempt, Budget(2, 100, NOW + 1000)) for attempt in range(3)]
    tried = [decision.wait_s for decision in decisions if isinstance(decision, Retry)]
    assert tried == [expected.first_wait_s, 2 * expected.first_wait_s][: expected.retries]
    assert isinstance(decisions[-1], GiveUp)


@pytest.mark.parametrize(
    ("code", "waits"),
    [("1302", [1, 2, 4, 8, 16, 30, 30]), ("1303", [5, 10, 20, 30, 30, 30, 30]), ("1305", [5, 10, 20, 30, 30, 30, 30])],
)
def test_waits_double_up_to_a_limit(code, waits):
    assert [decide(refused(code), attempt) for attempt in range(7)] == [Retry(wait) for wait in waits]


@pytest.mark.parametrize(("jitter", "wait_s"), [(0.0, 2.0), (0.5, 3.0), (0.99, 3.98)])
def test_jitter_spreads_our_own_waits(jitter, wait_s):
    assert decide(BUSY, 1, jitter=jitter) == Retry(wait_s)


@pytest.mark.parametrize(
    ("header", "jitter", "decision"),
    [
        ("0", 0.0, Retry(0.0)),
        ("17", 0.0, Retry(17.0)),
        ("17", 0.5, Retry(17.5)),
        ("30", 0.9, Retry(30.0)),
        ("31", 0.0, GiveUp("too long to wait")),
    ],
)
def test_a_demanded_wait_is_obeyed(header, jitter, decision):
    assert decide(refused("1302", {"Retry-After": header}), 3, jitter=jitter) == decision


@pytest.mark.parametrize(
    ("error", "attempt", "budget", "decision"),
    [
        pytest.param(BUSY, 0, Budget(0, 1, NOW + 99), GiveUp("tried often enough"), id="switched off"),
        pytest.param(BUSY, 2, Budget(2, 1, NOW + 99), GiveUp("tried often enough"), id="as often as allowed"),
        pytest.param(BUSY, 0, Budget(2, 150_000, NOW + 99), Retry(1.0), id="a large prompt once"),
        pytest.param(BUSY, 0, Budget(2, 150_001, NOW + 99), GiveUp("too many tokens to send again"), id="too large"),
        pytest.param(UNREACHED, 0, Budget(2, 150_001, NOW + 99), Retry(0.5), id="never left: costs nothing"),
        pytest.param(BUSY, 0, Budget(2, 1, NOW + 1), Retry(1.0), id="just in time"),
        pytest.param(BUSY, 0, Budget(2, 1, NOW + 0.9), GiveUp("too long to wait"), id="no time left"),
        pytest.param(first_byte_fault("http://x", 1), 0, PLENTY, GiveUp("useless"), id="first byte"),
        pytest.param(UpstreamError("x", status=502), 0, PLENTY, GiveUp("useless"), id="broke off"),
    ],
)
def test_the_budget(error, attempt, budget, decision):
    assert decide(error, attempt, budget) == decision


@pytest.mark.parametrize(
    ("status", "body", "wait_s"),
    [
        (429, b"slow down", 2),
        (500, b"", 1),
        (502, b"<html>", 1),
        (503, b"{}", 3),
        (529, b'{"error":{"type":"overloaded_error"}}', 5),
        (504, b"", None),
        (408, b"", None),
        (400, b"{}", None),
        (429, b'{"error":{"type":"insufficient_quota"}}', None),
        (400, b'{"error":{"type":"overloaded_error"}}', None),
        (429, b'{"error":{"code":"1113"}}', None),
    ],
)
def test_refusals_without_a_code_go_by_status_and_kind(status, body, wait_s):
    decision = decide(read_error(status, body, {}, NOW))
    assert decision == (GiveUp("useless") if wait_s is None else Retry(wait_s))


def test_prompt_tokens_are_guessed_from_the_bytes():
    assert budget_of(2, 468_000, NOW) == Budget(2, 130_000, NOW, RESEND_BUDGET_TOKENS)


class Script:
    """A sender that fails with these errors one by one, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.sent = 0
        self.slept: list[float] = []
        self.told: list[tuple[UpstreamError, float]] = []

    async def send(self) -> str:
        self.sent += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def run(self, budget: Budget) -> str:
        pace = Pace(lambda: NOW, self.sleep, lambda: 0.0)
        return await persist(self.send, budget, pace, lambda error, wait_s: self.told.append((error, wait_s)))


async def test_it_goes_on_until_there_is_an_answer():
    script = Script(BUSY, UNREACHED)
    assert await script.run(PLENTY) == "answer"
    assert (script.sent, script.slept, script.told) == (3, [1.0, 1.0], [(BUSY, 1.0), (UNREACHED, 1.0)])


async def test_the_last_error_is_passed_on():
    last = UpstreamError("last", retry=RetryAdvice(1, 2))
    script = Script(BUSY, BUSY, last)
    with pytest.raises(UpstreamError) as caught:
        await script.run(Budget(2, 1, NOW + 99))
    assert (caught.value, script.sent) == (last, 3)


async def test_large_prompts_use_up_the_budget_and_unsent_ones_do_not():
    script = Script(UNREACHED, BUSY, UNREACHED, BUSY)
    with pytest.raises(UpstreamError):
        await script.run(Budget(9, 130_000, NOW + 99))
    assert script.sent == 4


async def test_other_errors_pass_at_once():
    script = Script(ValueError())
    with pytest.raises(ValueError):
        await script.run(PLENTY)
    assert script.sent == 1


async def test_whoever_leaves_while_it_waits_ends_it():
    async def forever() -> str:
        raise UpstreamError("x", kind=ErrorKind.RATE_LIMIT, retry=RetryAdvice(MAX_WAIT_S, MAX_WAIT_S))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await persist(forever, Budget(9, 1, float("inf")), Pace(), lambda *_: None)
