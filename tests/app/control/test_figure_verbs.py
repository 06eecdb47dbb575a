from __future__ import annotations

import asyncio

import aiohttp
import pytest

from app.control.client import ControlError
from tests.app.runtimes import ask as chat


async def test_requests_and_figures_of_this_run(host, ask):
    await chat(host.runtime, text="hello")
    rows = await ask(lambda client: client.requests())
    one = rows["recent"][0]
    detail = await ask(lambda client: client.request(one["id"]))
    stats = await ask(lambda client: client.stats(by="model"))
    assert (rows["running"], one["outcome"], detail["request"]["id"]) == ([], "done", one["id"])
    assert (stats["live"]["requests"], stats["by"], len(stats["steps"])) == (1, "model", 48)


async def test_samples(host, ask):
    host.runtime.meter.sample(1.0)
    assert (await ask(lambda client: client.series(1)))["samples"][0]["at"] == 1.0


@pytest.mark.parametrize(
    ("verb", "status", "words"),
    [
        (lambda client: client.request("req_x"), 404, "req_x"),
        (lambda client: client.cancel("req_x"), 404, "is running"),
        (lambda client: client.stats(by="colour"), 400, "by must be one of model"),
        (lambda client: client.stats(hours=-1), 400, "hours must be a number"),
        (lambda client: client.series(0), 400, "count"),
    ],
)
async def test_what_is_not_there_is_refused_in_words(ask, verb, status, words):
    with pytest.raises(ControlError) as refused:
        await ask(verb)
    assert (refused.value.status, words in str(refused.value)) == (status, True)


async def test_a_damaged_history_is_said(host, ask):
    (host.home / "stats").mkdir(exist_ok=True)
    (host.home / "stats" / "history.db").write_bytes(b"no database " * 1000)
    with pytest.raises(ControlError, match="history cannot be read"):
        await ask(lambda client: client.stats())


async def test_a_running_request_is_cut_off(host, ask):
    body = {"model": "glm-4.6", "stream": True, "messages": [{"role": "user", "content": "demo error stall"}]}
    url = f"{host.runtime.base_url('openai')}/chat/completions"
    async with aiohttp.ClientSession() as session:
        asking = asyncio.get_running_loop().create_task(session.post(url, json=body))
        while not host.runtime.meter.in_flight:
            await asyncio.sleep(0.01)
        running = (await ask(lambda client: client.requests()))["running"][0]
        await ask(lambda client: client.cancel(running["id"]))
        while host.runtime.meter.in_flight:
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert host.runtime.meter.recent(1)[0].outcome == "cancelled"
