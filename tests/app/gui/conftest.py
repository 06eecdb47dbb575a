"""Qt without a screen, and the real runtime behind the widgets: only the keyring is a stand-in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow

from app.gui.commands import Commands
from app.gui.tasks import Tasks
from app.gui.theme import Theme
from app.gui.words import error_words
from app.runtime import Runtime
from tests.app.runtimes import make_runtime

# Before the application is made: a machine that tests has no screen, and a developer's must not flicker.
os.environ["QT_QPA_PLATFORM"] = "offscreen"


@dataclass
class Bench:
    """A started runtime with the demo server, and commands to it. failures: what was told in words."""

    runtime: Runtime
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tasks = Tasks(asyncio.get_running_loop(), error_words, self.failures.append)
        self.commands = Commands(self.runtime, self.tasks)

    async def settle(self) -> None:
        """Let everything that a slot began come to its end."""
        async with asyncio.timeout(10):
            while self.tasks.running:
                await asyncio.sleep(0.005)


@pytest_asyncio.fixture
async def bench(tmp_path: Path, qapp: QApplication) -> AsyncIterator[Bench]:
    runtime = make_runtime(tmp_path, demo=True)
    await runtime.start()
    bench = Bench(runtime)
    yield bench
    await bench.tasks.close()
    await runtime.stop()


def clear_away(app: QApplication) -> None:
    """Really end what a test left: whoever is still there pays for every later change of the look."""
    app.setStyleSheet("")
    for widget in app.topLevelWidgets():
        if isinstance(widget, QMainWindow | QDialog) and widget.parent() is None:
            widget.deleteLater()
    for part in app.children():
        if isinstance(part, Theme):
            part.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """The look, chosen light; taken off again, for style sheets slow every later test down."""
    theme = Theme(qapp)
    theme.choose("light")
    yield theme
    clear_away(qapp)
