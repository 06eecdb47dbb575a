"""/metrics and /health?deep=1 as those who watch see them."""

from __future__ import annotations

import asyncio
import re

import pytest

from proxy_core.telemetry import metrics
from proxy_core.upstream.breaker import FAILURES
from tests.corridor import STORED_KEY, Corridor, call
from tests.fake_upstream import Reply

TALK = {"model": "glm-4.6", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
ACCESS_KEY = "access-key-of-the-test"


def documented() -> set[str]:
    """The names of the table in the module's docstring, in full."""
    named = re.findall(r"^\| (`llm_proxy.*?) \|", metrics.__doc__ or "", re.MULTILINE)
    names = set()
    for cell in named:
        first, *others = re.findall(r"`(\w+)`", cell)
        names |= {first, *(first.removesuffix("_in_flight") + other for other in others if other.startswith("_"))}
        names |= {other for other in others if not other.startswith("_")}
    return names


async def scraped(corridor: Corridor) -> str:
    got = await call(corridor, "GET", "/metrics")
    assert (got.status, got.headers["content-type"]) == (200, metrics.CONTENT_TYPE)
    return got.text


async def test_every_name_that_is_documented_is_there_after_some_traffic(corridor: Corridor) -> None:
    corridor.failover = corridor.server.model_copy(update={"name": "other"})
    corridor.keys = {"other": None}
    corridor.upstream.replies = [Reply(), *[Reply(status=500)] * 9]
    for _ in range(1 + FAILURES):
        await call(corridor, "POST", "/v1/messages", TALK | {"stream": True})
    text = await scraped(corridor)
    found = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    assert documented() - found == set()
    assert 'llm_proxy_lane_limit{model="glm-4.6",server="fake"}' in text
    assert 'llm_proxy_breaker_open{server="fake"} 1.0' in text


@pytest.mark.parametrize("path", ["/metrics", "/health?deep=1"])
@pytest.mark.parametrize(("key", "status"), [("", 401), ("wrong-one-of-them", 401), (ACCESS_KEY, 200)])
async def test_the_access_key_is_demanded(corridor: Corridor, path: str, key: str, status: int) -> None:
    corridor.access_key = ACCESS_KEY
    got = await call(corridor, "GET", path, headers={"authorization": f"Bearer {key}"} if key else {})
    assert got.status == status
    assert len(corridor.upstream.requests) == (status == 200 and "deep" in path)


async def test_a_plain_look_at_the_health_asks_nobody(corridor: Corridor) -> None:
    for path in ("/health", "/health?deep=0"):
        assert "upstream" not in (await call(corridor, "GET", path)).body
    assert corridor.upstream.requests == []


async def test_a_deep_look_asks_once_however_many_look(corridor: Corridor) -> None:
    found = await asyncio.gather(*(call(corridor, "GET", "/health?deep=1") for _ in range(5)))
    assert [(got.status, got.body["upstream"]["ok"]) for got in found] == [(200, True)] * 5
    assert len(corridor.upstream.requests) == 1


async def test_a_deep_look_at_a_broken_upstream(corridor: Corridor) -> None:
    corridor.upstream.reply = Reply(status=401, body={"error": {"message": f"no such key: {STORED_KEY}"}})
    got = await call(corridor, "GET", "/health?deep=1")
    assert (got.status, got.body["status"], got.body["upstream"]["status"]) == (503, "degraded", 401)
    assert STORED_KEY not in got.text


async def test_a_deep_look_without_a_key(corridor: Corridor) -> None:
    corridor.stored_key = None
    got = await call(corridor, "GET", "/health?deep=1")
    assert (got.status, got.body["upstream"]["message"]) == (503, "There is no key for fake.")
