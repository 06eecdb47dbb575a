"""Small pictures for the views that ask for them: read and decoded off the loop, the last asked first, few kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from shiboken6 import isValid

from app.gui.tasks import Tasks
from proxy_core.stores.descriptions import DescriptionStore

MOST_KEPT = 400
MOST_WANTED = 200
"""What was asked for longer ago has been scrolled out of sight; it is asked for again when it comes back."""
MOST_READERS = 2


class Thumbnails(QObject):
    """arrived: the digest of a picture of which `get` now knows. side: room for it, in pixels of the screen."""

    arrived = Signal(str)

    def __init__(self, store: DescriptionStore, tasks: Tasks, room: QSize, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._tasks = tasks
        self._room = room
        self._kept: OrderedDict[str, QPixmap] = OrderedDict()
        self._wanted: OrderedDict[str, None] = OrderedDict()
        self._missing: set[str] = set()
        self._readers = 0

    def get(self, digest: str) -> QPixmap | None:
        """The picture, if it is here; else it is fetched, unless there is none (see `is_missing`)."""
        if digest in self._kept:
            self._kept.move_to_end(digest)
            return self._kept[digest]
        if digest not in self._missing:
            self._want(digest)
        return None

    def is_missing(self, digest: str) -> bool:
        """Whether there is no picture, however long one waits."""
        return digest in self._missing

    def forget_missing(self) -> None:
        """There may be some by now."""
        self._missing.clear()

    def _want(self, digest: str) -> None:
        self._wanted[digest] = None
        self._wanted.move_to_end(digest)
        if len(self._wanted) > MOST_WANTED:
            self._wanted.popitem(last=False)
        if self._readers < MOST_READERS:
            self._readers += 1
            self._tasks.spawn(self._read_all())

    async def _read_all(self) -> None:
        try:
            while self._wanted:
                digest, _ = self._wanted.popitem()
                await self._read(digest)
        finally:
            self._readers -= 1

    async def _read(self, digest: str) -> None:
        data = await self._store.thumbnail(digest)
        image = await asyncio.to_thread(decoded, data, self._room) if data else None
        if not isValid(self):  # the window was renewed meanwhile
            self._wanted.clear()
            return
        if image is None:
            self._missing.add(digest)
        else:
            self._kept[digest] = QPixmap.fromImage(image)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self.arrived.emit(digest)


def decoded(data: bytes, room: QSize) -> QImage | None:
    """The picture of a file, no larger than the room; None for what is none. For a thread."""
    image = QImage.fromData(data)
    if image.isNull():
        return None
    fits = image.width() <= room.width() and image.height() <= room.height()
    modes = (Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    return image if fits else image.scaled(room, *modes)
