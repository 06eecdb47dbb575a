"""What stands where no picture is: why there is none, and what helps."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout

from app.gui.commands import Commands
from app.i18n import tr
from app.settings.schema import Settings

MARGIN = 140


class PicturesEmpty(QFrame):
    """cleared: the search shall end."""

    cleared = Signal()

    def __init__(self, commands: Commands) -> None:
        super().__init__()
        self.setObjectName("card")
        self.sentence = QLabel()
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.sentence.setWordWrap(True)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.settings = QPushButton(tr("Settings…"))
        self.settings.clicked.connect(commands.settings_asked)
        self.clear = QPushButton(tr("Show all"))
        self.clear.clicked.connect(self.cleared)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.addStretch(1)
        layout.addWidget(self.sentence)
        layout.addSpacing(10)
        for button in (self.settings, self.clear):
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)

    def tell(self, search: str, settings: Settings) -> None:
        """Say why there is nothing: a search without finds, descriptions turned off, or simply no picture yet."""
        is_wanted = settings.image_age_threshold or settings.image_strategy == "describe"
        is_off = not search and not (is_wanted and settings.generate_image_descriptions)
        self.clear.setVisible(bool(search))
        self.settings.setVisible(is_off)
        if search:
            text = tr("No description holds “{words}”.", words=search)
        elif is_off:
            text = tr("Pictures are not described: the settings turn it off.")
        else:
            text = tr(
                "No picture yet. When a conversation leaves a picture behind, a description takes its place there,"
                " so that the picture need not be sent and paid for again. It appears here, and you can change it."
            )
        self.sentence.setText(text)
