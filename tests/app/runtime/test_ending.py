from __future__ import annotations

import asyncio

import pytest

from app.runtime.ending import to_the_end, unless_ended


async def result(value: object) -> object:
    await asyncio.sleep(0)
    if isinstance(value, Exception):
        raise value
    return value


async def test_what_is_done_in_time_counts():
    assert await unless_ended(asyncio.Event(), result("done")) == "done"


async def test_a_fault_is_the_callers():
    with pytest.raises(OSError, match="no"):
        await unless_ended(asyncio.Event(), result(OSError("no")))


@pytest.mark.parametrize("is_early", [True, False])
async def test_the_end_is_not_kept_waiting(is_early):
    ended, is_given_up = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        if is_early:
            asyncio.get_running_loop().call_soon(ended.set)
        try:
            await asyncio.Event().wait()
        finally:
            is_given_up.set()

    if not is_early:
        asyncio.get_running_loop().call_later(0.01, ended.set)
    assert await unless_ended(ended, endless()) is None
    assert is_given_up.is_set()


async def test_being_cancelled_takes_the_work_along():
    asking = asyncio.get_running_loop().create_task(unless_ended(asyncio.Event(), asyncio.sleep(3600)))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("times", [0, 1, 2])
async def test_what_must_not_stop_half_way_does_not(times):
    gate = asyncio.Event()

    async def work() -> str:
        await gate.wait()
        return "done"

    async with asyncio.TaskGroup() as group:
        asking = group.create_task(to_the_end(work()))
        for _ in range(times):
            await asyncio.sleep(0)
            asking.cancel()
        await asyncio.sleep(0)
        gate.set()
    assert asking.result() == ("done", times > 0)
