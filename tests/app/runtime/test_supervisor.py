from __future__ import annotations

import asyncio

from app.runtime.supervisor import Supervisor


async def test_closing_ends_every_task():
    supervisor = Supervisor()
    ended = []

    async def work(name):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    for name in ("a", "b"):
        supervisor.start(name, work(name))
    await asyncio.sleep(0)
    await supervisor.close()
    assert sorted(ended) == ["a", "b"]


async def test_a_failing_task_is_logged_and_the_others_go_on(caplog):
    supervisor = Supervisor()
    done = asyncio.Event()

    async def fail():
        raise ValueError("broken")

    async def work():
        await asyncio.sleep(0)
        done.set()

    supervisor.start("bad", fail())
    supervisor.start("good", work())
    await asyncio.wait_for(done.wait(), 5)
    await supervisor.close()
    assert [record.message for record in caplog.records] == ["background task bad failed"]
