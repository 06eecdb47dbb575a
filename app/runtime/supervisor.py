"""The owner of background tasks: all of them end when it closes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine

log = logging.getLogger(__name__)


class Supervisor:
    """Starts tasks and ends them. A task that fails is logged and the others go on."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Coroutine[object, object, None]) -> None:
        """Run it until it is done or `close` is called."""
        task = asyncio.get_running_loop().create_task(_watch(name, work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel what runs and wait for its end."""
        running = tuple(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _watch(name: str, work: Coroutine[object, object, None]) -> None:
    try:
        await work
    except Exception:  # the border of background work: it must not take the program with it
        log.exception("background task %s failed", name)
