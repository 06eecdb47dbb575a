"""What stands where nothing is to be shown yet: one sentence, and the one thing that helps."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout

from app.gui.commands import Commands
from app.gui.widgets.base_url_button import BaseUrlButton
from app.i18n import tr
from app.state import Snapshot


class EmptyState(QFrame):
    """Follows the snapshots it is told."""

    def __init__(self, snapshot: Snapshot, commands: Commands) -> None:
        super().__init__()
        self.setObjectName("card")
        self._sentence = QLabel()
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._sentence.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        layout.addWidget(self._sentence)
        layout.addSpacing(10)
        self.copy = BaseUrlButton(commands)
        self.settings = QPushButton(tr("Settings…"))
        self.settings.clicked.connect(commands.settings_asked)
        for button in (self.copy, self.settings):
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self.tell(snapshot)

    def tell(self, snapshot: Snapshot) -> None:
        """Say what is missing."""
        self.copy.setVisible(bool(snapshot.address))
        self.settings.setVisible(not snapshot.address)
        if snapshot.address:
            text = tr("No request yet. Give your coding agent this proxy's base URL, and its requests appear here.")
        else:
            text = tr("The proxy is not listening. Choose another port in the settings.")
        self._sentence.setText(text)
