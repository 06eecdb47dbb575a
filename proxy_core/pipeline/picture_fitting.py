"""Pictures are made fit beside the loop: one at a time, and only for as long as somebody waits for them."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Future, InvalidStateError
from queue import SimpleQueue
from threading import Thread

from proxy_core.chat import Conversation
from proxy_core.pictures import GivenUpError, fit_pictures


class PictureFitter:
    """One thread for all requests: opened, a picture of a megabyte takes hundreds.

    A daemon and no executor, since an executor's threads are waited for when the program ends, and a picture may take
    many seconds. A request that is given up ends before its next picture.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[Future[Conversation] | None] = SimpleQueue()
        self._waiting: dict[Future[Conversation], Conversation] = {}
        self._thread: Thread | None = None
        self._is_closed = False

    async def fit(self, conversation: Conversation) -> Conversation:
        """The conversation with pictures as upstreams take them. Raises BadRequestError, like `fit_pictures`."""
        if self._is_closed:
            raise RuntimeError("The picture fitter is closed.")
        result: Future[Conversation] = Future()
        self._waiting[result] = conversation
        # Whoever leaves cancels the future, and what it would have worked on is let go at once.
        result.add_done_callback(lambda done: self._waiting.pop(done, None))
        self._start()
        self._queue.put(result)
        return await asyncio.wrap_future(result)

    def close(self) -> None:
        """Give everything up, without waiting for the picture in work."""
        self._is_closed = True
        for result in list(self._waiting):
            result.cancel()
        self._queue.put(None)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._work, name="pictures", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while (result := self._queue.get()) is not None:
            conversation = self._waiting.get(result)
            if conversation is not None:
                # Cancelled in the very moment in which it is done: nobody is there to take it.
                with contextlib.suppress(InvalidStateError):
                    _settle(result, conversation)
            del result, conversation


def _settle(result: Future[Conversation], conversation: Conversation) -> None:
    try:
        fit = fit_pictures(conversation, result.cancelled)
    except GivenUpError:
        result.cancel()
    except Exception as error:  # noqa: BLE001 the request's own fault, raised there; the thread belongs to all
        result.set_exception(error)
    else:
        result.set_result(fit)
