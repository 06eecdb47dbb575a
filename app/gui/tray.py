"""The tray icon and its menu. Everything can be reached from the menu: clicks are not given everywhere.

The menu is built once; labels are patched in place, since hosts close an open menu that is rebuilt.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app.gui.commands import Commands
from app.gui.icons import TrayState, tray_icon
from app.gui.theme import Theme
from app.gui.words import status_line
from app.i18n import tr
from app.state import Snapshot
from proxy_core.settings import DialectName

PATIENCE_MS = 4_000
"""How long a desktop may take to bring up its tray before the window is shown instead."""
SEEK_MS = 500
SEEK_LATER_MS = 5_000

Reason = QSystemTrayIcon.ActivationReason


class Tray(QObject):
    """Shows a Snapshot and passes on what is chosen.

    hosted: the icon is there. hostless: no host came in time (once; one may still come).
    """

    window_asked = Signal()
    settings_asked = Signal()
    quit_asked = Signal()
    hosted = Signal()
    hostless = Signal()

    def __init__(self, commands: Commands, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._commands = commands
        self._theme = theme
        self._snapshot: Snapshot | None = None
        self._is_stopping = False
        self._icon: QSystemTrayIcon | None = None
        self._waited_ms = 0
        self._seeker = QTimer(self)
        self._seeker.timeout.connect(self._seek)
        self.menu = QMenu()
        self._servers = QActionGroup(self)
        self._build()
        self.retranslate()
        theme.changed.connect(self._paint)

    def _build(self) -> None:
        self.status = self._add(lambda: None)
        self.status.setEnabled(False)
        self._before_servers = self.menu.addSeparator()
        self._after_servers = self.menu.addSeparator()
        self.copy_menu = QMenu(self.menu)
        self.menu.addMenu(self.copy_menu)
        self.copy_openai = self.copy_menu.addAction("OpenAI")
        self.copy_openai.triggered.connect(lambda: self._commands.copy_base_url(DialectName.OPENAI))
        self.copy_anthropic = self.copy_menu.addAction("Anthropic")
        self.copy_anthropic.triggered.connect(lambda: self._commands.copy_base_url(DialectName.ANTHROPIC))
        self.pause = self._add(self._commands.toggle_pause)
        self.menu.addSeparator()
        self.open_window = self._add(self.window_asked.emit)
        self.open_settings = self._add(self.settings_asked.emit)
        self.menu.addSeparator()
        self.quit = self._add(self.quit_asked.emit)

    def _add(self, slot: Callable[[], None]) -> QAction:
        action = QAction(self.menu)
        action.triggered.connect(lambda: slot())
        self.menu.addAction(action)
        return action

    def retranslate(self) -> None:
        """Say everything in the current language."""
        self.copy_menu.setTitle(tr("Copy base URL"))
        self.open_window.setText(tr("Open window"))
        self.open_settings.setText(tr("Settings…"))
        self.quit.setText(tr("Quit"))
        if self._snapshot:
            self._tell(self._snapshot)

    def show_facts(self, snapshot: Snapshot) -> None:
        """Bring labels, marks and icon up to date."""
        self._snapshot = snapshot
        self._sync_servers(snapshot)
        self._tell(snapshot)
        self._paint()

    def _tell(self, snapshot: Snapshot) -> None:
        line = status_line(snapshot.address, snapshot.server, snapshot.in_flight, paused=snapshot.paused)
        _set_text(self.status, tr("Finishing requests…") if self._is_stopping else line)
        _set_text(self.pause, tr("Resume proxy") if snapshot.paused else tr("Pause proxy"))
        self.copy_menu.setEnabled(bool(snapshot.address) and not self._is_stopping)
        if self._icon:
            self._icon.setToolTip(f"Anthropic Proxy\n{self.status.text()}")

    def _sync_servers(self, snapshot: Snapshot) -> None:
        names = tuple(str(action.data()) for action in self._servers.actions())
        if names != snapshot.servers and not self.menu.isVisible():
            self._replace_servers(snapshot.servers)
        for action in self._servers.actions():
            action.setChecked(action.data() == snapshot.server)

    def _replace_servers(self, names: tuple[str, ...]) -> None:
        for action in self._servers.actions():
            self._servers.removeAction(action)
            self.menu.removeAction(action)
            action.deleteLater()
        for name in names:
            action = QAction(name, self.menu)
            action.setData(name)
            action.setCheckable(True)
            action.triggered.connect(lambda _checked=False, name=name: self._choose(name))
            self._servers.addAction(action)
            self.menu.insertAction(self._after_servers, action)

    def _choose(self, name: str) -> None:
        """The mark moves when the switch has happened, not when it was asked for."""
        if self._snapshot:
            self._sync_servers(self._snapshot)
        self._commands.switch_server(name)

    def say_stopping(self) -> None:
        """Running requests are given their last seconds; all that can be chosen is not to wait for them."""
        self._is_stopping = True
        for action in self.menu.actions():
            action.setEnabled(action is self.quit)
        self.quit.setText(tr("Quit now"))
        if self._snapshot:
            self._tell(self._snapshot)

    def seek_host(self) -> None:
        """Show the icon as soon as the desktop has a place for it, now or later."""
        self._seeker.start(SEEK_MS)
        self._seek()

    @property
    def is_hosted(self) -> bool:
        """Whether the icon has its place."""
        return self._icon is not None

    def _seek(self) -> None:
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._seeker.stop()
            self._show()
            return
        self._waited_ms += self._seeker.interval()
        if self._seeker.interval() == SEEK_MS and self._waited_ms > PATIENCE_MS:
            self._seeker.start(SEEK_LATER_MS)
            self.hostless.emit()

    def _show(self) -> None:
        # Made only now: an icon made before its host came stays away on some desktops.
        self._icon = QSystemTrayIcon(self)
        self._icon.setContextMenu(self.menu)
        self._icon.activated.connect(self._clicked)
        self._paint()
        if self._snapshot:
            self._tell(self._snapshot)
        self._icon.show()
        self.hosted.emit()

    def _clicked(self, reason: Reason) -> None:
        # On macOS the click that opens the menu is reported as well.
        if reason in (Reason.Trigger, Reason.DoubleClick) and sys.platform != "darwin":
            self.window_asked.emit()

    def _paint(self) -> None:
        if self._icon:
            icon = tray_icon(tray_state(self._snapshot), dark=self._theme.is_system_dark)
            icon.setIsMask(sys.platform == "darwin" and tray_state(self._snapshot) != "error")
            self._icon.setIcon(icon)

    def say(self, text: str) -> None:
        """A passing message at the icon, where the desktop shows such."""
        if self._icon:
            self._icon.showMessage("Anthropic Proxy", text, self._icon.icon())

    def close(self) -> None:
        """Take the icon away."""
        self._seeker.stop()
        if self._icon:
            self._icon.hide()
        self.menu.close()


def tray_state(snapshot: Snapshot | None) -> TrayState:
    """Which of the three icons fits."""
    if snapshot is None or (snapshot.address and not snapshot.paused and not snapshot.last_error):
        return "normal"
    return "paused" if snapshot.paused and snapshot.address else "error"


def _set_text(action: QAction, text: str) -> None:
    """Every setText wakes the tray host: only what is new is set."""
    if action.text() != text:
        action.setText(text)
