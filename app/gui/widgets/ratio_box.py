"""The learned token ratios in the settings: why the counting can be trusted, and on how many requests that rests."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QTableView, QVBoxLayout, QWidget

from app.gui.models.ratio_table import RatioTable
from app.i18n import tr
from proxy_core.tokens.learning import Ratio

ROW_HEIGHT = 26
MOST_ROWS = 10
"""More are scrolled to."""


class RatioBox(QWidget):
    """Reads the ratios each time it comes into sight."""

    def __init__(self, ratios: Callable[[], tuple[Ratio, ...]]) -> None:
        super().__init__()
        self._ratios = ratios
        self.model = RatioTable(self)
        self.table = QTableView()
        self.remark = QLabel()
        self.remark.setObjectName("help")
        self.remark.setWordWrap(True)
        self._prepare_table()
        title = QLabel(tr("Learned from answers"))
        title.setObjectName("section")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (title, self.remark, self.table):
            layout.addWidget(widget)

    def _prepare_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setAccessibleName(tr("Learned from answers"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def showEvent(self, event: QShowEvent) -> None:
        """Bring it up to date."""
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        ratios = self._ratios()
        self.model.set_ratios(ratios)
        self.table.setVisible(bool(ratios))
        rows = min(len(ratios), MOST_ROWS)
        self.table.setFixedHeight(self.table.horizontalHeader().sizeHint().height() + rows * ROW_HEIGHT + 4)
        self.remark.setText(_known() if ratios else _unknown())


def _known() -> str:
    return tr("Tokens that servers reported, divided by those counted here. Later counts are corrected by it.")


def _unknown() -> str:
    return tr("Nothing yet. Each answer tells how many tokens its prompt had, and counting learns from it.")
