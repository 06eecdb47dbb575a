"""All keys, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from app.i18n import tr
from app.tui.desk import Keys


class Help(ModalScreen[None]):
    """sections: a title and its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,enter,q,ctrl+c,question_mark", "leave", "")]

    def __init__(self, sections: Sequence[tuple[str, Keys]]) -> None:
        super().__init__()
        self._sections = sections

    def compose(self) -> ComposeResult:
        """A table."""
        with Vertical(classes="dialog dialog-large"):
            with VerticalScroll():
                yield Static(self._table())
            yield Static(tr("Esc: back      arrow keys: scroll"), classes="dialog-keys", markup=False)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for title, keys in self._sections:
            for number, (key, what) in enumerate(keys):
                table.add_row("" if number else title, key, what)
        return table

    def action_leave(self) -> None:
        """Back to the page."""
        self.dismiss(None)
