"""Silence is noticed, by one timer."""

import asyncio

import pytest

from proxy_core.upstream.watchdog import Watchdog


async def test_a_long_wait_is_ended_by_timeout_error() -> None:
    dog = Watchdog(0.02)
    with pytest.raises(TimeoutError), dog:
        await asyncio.Event().wait()
    dog.close()


async def test_short_waits_and_time_outside_do_not_count() -> None:
    dog = Watchdog(0.05)
    for _ in range(4):
        with dog:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.06)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    dog.close()


async def test_a_real_cancellation_stays_one() -> None:
    async def wait() -> None:
        dog = Watchdog(60)
        try:
            with dog:
                await asyncio.Event().wait()
        finally:
            dog.close()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.shield(asyncio.gather(task))
    assert task.cancelled()


async def test_it_can_bite_again_after_it_was_survived() -> None:
    dog = Watchdog(0.02)
    for _ in range(2):
        with pytest.raises(TimeoutError), dog:
            await asyncio.Event().wait()
    dog.close()


async def test_it_may_bite_in_another_way() -> None:
    woken = asyncio.Event()
    dog = Watchdog(0.02, woken.set)
    with dog:
        await woken.wait()
    dog.close()
    assert woken.is_set()
