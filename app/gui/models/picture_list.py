"""The descriptions of pictures as a list model: order, what a card shows, and what is read aloud of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from enum import StrEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.gui.models.thumbnails import Thumbnails
from app.gui.words import ago, compact
from app.i18n import tr
from proxy_core.stores.descriptions import Description

Index = QModelIndex | QPersistentModelIndex

DESCRIPTION_ROLE = Qt.ItemDataRole.UserRole
"""The Description itself."""
_TOOLTIP_CHARS = 600


class Order(StrEnum):
    """How the list is sorted. By age it stays still while pictures are used."""

    NEWEST = "newest"
    LAST_USED = "last used"
    MOST_USED = "most used"


_KEYS: dict[Order, Callable[[Description], float]] = {
    Order.NEWEST: lambda one: -one.made_at,
    Order.LAST_USED: lambda one: -one.last_used_at,
    Order.MOST_USED: lambda one: -one.hits,
}


class PictureList(QAbstractListModel):
    """A model over Description values; `set_descriptions` takes the newest picture of the store."""

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._shown: tuple[Description, ...] = ()
        self._rows: dict[str, int] = {}
        thumbnails.arrived.connect(self._refresh)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        """Pictures at the top level; none below one."""
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Words, thumbnail and tooltip; DESCRIPTION_ROLE gives the whole."""
        one = self._shown[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return card_text(one)
            case Qt.ItemDataRole.DecorationRole:
                return self._thumbnails.get(one.digest)
            case Qt.ItemDataRole.ToolTipRole:
                return _tooltip(one)
            case Qt.ItemDataRole.AccessibleDescriptionRole:
                return remarks(one, time.time())
            case _:
                return one if role == DESCRIPTION_ROLE else None

    def has_no_thumbnail(self, digest: str) -> bool:
        """Whether waiting for one is in vain."""
        return self._thumbnails.is_missing(digest)

    def index_of(self, digest: str) -> QModelIndex:
        """Where a picture is; an invalid index if it is gone."""
        row = self._rows.get(digest)
        return QModelIndex() if row is None else self.index(row)

    def set_descriptions(self, descriptions: Iterable[Description], order: Order) -> None:
        """Show these. Rows are exchanged in place where the order held; otherwise views start anew."""
        shown = tuple(sorted(descriptions, key=lambda one: (_KEYS[order](one), one.digest)))
        if [one.digest for one in shown] != [one.digest for one in self._shown]:
            self.beginResetModel()
            self._shown = shown
            self._rows = {one.digest: row for row, one in enumerate(shown)}
            self.endResetModel()
            return
        changed = [row for row, old in enumerate(self._shown) if old != shown[row]]
        self._shown = shown
        if changed:  # told once, however many there are: views draw only what is seen
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))

    def _refresh(self, digest: str) -> None:
        index = self.index_of(digest)
        if index.isValid():
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])


def card_text(one: Description) -> str:
    """The words of a picture in one paragraph, or why there are none."""
    return " ".join(one.text.split()) or tr("No words: a placeholder stands for this picture.")


def remarks(one: Description, now: float) -> str:
    """Model, age and use in one line; now: unix seconds."""
    writer = tr("edited") if one.edited else one.model
    uses = tr("used {count}×", count=compact(one.hits))
    return " · ".join(part for part in (writer, ago(now - one.made_at), uses) if part)


def _tooltip(one: Description) -> str:
    text = card_text(one)
    return text if len(text) <= _TOOLTIP_CHARS else text[: _TOOLTIP_CHARS - 1] + "…"
