"""The one screen: a line that says how things stand, the row of pages, the page, a message, the keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Static

from app.i18n import tr
from app.tui.desk import Desk, Keys, Page
from app.tui.facts import Picture
from app.tui.pages.config import ConfigPage
from app.tui.pages.live import LivePage
from app.tui.pages.logs import LogsPage
from app.tui.pages.requests import RequestsPage
from app.tui.pages.servers import ServersPage
from app.tui.pages.status import StatusPage

_MESSAGE_S = 8.0


class MainScreen(Screen[None]):
    """place: where the proxy runs, in words, at the right of the first line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *((str(number), f"page({number - 1})", "") for number in range(1, 7)),
        ("tab", "step(1)", ""),
        ("shift+tab", "step(-1)", ""),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  # textual declares it so

    def __init__(self, desk: Desk, home: Path) -> None:
        super().__init__()
        self._desk = desk
        self._pages: tuple[Page, ...] = (
            StatusPage(desk, id="status"),
            LivePage(desk, id="live"),
            RequestsPage(desk, id="requests"),
            ServersPage(desk, id="servers"),
            LogsPage(desk, home, id="logs"),
            ConfigPage(desk, id="config"),
        )
        self.page: Page = self._pages[0]
        self._message_turn = 0

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Static(id="head", markup=False)
        yield Static(id="tabs", markup=False)
        with ContentSwitcher(id="pages", initial=self.page.id):
            yield from self._pages
        yield Static(id="message", markup=False)
        yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        """The first page."""
        self._enter(self.page)

    def action_page(self, number: int) -> None:
        """Turn to a page."""
        self._enter(self._pages[number])
        self.page.opened()

    def action_step(self, by: int) -> None:
        """Turn to the page beside this one."""
        self.action_page((self._pages.index(self.page) + by) % len(self._pages))

    def _enter(self, page: Page) -> None:
        self.page = page
        self.query_one(ContentSwitcher).current = page.id
        self.query_one(page.focus_on).focus()
        names = [f" {number} {item.page_title()} " for number, item in enumerate(self._pages, 1)]
        styles = ["reverse" if item is page else "" for item in self._pages]
        self.query_one("#tabs", Static).update(Text.assemble(*zip(names, styles, strict=True)))
        self.query_one("#keys", Static).update(_keys_line((*page.page_keys(), *self.global_keys())))
        self.call_after_refresh(lambda: page.show(self._desk.picture))

    def global_keys(self) -> Keys:
        """What works on every page."""
        if not self._desk.connected:
            return (("1-6", tr("Page")), ("s", tr("Start here")), ("?", tr("Help")), ("q", tr("Quit")))
        pause = tr("Resume") if self._desk.picture.status.paused else tr("Pause")
        return (("1-6", tr("Page")), ("p", pause), ("?", tr("Help")), ("q", tr("Quit")))

    def help_sections(self) -> Sequence[tuple[str, Keys]]:
        """All keys, for the help."""
        everywhere = (
            ("1 … 6", tr("Turn to a page")),
            ("Tab, Shift+Tab", tr("Next page, page before")),
            (tr("Arrow keys, PgUp, PgDn"), tr("Move and scroll")),
            ("p", tr("Pause the proxy, or let it go on")),
            ("s", tr("Start a proxy in this window, where none runs")),
            ("?", tr("This help")),
            ("q, Ctrl+C", tr("Quit; a proxy of this window ends with it")),
        )
        pages = [(page.page_title(), page.page_keys()) for page in self._pages if page.page_keys()]
        return [(tr("Everywhere"), everywhere), *pages]

    def show(self, picture: Picture, place: str) -> None:
        """A newer picture."""
        status = picture.status
        state = tr("paused") if status.paused else tr("{count} in flight", count=status.in_flight)
        self._show_head(" · ".join((status.address or tr("Not listening"), status.server, state)), place)
        self.page.show(picture)

    def show_lost(self, words: str) -> None:
        """Nobody is there; the page says so where it shows how things stand."""
        self._show_head(words, "", bad=True)
        self.page.show(self._desk.picture)

    def _show_head(self, left: str, right: str, *, bad: bool = False) -> None:
        room = max(0, self.size.width - 2)
        line = Text(left)
        line.truncate(max(0, room - Text(right).cell_len - 1), overflow="ellipsis")
        gap = max(1, room - line.cell_len - Text(right).cell_len)
        head = self.query_one("#head", Static)
        head.update(f" {line.plain}{' ' * gap}{right} ")
        head.set_class(bad, "-bad")
        self.query_one("#keys", Static).update(_keys_line((*self.page.page_keys(), *self.global_keys())))

    def say(self, text: str, *, bad: bool) -> None:
        """One message, for a while."""
        message = self.query_one("#message", Static)
        message.update(text)
        message.set_class(True, "-said").set_class(bad, "-bad")
        self._message_turn += 1
        turn = self._message_turn
        self.set_timer(_MESSAGE_S, lambda: self._hush(turn))

    def _hush(self, turn: int) -> None:
        if turn == self._message_turn:
            self.query_one("#message", Static).set_class(False, "-said")


def _keys_line(keys: Keys) -> Text:
    line = Text(no_wrap=True)
    for key, what in keys:
        line.append(key, "bold").append(f" {what}  ")
    return line
