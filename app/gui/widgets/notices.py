"""The bar above the pages: what the user should know, one line each, with one button where one helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr

NoticeKind: TypeAlias = Literal["info", "warning", "error"]
MAX_SHOWN = 4
"""More would push the pages away; the rest comes up as the first ones are dismissed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to know. key: a later notice of the same key takes its place. button: label of the one action."""

    key: str
    text: str
    kind: NoticeKind = "info"
    button: str = ""
    action: Callable[[], None] | None = None


class NoticeList:
    """The notices there are, whether a window shows them or not; it outlives windows."""

    def __init__(self) -> None:
        self._notices: dict[str, Notice] = {}
        self._listener: Callable[[], None] | None = None

    def put(self, notice: Notice) -> None:
        """Add one, or replace the one of the same key."""
        if self._notices.get(notice.key) != notice:
            self._notices[notice.key] = notice
            self._tell()

    def drop(self, key: str) -> None:
        """Take one away, if it is there."""
        if self._notices.pop(key, None):
            self._tell()

    def all(self) -> tuple[Notice, ...]:
        """What there is to know, oldest first."""
        return tuple(self._notices.values())

    def listen(self, listener: Callable[[], None] | None) -> None:
        """Whom to tell of changes: the window there is now."""
        self._listener = listener

    def _tell(self) -> None:
        if self._listener:
            self._listener()


class NoticeBar(QWidget):
    """Shows a NoticeList; takes no room while it is empty."""

    def __init__(self, notices: NoticeList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        notices.listen(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what the list holds now."""
        while (item := self._layout.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        shown = self._notices.all()[:MAX_SHOWN]
        for notice in shown:
            self._layout.addWidget(self._line(notice))
        self.setVisible(bool(shown))

    def _line(self, notice: Notice) -> QFrame:
        line = QFrame()
        line.setObjectName("notice")
        line.setProperty("kind", notice.kind)
        row = QHBoxLayout(line)
        row.setContentsMargins(14, 6, 8, 6)
        text = QLabel(notice.text)
        text.setWordWrap(True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(text, 1)
        if notice.button and notice.action:
            row.addWidget(_button(notice.button, notice.action))
        row.addWidget(_button(tr("Dismiss"), lambda: self._notices.drop(notice.key)))
        return line


def _button(text: str, action: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName("link")
    button.clicked.connect(lambda: action())
    return button
