"""Another server where the own one is down: only if named, only before the first byte."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from proxy_core.events import ExchangeFinished
from proxy_core.upstream.breaker import FAILURES
from tests.corridor import Corridor, Got, call
from tests.fake_upstream import FakeUpstream, Reply
from tests.legs import LEGS, Leg
from tests.proxy_core.test_corridor_codes import ask, envelope

LEG = LEGS[0]


@pytest_asyncio.fixture
async def backup(corridor: Corridor) -> AsyncIterator[FakeUpstream]:
    """The fail-over server, with a key of its own; retries are off."""
    backup = FakeUpstream()
    corridor.failover = (await backup.start()).model_copy(update={"name": "backup"})
    corridor.keys["backup"] = "backup-key"
    corridor.change(max_retries=0)
    yield backup
    await backup.stop()
    assert backup.violations == []


def down(leg: Leg = LEG, code: str = "1305") -> Reply:
    return Reply(status=429, body=envelope(leg.upstream, code, "No"))


def told(corridor: Corridor) -> tuple[str, str, str]:
    exchange = [event.exchange for event in corridor.events if isinstance(event, ExchangeFinished)][-1]
    return exchange.server, exchange.outcome, exchange.reason


async def health(corridor: Corridor) -> object:
    body = (await call(corridor, "GET", "/health")).body
    assert isinstance(body, dict)
    return body.get("breaker")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_the_other_server_answers_with_its_own_key(corridor, backup, leg: Leg, stream: bool) -> None:
    corridor.upstream.reply = down(leg)
    got = await ask(corridor, leg, stream=stream)
    assert (got.status, "Hello" in got.text) == (200, True)
    assert got.headers["x-proxy-route"].startswith("backup/")
    assert "backup-key" in str(backup.last.headers) and "stored-key" not in str(backup.last.headers)
    server, outcome, reason = told(corridor)
    assert (server, outcome, reason.startswith("fail-over, as fake failed")) == ("backup", "done", True)


async def test_off_by_default(corridor: Corridor) -> None:
    corridor.change(max_retries=0)
    corridor.upstream.reply = down()
    assert (await ask(corridor, LEG)).status == 529
    assert await health(corridor) is None


async def test_a_server_that_cannot_be_reached_is_left(corridor, backup, unused_tcp_port: int) -> None:
    gone = {"name": "gone", "endpoint": f"http://127.0.0.1:{unused_tcp_port}"}
    corridor.server = corridor.server.model_copy(update=gone)
    assert (await ask(corridor, LEG)).status == 200
    assert len(backup.requests) == 1


@pytest.mark.parametrize("code", ["1113", "1000", "1302", "1308", "1261"])
async def test_a_refusal_of_key_or_request_stays_where_it_is(corridor, backup, code: str) -> None:
    corridor.upstream.reply = down(code=code)
    assert (await ask(corridor, LEG)).status >= 400
    assert backup.requests == []
    assert await health(corridor) == "closed"


async def break_open(corridor: Corridor) -> Got:
    corridor.upstream.reply = down()
    for _ in range(FAILURES):
        got = await ask(corridor, LEG)
    return got


async def test_an_open_breaker_spares_the_server_until_a_switch_by_hand(corridor, backup) -> None:
    await break_open(corridor)
    corridor.upstream.reply = Reply()
    assert await health(corridor) == "open"
    await ask(corridor, LEG)
    assert (len(corridor.upstream.requests), len(backup.requests)) == (FAILURES, FAILURES + 1)
    assert told(corridor)[2] == "fail-over, as fake has been failing"
    corridor.proxy.reset_breakers()
    await ask(corridor, LEG)
    assert (told(corridor)[0], await health(corridor)) == ("fake", "closed")


async def test_with_both_down_the_own_one_is_asked_again(corridor, backup) -> None:
    backup.reply = down()
    await break_open(corridor)
    corridor.upstream.reply = Reply()
    assert (await ask(corridor, LEG)).status == 200
    assert (told(corridor)[0], await health(corridor)) == ("fake", "closed")


async def test_without_a_key_there_is_no_detour_and_the_client_s_own_stays_here(corridor, backup) -> None:
    corridor.keys["backup"] = None
    assert (await break_open(corridor)).status == 529
    assert (await ask(corridor, LEG)).status == 529
    assert backup.requests == []
    assert told(corridor)[:2] == ("fake", "failed")
