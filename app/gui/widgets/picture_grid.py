"""The grid of picture cards: what is chosen in it, and what one can do to it by key and context menu."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QWidget

from app.gui.models.picture_list import DESCRIPTION_ROLE, PictureList
from app.gui.theme import Colours
from app.gui.widgets.picture_card import CELL, PictureCard
from app.i18n import tr
from proxy_core.stores.descriptions import Description

STEP = CELL.height() // 4
"""Pixels that one click of the wheel or an arrow of the scroll bar moves."""

SPARE = 4
"""Pixels that Qt may want beside a full row."""


class PictureGrid(QListView):
    """chosen: which pictures are chosen, or what is known of them, changed. The actions tell what is asked for."""

    chosen = Signal()

    def __init__(self, model: PictureList, colours: Callable[[], Colours], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pictures")
        self._pictures = model
        self._kept: tuple[str, ...] = ()
        self._kept_current = ""
        self._kept_scroll = 0
        self.setModel(model)
        self._card = PictureCard(colours, self)
        self.setItemDelegate(self._card)
        self.setAccessibleName(tr("Pictures"))
        self._lay_out()
        self.edit_text = self._add(tr("Edit text"), "F2")
        self.copy_text = self._add(tr("Copy text"), QKeySequence.StandardKey.Copy)
        self.pin = self._add(tr("Pin"), "Ctrl+P")
        self.describe_again = self._add(tr("Describe again"), "Ctrl+R")
        self.delete = self._add(tr("Delete…"), QKeySequence.StandardKey.Delete)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        model.dataChanged.connect(lambda _top, _bottom, roles: None if roles else self._tell())
        self.selectionModel().selectionChanged.connect(self._tell)
        self.doubleClicked.connect(self.edit_text.trigger)
        self._tell()

    def _lay_out(self) -> None:
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(STEP)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many cards as fit share a row, beside the scroll bar, so that they keep their width when it comes."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, self.verticalScrollBar())
        width = self.width() - max(bar, self.verticalScrollBar().sizeHint().width()) - SPARE
        self._card.cell = QSize(width // max(width // CELL.width(), 1), CELL.height())
        self.setGridSize(self._card.cell)
        super().resizeEvent(event)

    def _add(self, text: str, key: str | QKeySequence.StandardKey) -> QAction:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(key))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.addAction(action)
        return action

    def descriptions(self) -> tuple[Description, ...]:
        """The chosen ones, in the order of the list."""
        indexes = sorted(self.selectionModel().selectedIndexes(), key=lambda index: index.row())
        found = [index.data(DESCRIPTION_ROLE) for index in indexes]
        return tuple(one for one in found if isinstance(one, Description))

    def _tell(self) -> None:
        """What can be done follows what is chosen."""
        chosen = self.descriptions()
        for action in (self.copy_text, self.pin, self.describe_again, self.delete):
            action.setEnabled(bool(chosen))
        self.edit_text.setEnabled(len(chosen) == 1)
        self.pin.setText(tr("Unpin") if are_pinned(chosen) else tr("Pin"))
        self.chosen.emit()

    def _keep(self) -> None:
        """Remember what is chosen and where one looks: the rows are about to change places."""
        self._kept = tuple(one.digest for one in self.descriptions())
        current = self.currentIndex().data(DESCRIPTION_ROLE)
        self._kept_current = current.digest if isinstance(current, Description) else ""
        self._kept_scroll = self.verticalScrollBar().value()

    def _restore(self) -> None:
        flags = QItemSelectionModel.SelectionFlag
        current = self._pictures.index_of(self._kept_current)
        if current.isValid():
            self.selectionModel().setCurrentIndex(current, flags.NoUpdate)
        selection = QItemSelection()
        for index in filter(lambda index: index.isValid(), map(self._pictures.index_of, self._kept)):
            selection.select(index, index)
        self.selectionModel().select(selection, flags.ClearAndSelect)
        self.executeDelayedItemsLayout()
        self.verticalScrollBar().setValue(self._kept_scroll)
        self._tell()


def are_pinned(descriptions: tuple[Description, ...]) -> bool:
    """Whether they all stay already, so that to pin means to unpin."""
    return bool(descriptions) and all(one.pinned for one in descriptions)
