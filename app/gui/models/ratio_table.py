"""What was learned of the models' own token figures, as a table: one row a model and kind of content."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.gui.words import compact
from app.i18n import tr
from proxy_core.tokens.content import ContentClass
from proxy_core.tokens.learning import Ratio

Index = QModelIndex | QPersistentModelIndex
Column = tuple[Callable[[], str], Callable[[Ratio], str]]

COLUMNS: tuple[Column, ...] = (
    (lambda: tr("Model"), lambda ratio: ratio.model),
    (lambda: tr("Content"), lambda ratio: content_words(ratio.content)),
    (lambda: tr("Reported to counted"), lambda ratio: f"{ratio.ratio:.3f}"),
    (lambda: tr("Samples"), lambda ratio: compact(ratio.samples)),
)
_FIRST_NUMBER = 2


class RatioTable(QAbstractTableModel):
    """A model over Ratio values."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ratios: tuple[Ratio, ...] = ()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        """Ratios at the top level; none below one."""
        return 0 if parent.isValid() else len(self._ratios)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        """The columns of COLUMNS."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Text and side of a cell."""
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[index.column()][1](self._ratios[index.row()])
        return _side(index.column()) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Headings, on the side of their columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section][0]()
        return _side(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def set_ratios(self, ratios: tuple[Ratio, ...]) -> None:
        """Show these."""
        if ratios != self._ratios:
            self.beginResetModel()
            self._ratios = ratios
            self.endResetModel()


def content_words(content: ContentClass) -> str:
    """A kind of content in words."""
    match content:
        case ContentClass.PROSE:
            return tr("prose")
        case ContentClass.CODE:
            return tr("code")
        case ContentClass.JSON:
            return "JSON"
        case ContentClass.CJK:
            return tr("Chinese, Japanese, Korean")
        case ContentClass.PICTURES:
            return tr("pictures")


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column >= _FIRST_NUMBER else Qt.AlignmentFlag.AlignLeft
    return Qt.AlignmentFlag.AlignVCenter | side
