"""Controls that the wheel would change while one scrolls past them: only a focused one listens to it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QWidget


class CalmWheel(QObject):
    """An event filter, kept by the widget it calms."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the wheel to whoever scrolls."""
        if event.type() is QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False


def calm_wheel(widget: QWidget) -> None:
    """The wheel goes past this one, unless it was chosen first."""
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(CalmWheel(widget))
