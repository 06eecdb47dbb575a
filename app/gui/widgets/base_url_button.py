"""The button that copies the address a client must be given, in either style."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from app.gui.commands import Commands
from app.i18n import tr
from proxy_core.settings import DialectName


class BaseUrlButton(QPushButton):
    """Opens a menu of the two styles."""

    def __init__(self, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(tr("Copy base URL"), parent)
        self.setProperty("menu", "yes")
        menu = QMenu(self)
        menu.addAction("OpenAI").triggered.connect(lambda: commands.copy_base_url(DialectName.OPENAI))
        menu.addAction("Anthropic").triggered.connect(lambda: commands.copy_base_url(DialectName.ANTHROPIC))
        self.setMenu(menu)
