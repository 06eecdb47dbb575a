"""The end of the log as it is written, from a level on."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import RichLog, Static

from app.i18n import tr
from app.paths import LOGS_FOLDER
from app.tui.desk import Desk, Keys, Page
from app.tui.tail import LEVELS, LogLine, Tail

FILE = "application.jsonl"
MOST_LINES = 5000
_PERIOD_S = 1.0
_STYLES = {"debug": "dim", "info": "", "warning": "yellow", "error": "red", "critical": "bold red"}


class LogsPage(Page):
    """Follows while the last line is seen; whoever scrolls up is left in peace."""

    focus_on = "#log-lines"
    BINDINGS: ClassVar[list[BindingType]] = [("l", "level", ""), ("f", "follow", "")]

    def __init__(self, desk: Desk, home: Path, *, id: str) -> None:
        super().__init__(desk, id=id)
        self._path = home / LOGS_FOLDER / FILE
        self._tail = Tail(self._path)
        self._lines: deque[LogLine] = deque(maxlen=MOST_LINES)
        self._lowest = LEVELS.index("info")
        self._problem = ""

    def compose(self) -> ComposeResult:
        """Lines, and which of them."""
        yield RichLog(id="log-lines", max_lines=MOST_LINES, wrap=True, min_width=20)
        yield Static(id="log-foot", markup=False)

    def on_mount(self) -> None:
        """Read on, in a thread, for as long as the page exists."""
        self.run_worker(self._follow(), name="log tail")

    def page_title(self) -> str:
        """Its name."""
        return tr("Logs")

    def page_keys(self) -> Keys:
        """Level, follow."""
        return (("l", tr("Level")), ("f", tr("Follow")))

    def opened(self) -> None:
        """Lines are drawn only where their width is known."""
        self._redraw()

    async def _follow(self) -> None:
        while True:
            try:
                fresh = await asyncio.to_thread(self._tail.read)
                self._problem = ""
            except OSError as error:
                fresh, self._problem = [], str(error.strerror)
            self._lines.extend(fresh)
            if self.display:
                for line in fresh:
                    self._write(line)
                self._show_foot()
            await asyncio.sleep(_PERIOD_S)

    def action_level(self) -> None:
        """From the next graver level on; after the gravest from the first."""
        self._lowest = (self._lowest + 1) % len(LEVELS)
        self._redraw()

    def action_follow(self) -> None:
        """To the end, and on with it."""
        self.query_one(RichLog).scroll_end(animate=False)

    def _redraw(self) -> None:
        self.query_one(RichLog).clear()
        for line in self._lines:
            self._write(line)
        self._show_foot()
        self.action_follow()

    def _write(self, line: LogLine) -> None:
        if line.rank < self._lowest:
            return
        log = self.query_one(RichLog)
        text = Text.assemble((f"{line.at} ", "dim"), (f"{line.level.upper():<8} ", _STYLES[line.level]), line.text)
        if line.request_id:
            text.append(f" [{line.request_id}]", "dim")
        log.write(text, scroll_end=log.is_vertical_scroll_end)

    def _show_foot(self) -> None:
        if self._problem:
            text = tr("Cannot be read ({reason}): {path}", path=self._path, reason=self._problem)
        elif not self._lines:
            text = tr("No lines yet in {path}.", path=self._path)
        else:
            shown = sum(line.rank >= self._lowest for line in self._lines)
            text = tr("From {level} on · {shown} of {all} lines · {path}", level=LEVELS[self._lowest].upper(),
                      shown=shown, all=len(self._lines), path=self._path)  # fmt: skip
        self.query_one("#log-foot", Static).update(text)
