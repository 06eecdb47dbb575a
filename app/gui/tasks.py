"""The one owner of coroutines that begin in a slot: nothing is forgotten, and every failure becomes words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

log = logging.getLogger(__name__)

Words = Callable[[BaseException], str]
Report = Callable[[str], None]


class Tasks:
    """Runs coroutines for widgets. words: an exception as people read it. report: shows them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, words: Words, report: Report) -> None:
        self._loop = loop
        self._words = words
        self._report = report
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[object, object, None], report: Report | None = None) -> None:
        """Start it; a failure is reported (here, or where `report` says), once, and ends nothing else."""
        task = self._loop.create_task(self._watch(work, report or self._report))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    @property
    def running(self) -> int:
        """How many have not ended yet."""
        return len(self._running)

    async def _watch(self, work: Coroutine[object, object, None], report: Report) -> None:
        try:
            await work
        except Exception as error:  # the supervisor: what a slot began must not end the program
            log.warning("a command failed: %s", type(error).__name__, exc_info=error)
            report(self._words(error))

    async def close(self) -> None:
        """Cancel what still runs, except the caller, and wait for its end."""
        others = self._running - {asyncio.current_task(self._loop)}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
