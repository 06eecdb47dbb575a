"""One number that matters, with its name above and a remark below."""

from __future__ import annotations

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget


class Figure(QFrame):
    """A card of three lines; `tell` fills it."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._name = _label(name, "muted")
        self._number = _label("–", "hero")
        self._remark = _label("", "help")
        font = QFont(self._number.font())
        font.setFeature(QFont.Tag("tnum"), 1)  # digits of one width, so that the number does not tremble
        self._number.setFont(font)
        # All of one width, whatever they say.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 8, 10)
        layout.setSpacing(1)
        for label in (self._name, self._number, self._remark):
            layout.addWidget(label)

    def tell(self, number: str, remark: str = "") -> None:
        """Show a number and what is to be said about it."""
        self._number.setText(number)
        self._remark.setText(remark)


def _label(text: str, name: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    return label
