"""The tray program's loop for one test, on the one QApplication there is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from app.gui.loop import QtEventLoop


@contextmanager
def loop_on(app: QApplication) -> Iterator[QtEventLoop]:
    """An open loop; afterwards tasks, generators and threads are ended as `asyncio.run` does it."""
    app.setQuitOnLastWindowClosed(False)  # as in a tray program
    with asyncio.Runner(loop_factory=lambda: QtEventLoop(app)) as runner:
        yield runner.get_loop()


async def until(condition: Callable[[], object]) -> None:
    """Let the loop go on until something has come about."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)
