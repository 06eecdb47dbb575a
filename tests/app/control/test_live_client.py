from __future__ import annotations

import asyncio

import pytest

from app.control.client import ControlClient, ControlError, find_instance
from app.control.live_client import LiveControlClient
from tests.app.runtimes import ask as chat


async def open_live(host) -> LiveControlClient:
    return LiveControlClient(await asyncio.to_thread(find_instance, host.home))


async def test_snapshots_tell_what_is_new_and_end_with_the_instance(host):
    live = await open_live(host)
    await chat(host.runtime)
    seen = []
    async for snapshot in live.events():
        seen.append(snapshot)
        if len(seen) == 2:
            await host.runtime.stop()
    assert [len(snapshot["recent"]) for snapshot in seen[:2]] == [1, 0]
    assert seen[0]["status"]["server"] == "demo"


async def test_verbs_work_from_a_loop(host):
    live = await open_live(host)
    paused = await live.ask(lambda verbs: verbs.pause())
    resumed = await live.ask(lambda verbs: verbs.resume())
    assert (paused["paused"], resumed["paused"]) == (True, False)


async def test_a_stranger_sees_nothing(host):
    record = (await open_live(host)).record
    stranger = type(record)(**{name: getattr(record, name) for name in record.__slots__} | {"token": "wrong"})
    with pytest.raises(ControlError) as refused:
        _ = [snapshot async for snapshot in LiveControlClient(ControlClient(stranger)).events()]
    assert refused.value.status == 401
