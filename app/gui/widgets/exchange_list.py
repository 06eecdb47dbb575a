"""The exchanges as a list one can read: sized columns, whole rows, and nothing one could edit by accident."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app.gui.models.exchange_table import COLUMNS, ExchangeTable

ROW_HEIGHT = 30
STRETCHED = 2
"""The models' column takes the room that is left."""


class ExchangeList(QTableView):
    """A view of an ExchangeTable. columns: which ones are shown."""

    def __init__(self, model: ExchangeTable, columns: Sequence[int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self._size_rows()
        self._size_columns(columns)

    def _size_rows(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setDefaultSectionSize(ROW_HEIGHT)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def _size_columns(self, columns: Sequence[int]) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(48)
        for number, column in enumerate(COLUMNS):
            self.setColumnHidden(number, number not in columns)
            self.setColumnWidth(number, column.width)
        header.setSectionResizeMode(STRETCHED, QHeaderView.ResizeMode.Stretch)
