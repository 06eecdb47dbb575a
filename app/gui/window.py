"""The window: how it stands in one line, what should be known, and the pages."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMainWindow, QPushButton, QTabWidget, QVBoxLayout, QWidget

from app.gui.bridge import Bridge
from app.gui.commands import Commands
from app.gui.icons import app_icon
from app.gui.models.exchange_table import ExchangeTable
from app.gui.pages.dry_run import DryRunPage
from app.gui.pages.live import LivePage
from app.gui.pages.pictures import PicturesPage
from app.gui.pages.requests import RequestsPage
from app.gui.theme import Theme
from app.gui.tray import tray_state
from app.gui.widgets.base_url_button import BaseUrlButton
from app.gui.widgets.calm_wheel import calm_wheel
from app.gui.widgets.notices import NoticeBar, NoticeList
from app.i18n import tr
from app.state import Snapshot

REMARK_MS = 4_000
GEOMETRY = "window/geometry"


class MainWindow(QMainWindow):
    """Shows facts and passes on what is chosen. close_asked: the user closes it; whoever hears decides what follows."""

    close_asked = Signal()
    settings_asked = Signal()
    quit_asked = Signal()

    def __init__(
        self, bridge: Bridge, commands: Commands, theme: Theme, notices: NoticeList, memory: QSettings
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._memory = memory
        self._may_close = False
        self.setWindowTitle("Anthropic Proxy")
        self.setWindowIcon(app_icon())
        self.header = Header(commands, theme)
        self.header.settings.clicked.connect(self.settings_asked)
        table = ExchangeTable(lambda: theme.colours, self)
        self.pages = QTabWidget()
        self.pages.addTab(LivePage(bridge, commands, theme, table), tr("Live"))
        self.pages.addTab(RequestsPage(bridge, commands, table), tr("Requests"))
        self.pages.addTab(PicturesPage(commands.descriptions, commands, theme), tr("Pictures"))
        self.pages.addTab(DryRunPage(commands), tr("Dry run"))
        self._arrange(NoticeBar(notices))
        bridge.listed.connect(table.set_rows)
        bridge.changed.connect(self.header.show_facts)
        commands.said.connect(self.header.remark)
        self.header.show_facts(bridge.snapshot)
        self._bind_keys()
        self._restore()

    def _arrange(self, notices: NoticeBar) -> None:
        self.pages.setDocumentMode(True)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(20, 14, 20, 18)
        layout.setSpacing(10)
        layout.addWidget(self.header)
        layout.addWidget(notices)
        layout.addWidget(self.pages, 1)
        self.setCentralWidget(content)
        # Without this the list of servers would have the focus from the start.
        content.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        content.setFocus()

    def _bind_keys(self) -> None:
        QShortcut(QKeySequence("Ctrl+,"), self, self.settings_asked.emit)
        QShortcut(QKeySequence("Ctrl+Q"), self, self.quit_asked.emit)
        QShortcut(QKeySequence.StandardKey.Close, self, self.close)
        for number in range(self.pages.count()):
            QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self, partial(self.pages.setCurrentIndex, number))

    def _restore(self) -> None:
        self.setMinimumSize(860, 560)
        self.resize(1180, 740)
        geometry = self._memory.value(GEOMETRY)
        if geometry is not None:
            self.restoreGeometry(geometry)

    def come_up(self) -> None:
        """Show, in front, whatever state it was in."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def leave(self) -> None:
        """Close for good, without asking."""
        self._may_close = True
        self._memory.setValue(GEOMETRY, self.saveGeometry())
        self.close()

    def showEvent(self, event: QShowEvent) -> None:
        """From now on lists and curves are worth their cost."""
        super().showEvent(event)
        self._bridge.watch(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: no lists, no curves."""
        super().hideEvent(event)
        self._bridge.watch(False)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing is a wish: somebody who knows of the tray decides."""
        if self._may_close:
            event.accept()
            return
        event.ignore()
        self._memory.setValue(GEOMETRY, self.saveGeometry())
        self.close_asked.emit()


class Header(QWidget):
    """State, address, server, and the few things one does often."""

    def __init__(self, commands: Commands, theme: Theme) -> None:
        super().__init__()
        self._commands = commands
        self._theme = theme
        self._snapshot = Snapshot()
        self.state = QLabel()
        self.server = QComboBox()
        self.copy = BaseUrlButton(commands)
        self.pause = QPushButton()
        self.settings = QPushButton(tr("Settings…"))
        self._fade = QTimer(self)
        self._fade.setSingleShot(True)
        self._fade.timeout.connect(self._tell_state)
        self._arrange()
        self.pause.clicked.connect(commands.toggle_pause)
        self.server.activated.connect(self._choose)
        theme.changed.connect(self._tell_state)

    def _arrange(self) -> None:
        self.state.setObjectName("title")
        self.state.setTextFormat(Qt.TextFormat.RichText)
        self.server.setMinimumWidth(130)
        calm_wheel(self.server)
        self.server.setAccessibleName(tr("Server"))
        label = QLabel(tr("Server"))
        label.setBuddy(self.server)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.state, 1)
        for part in (label, self.server, self.copy, self.pause, self.settings):
            layout.addWidget(part)

    def show_facts(self, snapshot: Snapshot) -> None:
        """Bring everything up to date."""
        self._snapshot = snapshot
        self.pause.setText(tr("Resume proxy") if snapshot.paused else tr("Pause proxy"))
        self.copy.setEnabled(bool(snapshot.address))
        self.pause.setEnabled(bool(snapshot.address))
        self._sync_servers()
        if not self._fade.isActive():
            self._tell_state()

    def _sync_servers(self) -> None:
        names = [self.server.itemText(number) for number in range(self.server.count())]
        if tuple(names) != self._snapshot.servers:
            self.server.clear()
            self.server.addItems(list(self._snapshot.servers))
        if not self.server.view().isVisible():
            self.server.setCurrentText(self._snapshot.server)

    def _choose(self, number: int) -> None:
        """The choice shows when the switch has happened, not when it was asked for."""
        name = self.server.itemText(number)
        self.server.setCurrentText(self._snapshot.server)
        self._commands.switch_server(name)

    def remark(self, text: str) -> None:
        """Say something in passing, in the place of the state."""
        self.state.setText(text)
        self._fade.start(REMARK_MS)

    def _tell_state(self) -> None:
        colours = self._theme.colours
        snapshot = self._snapshot
        words, colour = {
            "normal": (tr("Running on {address}", address=snapshot.address), colours.good),
            "paused": (tr("Paused: requests are turned away"), colours.warning),
            "error": (
                tr("Running on {address}, but the last request failed", address=snapshot.address),
                colours.danger,
            ),
        }[tray_state(snapshot)]
        if not snapshot.address:
            words = tr("Not listening")
        self.state.setText(f'<span style="color:{colour}">●</span>&nbsp; {words}')
