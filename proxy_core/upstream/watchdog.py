"""One timer per reply that notices silence.

A timeout per read would arm and cancel a timer for every chunk; this one looks up only when it might be due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType


class Watchdog:
    """Ends a wait inside `with watchdog:` that lasts longer than its limit: by TimeoutError, or by `bite`, if given.

    Time spent outside (a slow client taking its bytes) does not count. Belongs to the task that enters it;
    `close()` it when the reply is done.
    """

    def __init__(self, limit_s: float, bite: Callable[[], object] | None = None) -> None:
        self.limit_s = limit_s
        self._bite = bite
        self._loop = asyncio.get_running_loop()
        self._waiting_since: float | None = None
        self._task: asyncio.Task[object] | None = None
        self._has_bitten = False
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._waiting_since = self._loop.time()
        if self._timer is None:
            self._task = asyncio.current_task()
            self._timer = self._loop.call_later(self.limit_s, self._look)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting_since = None
        if self._has_bitten and kind is asyncio.CancelledError and self._task is not None:
            self._has_bitten = False
            if self._task.uncancel() == 0:
                raise TimeoutError from error

    def _look(self) -> None:
        now = self._loop.time()
        silent_s = 0.0 if self._waiting_since is None else now - self._waiting_since
        if silent_s < self.limit_s:
            self._timer = self._loop.call_later(self.limit_s - silent_s, self._look)
            return
        self._timer = None
        if self._bite is not None:
            self._bite()
        elif self._task is not None:
            self._has_bitten = True
            self._task.cancel()

    def close(self) -> None:
        """No more looking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._task = None
