"""The pictures that were described: to look through, and to change what the upstream sees in their place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QKeySequence, QPixmap, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from app.gui.commands import Commands
from app.gui.models.picture_list import Order, PictureList
from app.gui.models.thumbnails import Thumbnails, decoded
from app.gui.theme import Theme
from app.gui.widgets.calm_wheel import calm_wheel
from app.gui.widgets.picture_card import PICTURE
from app.gui.widgets.picture_details import PictureDetails
from app.gui.widgets.picture_grid import PictureGrid, are_pinned
from app.gui.widgets.pictures_empty import PicturesEmpty
from app.gui.words import bytes_words, compact
from app.i18n import tr
from proxy_core.stores.descriptions import Description, DescriptionStore, StoreSize

BEAT_MS = 500
REST = 10
"""After reading a large store, look away for so many times as long."""
SEARCH_MS = 200
LARGEST = QSize(1024, 1024)


class PicturesPage(QWidget):
    """Looks at the store's revision while it shows, and reads the store only when that moved."""

    def __init__(self, store: DescriptionStore, commands: Commands, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._commands = commands
        self._seen = -1
        self._is_reading = False
        self._picture_of = ""
        self._thumbnails = Thumbnails(store, commands.tasks, PICTURE * self.devicePixelRatio(), self)
        self.model = PictureList(self._thumbnails, self)
        self.grid = PictureGrid(self.model, lambda: theme.colours)
        self.details = PictureDetails()
        self.head = QWidget()
        self.search, self.order = QLineEdit(), QComboBox()
        self.size_label, self.error = QLabel(), QLabel()
        self.empty = PicturesEmpty(commands)
        self.stack = QStackedWidget()
        self._beat = QTimer(self)
        self._pause = QTimer(self)
        self._arrange()
        self._connect()
        theme.changed.connect(self.grid.viewport().update)

    def _arrange(self) -> None:
        content = QWidget()
        columns = QHBoxLayout(content)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(6)  # beside the scroll bar
        columns.addWidget(self.grid, 1)
        columns.addWidget(self.details)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(content)
        head = QHBoxLayout(self.head)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(8)
        head.addWidget(self.search, 1)
        head.addWidget(self.order)
        head.addStretch(1)
        head.addWidget(self.size_label)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self.head)
        layout.addWidget(self.error)
        layout.addWidget(self.stack, 1)
        self._prepare_head()

    def _prepare_head(self) -> None:
        self.search.setPlaceholderText(tr("Search in text, model and context"))
        self.search.setAccessibleName(tr("Search"))
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(280)
        titles = {Order.NEWEST: tr("Newest"), Order.LAST_USED: tr("Last used"), Order.MOST_USED: tr("Most used")}
        for order, title in titles.items():
            self.order.addItem(title, order)
        self.order.setAccessibleName(tr("Order"))
        calm_wheel(self.order)
        self.size_label.setObjectName("muted")
        self.error.setObjectName("error")
        self.error.setWordWrap(True)
        self.error.hide()

    def _connect(self) -> None:
        self._beat.setInterval(BEAT_MS)
        self._beat.timeout.connect(self.look)
        self._pause.setSingleShot(True)
        self._pause.setInterval(SEARCH_MS)
        self._pause.timeout.connect(self.look_anew)
        self.search.textChanged.connect(self._pause.start)
        self.order.currentIndexChanged.connect(self.look_anew)
        self.empty.cleared.connect(self.search.clear)
        self._bind_keys()
        self._connect_grid()
        for button, action in (
            (self.details.pin, self.grid.pin),
            (self.details.describe_again, self.grid.describe_again),
            (self.details.delete, self.grid.delete),
        ):
            button.clicked.connect(action.trigger)
        self.details.edited.connect(self._save)

    def _bind_keys(self) -> None:
        within = Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut(QKeySequence.StandardKey.Find, self, self.search.setFocus, context=within)
        QShortcut(QKeySequence("Escape"), self.search, self.search.clear, context=Qt.ShortcutContext.WidgetShortcut)

    def _connect_grid(self) -> None:
        grid = self.grid
        grid.chosen.connect(self._show_chosen)
        grid.edit_text.triggered.connect(self.details.text.setFocus)
        grid.copy_text.triggered.connect(self._copy)
        grid.pin.triggered.connect(self._pin)
        grid.describe_again.triggered.connect(self._describe_again)
        grid.delete.triggered.connect(self._ask_to_delete)

    def showEvent(self, event: QShowEvent) -> None:
        """Look now, and as long as it shows."""
        super().showEvent(event)
        self._thumbnails.forget_missing()
        self._beat.start()
        self.look_anew()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks."""
        super().hideEvent(event)
        self._beat.stop()

    def look(self) -> None:
        """Read the store if it changed since it was last read."""
        if self._is_reading or self._store.revision == self._seen:
            return
        self._is_reading = True
        self._seen = self._store.revision
        self._commands.tasks.spawn(self._read(self.search.text().strip()), self._say_error)

    def look_anew(self) -> None:
        """Read the store in any case: now, or when the reading that runs has ended."""
        self._seen = -1
        self.look()

    async def _read(self, words: str) -> None:
        began = time.monotonic()
        try:
            found = await self._store.list(words)
            size = await self._store.size()
        finally:
            self._is_reading = False
        if not isValid(self):  # the window was renewed meanwhile
            return
        self._beat.setInterval(max(BEAT_MS, round((time.monotonic() - began) * 1000 * REST)))
        self.model.set_descriptions(found, Order(self.order.currentData()))
        self.size_label.setText(_size_words(size))
        self.empty.tell(words if size.pictures else "", self._commands.settings)
        self.stack.setCurrentIndex(1 if found else 0)
        self.head.setVisible(bool(size.pictures) or bool(self.search.text()))

    def _show_chosen(self) -> None:
        chosen = self.grid.descriptions()
        self.details.show_chosen(chosen)
        digest = self.details.digest
        if digest and digest != self._picture_of:
            self.details.show_picture(digest, QPixmap())
            self._commands.tasks.spawn(self._fetch(digest))
        self._picture_of = digest

    async def _fetch(self, digest: str) -> None:
        data = await self._store.thumbnail(digest)
        image = await asyncio.to_thread(decoded, data, LARGEST) if data else None
        if isValid(self):
            self.details.show_picture(digest, QPixmap.fromImage(image) if image else None)

    def _copy(self) -> None:
        text = "\n\n".join(one.text for one in self.grid.descriptions())
        self._commands.copy_text(text, tr("Description copied."))

    def _save(self, digest: str, words: str) -> None:
        async def save() -> None:
            kept = await self._store.edit(digest, words)
            if kept is not None and isValid(self):
                self.details.forget_draft(digest)
            self._after(is_done=kept is not None, words=tr("Saved. This is what the upstream sees from now on."))

        self._commands.tasks.spawn(save(), self._say_error)

    def _pin(self) -> None:
        chosen = self.grid.descriptions()
        pinned = not are_pinned(chosen)
        words = tr("Pinned: it stays however full the store is.") if pinned else tr("No longer pinned.")
        self._do(chosen, lambda digest: self._store.pin(digest, pinned=pinned), words)

    def _describe_again(self) -> None:
        words = tr("Will be described again when a client next sends it.")
        self._do(self.grid.descriptions(), self._store.describe_again, words)

    def _ask_to_delete(self) -> None:
        chosen = self.grid.descriptions()
        if not chosen:
            return
        box = QMessageBox(self)
        box.setWindowTitle(tr("Delete descriptions"))
        box.setText(_question(len(chosen)))
        box.setInformativeText(
            tr("The text cannot be brought back. A picture that is sent again is described anew, at a cost.")
        )
        delete = box.addButton(tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        delete.clicked.connect(lambda: self._do(chosen, self._store.delete, tr("Deleted.")))
        box.setDefaultButton(box.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _do(self, chosen: tuple[Description, ...], verb: Callable[[str], Awaitable[object]], words: str) -> None:
        """One verb on all that are chosen; words: to be said when it is done."""

        async def do_all() -> None:
            done = [await verb(one.digest) for one in chosen]
            self._after(is_done=all(done), words=words)

        self._commands.tasks.spawn(do_all(), self._say_error)

    def _after(self, *, is_done: bool, words: str) -> None:
        if not isValid(self):
            return
        self.look_anew()
        self._say_error("" if is_done else _failure())
        if is_done:
            self._commands.said.emit(words)

    def _say_error(self, words: str) -> None:
        if not isValid(self):
            return
        self.error.setText(words)
        self.error.setVisible(bool(words))


def _question(count: int) -> str:
    if count == 1:
        return tr("Delete this description?")
    return tr("Delete {count} descriptions?", count=count)


def _failure() -> str:
    return tr("Not done: the description is gone, or its folder cannot be written. Look at the folder's permissions.")


def _size_words(size: StoreSize) -> str:
    parts = [
        tr("{count} pictures", count=compact(size.pictures)),
        tr("{count} pinned", count=compact(size.pinned)) if size.pinned else "",
        tr("{used} of {most}", used=bytes_words(size.stored_bytes), most=bytes_words(size.bound_bytes)),
    ]
    return " · ".join(filter(None, parts))
