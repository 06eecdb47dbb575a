"""A thread beside the loop that nobody waits for when the program ends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class _Work(Generic[_Result]):
    """A call and the future that its end settles."""

    def __init__(self, call: Callable[[], _Result]) -> None:
        self.call = call
        self.future: Future[_Result] = Future()

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.call()
        except BaseException as fault:  # noqa: BLE001 whoever waits gets it; the thread belongs to all
            self.future.set_exception(fault)
        else:
            self.future.set_result(result)


class DaemonThread:
    """Does one thing after the other. Started with the first one; no executor, since their threads are waited for."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: SimpleQueue[_Work[object] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._starting = Lock()
        self._is_closed = False

    def submit(self, call: Callable[[], _Result]) -> Future[_Result]:
        """Do this in the thread, after what waits already. Cancelling spares what has not begun."""
        if self._is_closed:
            raise RuntimeError(f"The thread {self._name!r} is closed.")
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        work = _Work(call)
        self._queue.put(work)  # type: ignore[arg-type]  # a future of anything settles like one of object
        return work.future

    def close(self) -> None:
        """Drop what waits; what has begun goes on without us."""
        self._is_closed = True
        self._queue.put(None)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            if self._is_closed:
                work.future.cancel()
            work.run()
            del work  # or a whole conversation would be held until the next one comes
