"""The last requests, every column, and what was wrong with the one that is chosen."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.gui.bridge import Bridge
from app.gui.commands import Commands
from app.gui.models.exchange_table import COLUMNS, ROW_ROLE, ExchangeTable
from app.gui.widgets.empty_state import EmptyState
from app.gui.widgets.exchange_list import ExchangeList
from app.gui.words import compact, money, seconds, signed, stage_words
from app.i18n import tr
from proxy_core.telemetry.rows import ExchangeRow

LEAST_QUEUED_S = 0.05
"""Shorter waits are nobody's concern."""


class RequestsPage(QWidget):
    """The table above, the chosen exchange below it."""

    def __init__(self, bridge: Bridge, commands: Commands, table: ExchangeTable) -> None:
        super().__init__()
        self.list = ExchangeList(table, range(len(COLUMNS)))
        self.details = ExchangeDetails(commands)
        self._table = table
        self._stack = QStackedWidget()
        empty = EmptyState(bridge.snapshot, commands)
        bridge.changed.connect(empty.tell)
        self._stack.addWidget(empty)
        self._stack.addWidget(self._filled())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        layout.addWidget(self._stack)
        self.list.selectionModel().selectionChanged.connect(self._choose)
        table.dataChanged.connect(self._refresh)
        table.modelReset.connect(lambda: self.details.show_row(None))
        bridge.listed.connect(self._show_rows)

    def _show_rows(self, rows: tuple[ExchangeRow, ...]) -> None:
        self._stack.setCurrentIndex(1 if rows else 0)

    def _filled(self) -> QFrame:
        card = QFrame()
        card.setObjectName("card")
        layout = QVBoxLayout(card)
        layout.setContentsMargins(1, 6, 1, 10)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.details)
        return card

    def _choose(self, _chosen: QItemSelection) -> None:
        self._refresh()

    def _refresh(self) -> None:
        rows = self.list.selectionModel().selectedRows()
        row = rows[0].data(ROW_ROLE) if rows else None
        self.details.show_row(row if isinstance(row, ExchangeRow) else None)


class ExchangeDetails(QWidget):
    """One exchange in words; an error can be copied."""

    def __init__(self, commands: Commands) -> None:
        super().__init__()
        self._commands = commands
        self._row: ExchangeRow | None = None
        self._text = QLabel()
        self._text.setWordWrap(True)
        self.copy = QPushButton(tr("Copy error"))
        self.copy.clicked.connect(self._copy)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 6, 12, 0)
        layout.addWidget(self._text, 1)
        layout.addWidget(self.copy)
        self.show_row(None)

    def show_row(self, row: ExchangeRow | None) -> None:
        """Tell about this one; None: nothing is chosen."""
        self._row = row
        self._text.setText(_describe(row) if row else tr("Choose a request to read more about it."))
        name = "error" if row and row.error_message else "muted"
        if self._text.objectName() != name:
            self._text.setObjectName(name)
            self._text.style().polish(self._text)
        self.copy.setVisible(bool(row and row.error_message))

    def _copy(self) -> None:
        if self._row:
            self._commands.copy_text(self._row.error_message, tr("Error copied."))


def _describe(row: ExchangeRow) -> str:
    lines = [row.error_message, *(() if row.error_message else (_figures(row),)), _way(row), _edits(row)]
    return "\n".join(filter(None, [*lines, *row.held_back]))


def _figures(row: ExchangeRow) -> str:
    tokens = tr(
        "{input} tokens in, {cached} from the cache, {output} out",
        input=compact(row.input_tokens),
        cached=compact(row.cached_tokens),
        output=compact(row.output_tokens),
    )
    return " · ".join(filter(None, (row.door, tokens, seconds(row.duration_s), row.reason)))


def _way(row: ExchangeRow) -> str:
    """What came in between; nothing where nothing did."""
    retries = tr("{count} retries", count=row.retries) if row.retries else ""
    queued = tr("queued for {time}", time=seconds(row.queued_s)) if row.queued_s >= LEAST_QUEUED_S else ""
    return " · ".join(filter(None, (retries, queued)))


def _edits(row: ExchangeRow) -> str:
    """The ledger: what each stage took off the prompt, and what that saved."""
    if not row.saved_by_stage:
        return ""
    stages = ", ".join(f"{stage_words(stage)} {signed(tokens)}" for stage, tokens in row.saved_by_stage)
    saved = tr("{tokens} tokens saved: {stages}", tokens=signed(row.saved_tokens), stages=stages)
    return saved if not row.saved_money else f"{saved} · {money(row.saved_money, row.currency)}"
