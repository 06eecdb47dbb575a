"""What is known of the chosen picture: itself in large, its words to read and to change, where they come from."""

from __future__ import annotations

import time
from datetime import datetime

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QPixmap, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout

from app.gui.widgets.picture_grid import are_pinned
from app.gui.words import ago, bytes_words, compact
from app.i18n import tr
from proxy_core.stores.descriptions import MOST_CHARS, Description

WIDTH = 340
PICTURE = QSize(WIDTH - 34, 190)
ROOMY = 520
"""Pixels of height from which on there is room for the picture, too."""


class PictureDetails(QFrame):
    """edited: (digest, words) to be kept. What was typed and not saved is still there when one comes back to it."""

    edited = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setFixedWidth(WIDTH)
        self._one: Description | None = None
        self._drafts: dict[str, str] = {}
        self.picture = QLabel()
        self.head = QLabel()
        self.text = QPlainTextEdit()
        self.save = QPushButton(tr("Save"))
        self.revert = QPushButton(tr("Revert"))
        self.facts = QLabel()
        self.pin = QPushButton()
        self.describe_again = QPushButton(tr("Describe again"))
        self.delete = QPushButton(tr("Delete…"))
        self._arrange()
        self._connect()
        self.show_chosen(())

    def _arrange(self) -> None:
        self.picture.setFixedHeight(PICTURE.height())
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setObjectName("picture")
        for label, name in ((self.head, "section"), (self.facts, "help")):
            label.setObjectName(name)
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setMinimumHeight(64)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(tr("Description"))
        self.text.setPlaceholderText(tr("Without words, the upstream sees a placeholder."))
        self.save.setObjectName("primary")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(8)
        for widget in (self.head, self.picture):
            layout.addWidget(widget)
        layout.addWidget(self.text, 1)
        layout.addLayout(self._saving())
        layout.addWidget(self.facts)
        layout.addLayout(self._buttons())

    def _saving(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.revert)
        row.addWidget(self.save)
        return row

    def _buttons(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(8)
        grid.addWidget(self.describe_again, 0, 0, 1, 2)
        grid.addWidget(self.pin, 1, 0)
        grid.addWidget(self.delete, 1, 1)
        return grid

    def _connect(self) -> None:
        self.text.textChanged.connect(self._note_draft)
        self.save.clicked.connect(self._save)
        self.revert.clicked.connect(self._revert)
        for keys in ("Ctrl+S", "Ctrl+Return"):
            QShortcut(QKeySequence(keys), self, self._save, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def show_chosen(self, chosen: tuple[Description, ...]) -> None:
        """Tell of these; words that are being changed stay as they are."""
        one = chosen[0] if len(chosen) == 1 else None
        is_same = bool(one and self._one and one.digest == self._one.digest)
        self._one = one
        self.head.setText(_head(chosen))
        self.head.setVisible(one is None)
        self.facts.setText(_facts(one, time.time()) if one else "")
        for widget in (self.text, self.save, self.revert, self.facts):
            widget.setVisible(one is not None)
        self._show_room()
        for button in (self.pin, self.describe_again, self.delete):
            button.setVisible(bool(chosen))
        self.pin.setText(tr("Unpin") if are_pinned(chosen) else tr("Pin"))
        self._show_words(keep_cursor=is_same)

    def show_picture(self, digest: str, picture: QPixmap | None) -> None:
        """The chosen picture has come; None: there is none to show."""
        if self._one is None or self._one.digest != digest:
            return
        if picture is None:
            self.picture.setText(tr("No preview"))
        else:
            is_small = picture.width() <= PICTURE.width() and picture.height() <= PICTURE.height()
            modes = (Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
            self.picture.setPixmap(picture if is_small else picture.scaled(PICTURE, *modes))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The words come before the picture, which is in the grid as well."""
        super().resizeEvent(event)
        self._show_room()

    def _show_room(self) -> None:
        self.picture.setVisible(self._one is not None and self.height() >= ROOMY)

    @property
    def digest(self) -> str:
        """Of the picture that is shown; "" for none."""
        return self._one.digest if self._one else ""

    def forget_draft(self, digest: str) -> None:
        """The words were kept, or shall not be."""
        self._drafts.pop(digest, None)

    def _words(self) -> str:
        return "" if self._one is None else self._drafts.get(self._one.digest, self._one.text)

    def _show_words(self, *, keep_cursor: bool) -> None:
        words = self._words()
        if not keep_cursor or self.text.toPlainText() != words:
            self.text.setPlainText(words)
        self._show_saving()

    def _note_draft(self) -> None:
        if self._one is None:
            return
        words = self.text.toPlainText()
        if words == self._one.text:
            self._drafts.pop(self._one.digest, None)
        else:
            self._drafts[self._one.digest] = words
        self._show_saving()

    def _show_saving(self) -> None:
        is_changed = self._one is not None and self._one.digest in self._drafts
        is_long = len(self.text.toPlainText()) > MOST_CHARS
        self.save.setEnabled(is_changed and not is_long)
        self.save.setToolTip(tr("At most {count} characters.", count=compact(MOST_CHARS)) if is_long else "")
        self.revert.setEnabled(is_changed)

    def _save(self) -> None:
        if self._one is not None and self.save.isEnabled():
            self.edited.emit(self._one.digest, self.text.toPlainText())

    def _revert(self) -> None:
        if self._one is not None:
            self.forget_draft(self._one.digest)
            self._show_words(keep_cursor=False)


def _head(chosen: tuple[Description, ...]) -> str:
    if not chosen:
        return tr("Choose a picture to read and change what the upstream sees in its place.")
    return tr("{count} pictures are chosen.", count=len(chosen))


def _facts(one: Description, now: float) -> str:
    made = datetime.fromtimestamp(one.made_at).astimezone().strftime("%Y-%m-%d %H:%M")
    model = tr("Edited by hand; described by {model}", model=one.model) if one.edited else one.model
    size = f"{one.width} × {one.height}" if one.width else ""
    kept = bytes_words(one.picture_bytes) if one.picture_bytes else ""
    used = tr("used {count}×", count=compact(one.hits))
    last = tr("last used {time}", time=ago(now - one.last_used_at)) if one.last_used_at else ""
    lines = [
        model,
        " · ".join(filter(None, (made, used, last))),
        " · ".join(filter(None, (one.media_type, size, kept))),
        tr("Sent with: {words}", words=one.context) if one.context else "",
        tr("Will be described again when a client next sends it.") if one.is_to_be_made_again else "",
    ]
    return "\n".join(filter(None, lines))
