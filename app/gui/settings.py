"""The settings dialog: pages of rows made from the declarations, applied as one change or not at all."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.gui.commands import Commands
from app.gui.form import FormRow, make_row
from app.gui.icons import app_icon
from app.gui.widgets.key_box import KeyBox
from app.gui.widgets.ratio_box import RatioBox
from app.i18n import tr
from app.settings.describe import SettingRow, describe_settings

SERVER_FIELD = "current_server"
ACCESS_FIELD = "require_access_key"
ADVANCED = "advanced"
PAGE_ITEM_HEIGHT = 36
PAGE_OF_GROUP = {"upstream": "upstream", "server": "server", "models": "models", "desktop": "desktop"}
"""Where the plain settings of a group are shown; those of other groups, and advanced ones, go to the last page."""
WHOLE_GROUPS = ("context", "logging")
"""These have a page for all their settings, the advanced ones at its end."""


class SettingsDialog(QDialog):
    """Shows what holds now. Save applies what differs; if that is refused, the reason is shown and all stays."""

    def __init__(self, commands: Commands, *, dark: bool) -> None:
        super().__init__()
        self._commands = commands
        self.setWindowTitle(tr("Settings"))
        self.setWindowIcon(app_icon())
        self.setModal(False)
        self.rows: dict[str, FormRow] = {}
        self._before: dict[str, object] = {}
        self.key_box = KeyBox(commands, dark=dark)
        self.ratios = RatioBox(commands.ratios)
        self.copy_access_key = QPushButton(tr("Copy access key"))
        self._extras = {SERVER_FIELD: self.key_box, ACCESS_FIELD: self.copy_access_key}
        self.pages = QListWidget()
        self._stack = QStackedWidget()
        self.message = QLabel()
        self.save = QPushButton(tr("Save"))
        self._add_pages()
        self._arrange()
        self._connect()
        self.resize(780, 600)

    def _add_pages(self) -> None:
        titles = {
            "upstream": tr("Server and key"),
            "server": tr("Address and access"),
            "models": tr("Models"),
            "context": tr("Context"),
            "logging": tr("Logging"),
            "desktop": tr("Desktop"),
            ADVANCED: tr("Advanced"),
        }
        shown = list(describe_settings())
        for page, title in titles.items():
            rows = [row for row in shown if page_of(row) == page]
            self._stack.addWidget(_scrolled(self._page(page, title, rows)))
            self.pages.addItem(title)
            self.pages.item(self.pages.count() - 1).setSizeHint(QSize(0, PAGE_ITEM_HEIGHT))

    def _page(self, page: str, title: str, rows: list[SettingRow]) -> QWidget:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(4, 4, 16, 12)
        layout.setSpacing(18)
        layout.addWidget(_label(title, "title"))
        before = ""
        for row in sorted(rows, key=lambda row: page in WHOLE_GROUPS and row.advanced):
            section = section_title(page, row)
            if section != before:
                before = section
                layout.addWidget(_label(section, "section"))
            layout.addWidget(self._row(row))
            if row.field in self._extras:
                layout.addWidget(self._extras[row.field])
        if page == "context":
            layout.addWidget(self.ratios)
        layout.addStretch(1)
        return content

    def _row(self, row: SettingRow) -> FormRow:
        words = self._commands.server_names if row.field == SERVER_FIELD else ()
        value = getattr(self._commands.settings, row.field)
        # The server can be switched in any case, here as in the menu: its key is entered here.
        is_locked = row.field != SERVER_FIELD
        made = make_row(row, value, self._commands.fixed_by(row.field), words, is_locked=is_locked)
        self.rows[row.field] = made
        self._before[row.field] = made.value()
        return made

    def _arrange(self) -> None:
        self.pages.setObjectName("pages")
        self.pages.setFixedWidth(176)
        self.message.setWordWrap(True)
        self.save.setObjectName("primary")
        self.save.setDefault(True)
        cancel = QPushButton(tr("Cancel"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        columns, buttons = QHBoxLayout(), QHBoxLayout()
        columns.setSpacing(16)
        columns.addWidget(self.pages)
        columns.addWidget(self._stack, 1)
        buttons.addWidget(self.message, 1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.addLayout(columns, 1)
        layout.addLayout(buttons)

    def _connect(self) -> None:
        self.pages.currentRowChanged.connect(self._stack.setCurrentIndex)
        self.pages.setCurrentRow(0)
        self.save.clicked.connect(self._start_save)
        self.copy_access_key.setFixedWidth(self.copy_access_key.sizeHint().width())
        self.copy_access_key.setAutoDefault(False)
        self.copy_access_key.setEnabled(self._commands.has_access_key)
        self.copy_access_key.clicked.connect(self._commands.copy_access_key)
        QShortcut(QKeySequence.StandardKey.Close, self, self.reject)
        server = self.rows[SERVER_FIELD].control.widget
        if isinstance(server, QComboBox):
            server.currentIndexChanged.connect(self._turn_to_server)
        self._turn_to_server()
        self.key_box.field.setFocus()

    def _turn_to_server(self) -> None:
        self.key_box.show_server(str(self.rows[SERVER_FIELD].value()))

    def changes(self) -> dict[str, object]:
        """What differs from what was shown first."""
        return {field: row.value() for field, row in self.rows.items() if row.value() != self._before[field]}

    def _start_save(self) -> None:
        self.save.setEnabled(False)
        self._say(tr("Saving…"), "help")  # the keyring may have to ask for its password first
        self._commands.tasks.spawn(self._save(), self._refuse)

    async def _save(self) -> None:
        changes = self.changes()
        if changes:
            await self._commands.apply(changes)
            self._before |= {field: self.rows[field].value() for field in changes}
        await self.key_box.keep()
        self.save.setEnabled(True)
        self.accept()

    def _refuse(self, words: str) -> None:
        self._say(words, "error")
        self.save.setEnabled(True)

    def _say(self, text: str, name: str) -> None:
        self.message.setObjectName(name)
        self.message.setText(text)
        self.message.style().polish(self.message)


def page_of(row: SettingRow) -> str:
    """The page that shows a setting."""
    if row.group in WHOLE_GROUPS:
        return row.group
    return ADVANCED if row.advanced else PAGE_OF_GROUP.get(row.group, ADVANCED)


def section_title(page: str, row: SettingRow) -> str:
    """The heading within a page that a setting stands under; "" for none."""
    if page == ADVANCED:
        return group_title(row.group)
    return tr("Advanced") if row.advanced else ""


def group_title(group: str) -> str:
    """The heading of a group among the advanced settings."""
    titles = {
        "server": tr("Listener"),
        "upstream": tr("Server"),
        "models": tr("Models"),
        "timeouts": tr("Timeouts"),
    }
    return titles.get(group, group)


def _label(text: str, name: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    return label


def _scrolled(content: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
