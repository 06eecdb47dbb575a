"""Whether a failed try is worth another, and when: a pure decision, and the loop that obeys it.

Only for as long as nothing has reached the client. What single codes are worth stands in `upstream_codes`.
"""

from __future__ import annotations

import asyncio
import random as chance
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from proxy_core.errors import UpstreamError
from proxy_core.upstream_codes import RetryAdvice

T = TypeVar("T")

MAX_WAIT_S = 30.0
"""A longer wait is the client's to decide on: it would show its user a request that hangs."""
MAX_TOTAL_S = 60.0
"""No further try begins later than this after the first one: agents give up on silence after some minutes, and the
last try needs its time as well."""
RESEND_BUDGET_TOKENS = 150_000
"""Prompt tokens that may be sent again for one request. A coding session has some 130,000 of them, and under
overload every try is charged against the plan's window: one repetition is help, more are waste."""
CONNECT_AGAIN = RetryAdvice(0.5, 4)
"""For a connection that could not be made: names and routes come back within seconds, or not at all."""
_BYTES_PER_TOKEN = 3.6


@dataclass(frozen=True, slots=True)
class Retry:
    """Try once more after so many seconds."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Pass the error on. reason: for logs."""

    reason: str


@dataclass(frozen=True, slots=True)
class Budget:
    """What one request may still spend on further tries. until: on the clock that `now` is read from, in seconds."""

    max_retries: int
    prompt_tokens: int
    until: float
    tokens_left: int = RESEND_BUDGET_TOKENS

    def after(self, error: UpstreamError) -> Budget:
        """What is left once the request went out again after this error."""
        return replace(self, tokens_left=self.tokens_left - self.resent_tokens(error))

    def resent_tokens(self, error: UpstreamError) -> int:
        """Prompt tokens that another try sends for the second time: none where the last one never left."""
        return self.prompt_tokens if error.was_sent else 0


def budget_of(max_retries: int, body_bytes: int, until: float) -> Budget:
    """The budget of a request with a body of this size; its tokens are guessed from the bytes."""
    return Budget(max_retries, round(body_bytes / _BYTES_PER_TOKEN), until)


def retry_decision(
    error: UpstreamError, attempt: int, now: float, budget: Budget, random: Callable[[], float]
) -> Retry | GiveUp:
    """What to do after `error`. attempt: retries made so far. random: a number from 0 up to 1, for jitter.

    A wait that the upstream demanded is kept, and jitter only added to it.
    """
    advice = error.retry
    if advice is None:
        return GiveUp("useless")
    if attempt >= min(budget.max_retries, advice.times):
        return GiveUp("tried often enough")
    if budget.resent_tokens(error) > budget.tokens_left:
        return GiveUp("too many tokens to send again")
    wait_s = _wait_s(advice, error.demanded_wait_s, attempt, random())
    if wait_s > MAX_WAIT_S or now + wait_s > budget.until:
        return GiveUp("too long to wait")
    return Retry(wait_s)


def _wait_s(advice: RetryAdvice, demanded_s: float | None, attempt: int, jitter: float) -> float:
    """Our own waits double and never exceed the limit; of a demanded one only the client may decide."""
    if demanded_s is not None:
        return demanded_s + jitter * min(advice.least_s, max(0.0, MAX_WAIT_S - demanded_s))
    step_s = min(advice.least_s * 2.0**attempt, advice.most_s)
    return min(step_s * (1 + jitter), advice.most_s, MAX_WAIT_S)


Sleep: TypeAlias = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Pace:
    """Time and chance, to be replaced in tests. clock: seconds, of any origin. beat_s: silence after which a waiting
    client is told that we are alive: agents warn after 20 s without a byte."""

    clock: Callable[[], float] = time.monotonic
    sleep: Sleep = asyncio.sleep
    random: Callable[[], float] = chance.random
    beat_s: float = 10.0


async def persist(
    send: Callable[[], Awaitable[T]], budget: Budget, pace: Pace, on_retry: Callable[[UpstreamError, float], None]
) -> T:
    """The first answer that is none of the errors worth another try. Raises the last UpstreamError otherwise.

    on_retry: told the error and the wait before each further try.
    """
    attempt = 0
    while True:
        try:
            return await send()
        except UpstreamError as error:
            decision = retry_decision(error, attempt, pace.clock(), budget, pace.random)
            if isinstance(decision, GiveUp):
                raise
            budget = budget.after(error)
            on_retry(error, decision.wait_s)
        attempt += 1
        await pace.sleep(decision.wait_s)
