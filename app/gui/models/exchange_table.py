"""The last exchanges as a table: one row each, in the order they came in, newest first.

A row keeps its place while its exchange runs and ends, so nothing jumps under the eye.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from app.gui.theme import Colours
from app.gui.words import compact, seconds, signed
from app.i18n import tr
from proxy_core.telemetry.rows import ExchangeRow

Index = QModelIndex | QPersistentModelIndex
Align = Qt.AlignmentFlag

ROW_ROLE = Qt.ItemDataRole.UserRole
"""The ExchangeRow itself."""

_LEFT = Align.AlignVCenter | Align.AlignLeft
_RIGHT = Align.AlignVCenter | Align.AlignRight


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading (translated when shown), its text, and the width it starts with."""

    heading: Callable[[], str]
    text: Callable[[ExchangeRow], str]
    width: int
    is_number: bool = False


def _time(row: ExchangeRow) -> str:
    return datetime.fromtimestamp(row.started_at).astimezone().strftime("%H:%M:%S")


def _client(row: ExchangeRow) -> str:
    """Of a user agent its first word; the rest stands at the pointer."""
    return row.client.partition(" ")[0] or "–"


def _models(row: ExchangeRow) -> str:
    """What was asked and what served; behind it why that failed, if it did."""
    return " · ".join(filter(None, (_model_names(row), row.error_message)))


def _model_names(row: ExchangeRow) -> str:
    if not row.asked_model or row.asked_model == row.served_model:
        return row.served_model or "–"
    return f"{row.asked_model} → {row.served_model}" if row.served_model else row.asked_model


def _dialects(row: ExchangeRow) -> str:
    if not row.upstream_dialect or row.client_dialect == row.upstream_dialect:
        return row.client_dialect or "–"
    return f"{row.client_dialect} → {row.upstream_dialect}"


def _reported(row: ExchangeRow, tokens: int) -> str:
    """A figure that only the upstream knows: nothing, rather than zero, before it has said so."""
    return "–" if row.is_estimate and not tokens else compact(tokens)


def _output(row: ExchangeRow) -> str:
    return f"~{compact(row.output_tokens)}" if row.is_estimate and row.output_tokens else compact(row.output_tokens)


def _saved(row: ExchangeRow) -> str:
    """What edits took off the prompt; nothing where nothing was edited."""
    return signed(row.saved_tokens) if row.saved_tokens else "–"


def outcome_words(row: ExchangeRow) -> str:
    """The status column: a number where there is one, else where the exchange stands."""
    if row.outcome == "running":
        return tr("running")
    if row.outcome == "cancelled":
        return tr("client left")
    return str(row.status or "–")


COLUMNS: tuple[Column, ...] = (
    Column(lambda: tr("Time"), _time, 76),
    Column(lambda: tr("Client"), _client, 130),
    Column(lambda: tr("Model asked → served"), _models, 260),
    Column(lambda: tr("Server"), lambda row: row.server or "–", 84),
    Column(lambda: tr("Dialects"), _dialects, 130),
    Column(lambda: tr("Status"), outcome_words, 76),
    Column(lambda: tr("In"), lambda row: _reported(row, row.input_tokens), 52, True),
    Column(lambda: tr("Cached"), lambda row: _reported(row, row.cached_tokens), 74, True),
    Column(lambda: tr("Saved"), _saved, 64, True),
    Column(lambda: tr("Out"), _output, 56, True),
    Column(lambda: tr("First token"), lambda row: seconds(row.first_token_s), 96, True),
    Column(lambda: tr("Duration"), lambda row: seconds(row.duration_s), 84, True),
)
SHORT_COLUMNS = (0, 1, 2, 5, 6, 8, 9, 10, 11)
"""The columns of the short list on the live page."""


class ExchangeTable(QAbstractTableModel):
    """A model over ExchangeRow values; `set_rows` takes the newest picture and tells views only what differs."""

    def __init__(self, colours: Callable[[], Colours], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self._rows: tuple[ExchangeRow, ...] = ()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        """Rows at the top level; none below a row."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        """The columns of COLUMNS."""
        return 0 if parent.isValid() else len(COLUMNS)

    def row(self, number: int) -> ExchangeRow:
        """The exchange of a row."""
        return self._rows[number]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Text, colour, side and tooltip of a cell; ROW_ROLE gives the whole row."""
        row = self._rows[index.row()]
        column = COLUMNS[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(row)
            case Qt.ItemDataRole.ForegroundRole:
                return self._colour(row, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if column.is_number else _LEFT
            case Qt.ItemDataRole.ToolTipRole:
                return row.error_message or (row.client if column.text is _client else column.text(row))
            case _:
                return row if role == ROW_ROLE else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Headings, on the side of their columns."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].heading()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if COLUMNS[section].is_number else _LEFT
        return None

    def set_rows(self, rows: tuple[ExchangeRow, ...]) -> None:
        """Show these rows, newest first."""
        fresh = self._count_fresh(rows)
        kept = len(rows) - fresh
        if [row.id for row in rows[fresh:]] != [row.id for row in self._rows[:kept]]:
            self._reset(rows)
            return
        if kept < len(self._rows):
            self.beginRemoveRows(QModelIndex(), kept, len(self._rows) - 1)
            self._rows = self._rows[:kept]
            self.endRemoveRows()
        if fresh:
            self.beginInsertRows(QModelIndex(), 0, fresh - 1)
            self._rows = rows[:fresh] + self._rows
            self.endInsertRows()
        self._update(rows)

    def _count_fresh(self, rows: tuple[ExchangeRow, ...]) -> int:
        known = {row.id for row in self._rows}
        return next((number for number, row in enumerate(rows) if row.id in known), len(rows))

    def _update(self, rows: tuple[ExchangeRow, ...]) -> None:
        before, self._rows = self._rows, rows
        for number, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(number, 0), self.index(number, len(COLUMNS) - 1))

    def _reset(self, rows: tuple[ExchangeRow, ...]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def _colour(self, row: ExchangeRow, column: Column) -> QColor | None:
        colours = self._colours()
        by_outcome = {"failed": colours.danger, "cancelled": colours.muted}
        if row.outcome == "running" and column.text is outcome_words:
            return QColor(colours.accent)
        name = by_outcome.get(row.outcome)
        return QColor(name) if name else None
