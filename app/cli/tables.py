"""Tables and pairs in one plain style, narrow enough for 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from app.cli.words import harmless

_GOOD, _BAD, _WARN = "green", "red", "yellow"
_STYLES = {
    "running": _GOOD,
    "done": _GOOD,
    "pass": _GOOD,
    "closed": _GOOD,
    "failed": _BAD,
    "fail": _BAD,
    "open": _BAD,
    "cancelled": _WARN,
    "warn": _WARN,
    "half_open": _WARN,
}


def colored(word: str) -> Text:
    """A word in the colour of what it means."""
    return Text(word, style=_STYLES.get(word, ""))


def table(heads: Sequence[str], rows: Iterable[Sequence[str | Text]], title: str = "") -> Table:
    """Columns whose head ends with ">" hold figures, at the right; those with "~" give way where it is narrow."""
    made = Table(box=None, pad_edge=False, header_style="bold", title=title or None, title_justify="left")
    for head in heads:
        is_number, gives_way = head.endswith(">"), head.endswith("~")
        made.add_column(
            head.rstrip(">~"),
            justify="right" if is_number else "left",
            no_wrap=not gives_way,
            overflow="fold" if gives_way else "ellipsis",
            ratio=1 if gives_way else None,
        )
    for row in rows:
        made.add_row(*(harmless(cell) if isinstance(cell, str) else cell for cell in row))
    return made


def pairs(rows: Iterable[tuple[str, str | Text]]) -> Table:
    """Names and values, one below the other; empty values are left out."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        if value:
            made.add_row(name, harmless(value) if isinstance(value, str) else value)
    return made
