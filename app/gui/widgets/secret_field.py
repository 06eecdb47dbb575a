"""A field for a key: masked, with an eye to look at it, and what is pasted loses the spaces around it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QWidget

from app.gui.icons import themed_icon
from app.i18n import tr


class SecretField(QLineEdit):
    """Holds only what the user typed; a stored key is told by the placeholder and never written in here."""

    def __init__(self, *, dark: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dark = dark
        self._eye = QAction(self)
        self._eye.setCheckable(True)
        self._eye.toggled.connect(self._reveal)
        self.addAction(self._eye, QLineEdit.ActionPosition.TrailingPosition)
        hints = Qt.InputMethodHint
        self.setInputMethodHints(hints.ImhHiddenText | hints.ImhNoPredictiveText | hints.ImhSensitiveData)
        self._reveal(False)

    def key(self) -> str:
        """What was typed, without spaces and line ends around it."""
        return self.text().strip()

    def clear_key(self) -> None:
        """Forget what was typed, the history of edits included, and mask again."""
        self.clear()
        self._eye.setChecked(False)

    def _reveal(self, is_shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if is_shown else QLineEdit.EchoMode.Password)
        self._eye.setIcon(themed_icon("eye-off" if is_shown else "eye", dark=self._dark))
        self._eye.setToolTip(tr("Hide the key") if is_shown else tr("Show the key"))
