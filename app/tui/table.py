"""A table that can be filled anew every second: the cursor stays on its row, and what did not change is not drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text
from textual.widgets import DataTable

Cells = tuple[str | Text, ...]


class FactTable(DataTable[str | Text]):
    """Rows by key; one row is marked."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, cursor_type="row", zebra_stripes=False, cell_padding=1)
        self._heads: tuple[str, ...] = ()
        self._shown: dict[str, Cells] = {}

    def fill(self, heads: Sequence[str], rows: Mapping[str, Cells]) -> None:
        """Show these rows, in this order."""
        wanted = dict(rows)
        if tuple(heads) == self._heads and list(wanted) == list(self._shown):
            self._update(wanted)
        else:
            self._rebuild(tuple(heads), wanted)
        self._shown = wanted

    @property
    def marked(self) -> str:
        """The key of the marked row, "" where there is none."""
        keys = list(self._shown)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else ""

    def _update(self, rows: Mapping[str, Cells]) -> None:
        for number, (key, cells) in enumerate(rows.items()):
            old = self._shown[key]
            for column, cell in enumerate(cells):
                if cell != old[column]:
                    self.update_cell_at((number, column), cell, update_width=True)  # type: ignore[arg-type]  # a tuple is a Coordinate

    def _rebuild(self, heads: tuple[str, ...], rows: Mapping[str, Cells]) -> None:
        marked, top = self.marked, self.scroll_offset.y
        was_first = self.cursor_row <= 0
        self.clear(columns=heads != self._heads)
        if heads != self._heads:
            self._heads = heads
            self.add_columns(*heads)
        for key, cells in rows.items():
            self.add_row(*cells, key=key)
        keys = list(rows)
        if marked in rows and not was_first:
            self.move_cursor(row=keys.index(marked), scroll=False)
            self.scroll_to(y=top, animate=False)
