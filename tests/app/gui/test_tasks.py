"""Coroutines from slots: none is lost, none fails in silence."""

from __future__ import annotations

import asyncio

import pytest

from app.gui.tasks import Tasks


async def _fail() -> None:
    raise ValueError("broken")


def _tasks(said: list[str]) -> Tasks:
    return Tasks(asyncio.get_running_loop(), lambda error: f"words for {error}", said.append)


async def test_a_failure_becomes_words_and_the_rest_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    said: list[str] = []
    tasks = _tasks(said)
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    tasks.spawn(_fail())
    tasks.spawn(work())
    await done.wait()
    await asyncio.sleep(0)
    assert said == ["words for broken"]
    assert "ValueError" in caplog.text


async def test_words_go_where_the_caller_wants_them() -> None:
    said: list[str] = []
    here: list[str] = []
    tasks = _tasks(said)
    tasks.spawn(_fail(), here.append)
    await asyncio.sleep(0.01)
    assert (said, here) == ([], ["words for broken"])


async def test_closing_ends_what_runs_but_not_the_one_who_closes() -> None:
    tasks = _tasks([])
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("forever")

    async def closer() -> None:
        await asyncio.sleep(0)
        await tasks.close()
        ended.append("closer")

    tasks.spawn(forever())
    tasks.spawn(closer())
    await asyncio.sleep(0.01)
    assert ended == ["forever", "closer"]
