"""The parts of the face and how they hang together: tray, window, settings dialog, language, look, end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLibraryInfo, QLocale, QObject, QSettings, QTranslator
from PySide6.QtWidgets import QApplication, QMessageBox

from app.gui.bridge import Bridge
from app.gui.commands import Commands
from app.gui.concerns import Concerns
from app.gui.icons import app_icon
from app.gui.opening import ICON_SIZE, Opening
from app.gui.settings import SettingsDialog
from app.gui.tasks import Tasks
from app.gui.theme import Theme, text_font
from app.gui.tray import Tray
from app.gui.widgets.notices import Notice
from app.gui.words import error_words
from app.i18n import choose_language, set_language, tr
from app.paths import resources
from app.runtime import Runtime
from app.runtime.ending import unless_ended
from app.settings.schema import Settings
from app.state import Snapshot

if TYPE_CHECKING:
    from app.gui.window import MainWindow

MEMORY_FILE = "window.ini"
"""What the window remembers by itself: its size, and what was said once. No setting, so not in config.yaml."""
SEEN = "said/first start"
STAYS = "said/stays in tray"


class Desktop(QObject):
    """Everything that shows. `ended` is set when the user, a signal or another program wants the end."""

    def __init__(self, app: QApplication, runtime: Runtime) -> None:
        super().__init__(app)
        self._app = app
        self._runtime = runtime
        self._settings = runtime.store.current
        self.ended = asyncio.Event()
        self._memory = QSettings(str(runtime.home / MEMORY_FILE), QSettings.Format.IniFormat)
        self._translator = QTranslator(self)
        self._speak()
        self.theme = Theme(app)
        self.theme.choose(self._settings.theme)
        self.commands = Commands(runtime, Tasks(asyncio.get_running_loop(), error_words, self._report), self)
        self.concerns = Concerns(self.commands, self)
        self.bridge = Bridge(runtime.state, runtime.meter, self)
        self.tray = Tray(self.commands, self.theme, self)
        self.opening = Opening(runtime, self.commands, self.concerns.notices, self)
        self.window: MainWindow | None = None
        self.dialog: SettingsDialog | None = None
        self._connect()

    def _connect(self) -> None:
        self.bridge.changed.connect(self._show_facts)
        for part in (self.tray, self.commands):
            part.settings_asked.connect(self.open_settings)
        self.tray.window_asked.connect(self.open_window)
        self.tray.hosted.connect(self._welcome_tray)
        self.tray.hostless.connect(self._do_without_tray)
        self.tray.quit_asked.connect(self.quit)
        self.opening.quit_asked.connect(self.quit)
        self._app.installEventFilter(self)

    async def run(self) -> None:
        """Show, listen, wait for the end, and see to it that running requests get theirs."""
        self.concerns.show_problems(self._runtime.loaded.problems)
        self.bridge.start()
        self.tray.seek_host()
        is_listening = await unless_ended(self.ended, self.opening.listen())
        self.concerns.show_found_keys()
        if self._is_first_start() or self._settings.open_window_at_start or not is_listening:
            self.open_window()
        self.opening.present_offer(self.window)
        await self.ended.wait()
        await self._end()

    async def _end(self) -> None:
        self.tray.say_stopping()
        for part in (self.dialog, self.opening.offer):
            if part:
                part.close()
        await self._runtime.stop()
        await self.commands.tasks.close()
        self.bridge.stop()
        if self.window:
            self.window.leave()
        self.tray.close()
        self._app.removeEventFilter(self)

    def quit(self) -> None:
        """Begin to end; asked a second time, do not wait for running requests any longer."""
        if self.ended.is_set():
            self._runtime.cut()
        self.ended.set()

    def show(self) -> bool:
        """Another start asks for the window."""
        self.open_window()
        return True

    def open_window(self) -> None:
        """Bring the window up; it is made when it is first wanted."""
        if self.ended.is_set():
            return
        if self.window is None:
            self.window = self._make_window()
        self.window.come_up()

    def _make_window(self) -> MainWindow:
        # Only now: the plots bring NumPy along, which costs tens of MiB and a part of the start.
        from app.gui.window import MainWindow

        window = MainWindow(self.bridge, self.commands, self.theme, self.concerns.notices, self._memory)
        window.close_asked.connect(self._close_window)
        window.settings_asked.connect(self.open_settings)
        window.quit_asked.connect(self.quit)
        return window

    def open_settings(self) -> None:
        """Bring the settings up; what was typed in an open dialog stays."""
        if self.ended.is_set():
            return
        if self.dialog is None or not self.dialog.isVisible():
            self.dialog = SettingsDialog(self.commands, dark=self.theme.is_dark)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _close_window(self) -> None:
        if self.window is None:
            return
        if self.tray.is_hosted:
            self.window.hide()
            self._say_once(STAYS, tr("The proxy goes on in the tray. Quit ends it."))
        else:
            self._ask_how_to_close(self.window)

    def _ask_how_to_close(self, window: MainWindow) -> None:
        box = QMessageBox(window)
        box.setWindowTitle("Anthropic Proxy")
        box.setIconPixmap(app_icon().pixmap(ICON_SIZE, ICON_SIZE))
        box.setText(tr("Quit the proxy?"))
        box.setInformativeText(tr("There is no tray here, so the proxy could not be reached without its window."))
        box.addButton(tr("Quit"), QMessageBox.ButtonRole.AcceptRole).clicked.connect(self.quit)
        box.addButton(tr("Minimize window"), QMessageBox.ButtonRole.ActionRole).clicked.connect(window.showMinimized)
        box.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        box.open()

    def _show_facts(self, snapshot: Snapshot) -> None:
        if self._runtime.store.current is not self._settings:
            self._follow_settings(self._runtime.store.current)
        self.tray.show_facts(snapshot)
        self.concerns.show_facts(snapshot)
        self.opening.settle(snapshot.address)

    def _follow_settings(self, settings: Settings) -> None:
        before, self._settings = self._settings, settings
        if settings.theme != before.theme:
            self.theme.choose(settings.theme)
        if settings.language != before.language:
            self._speak()
            self.tray.retranslate()
            self._renew_window()

    def _renew_window(self) -> None:
        """A window is built in one language; another language takes another window, in the same place."""
        if self.window is None:
            return
        old, was_visible = self.window, self.window.isVisible()
        old.leave()
        self.window = self._make_window()
        old.deleteLater()
        if was_visible:
            self.window.show()

    def _speak(self) -> None:
        code = choose_language(self._settings.language, QLocale.system().uiLanguages())
        set_language(code, resources() / "locale")
        self._app.setFont(text_font(code))
        self._app.removeTranslator(self._translator)
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if self._translator.load(f"qtbase_{code}", folder):  # menus of text fields, buttons of message boxes
            self._app.installTranslator(self._translator)

    def _welcome_tray(self) -> None:
        self.concerns.notices.drop("no tray")

    def _do_without_tray(self) -> None:
        text = tr("This desktop shows no tray icons, so the window is all there is. Closing it can end the proxy.")
        self.concerns.notices.put(Notice("no tray", text))
        self.open_window()

    def _report(self, words: str) -> None:
        self.concerns.report(words)
        if not (self.window and self.window.isVisible()):
            self.tray.say(words)

    def report_fault(self, fault: BaseException) -> None:
        """Something broke that nobody awaited; it is in the log already."""
        self._report(error_words(fault))

    def _is_first_start(self) -> bool:
        is_first = self._memory.value(SEEN) is None
        self._memory.setValue(SEEN, "yes")
        return is_first

    def _say_once(self, key: str, text: str) -> None:
        if self._memory.value(key) is None:
            self._memory.setValue(key, "yes")
            self.tray.say(text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The system asks the program to quit (the dock, the end of a session): in good order, please."""
        if event.type() is QEvent.Type.Quit:
            self.quit()
            return True
        return super().eventFilter(watched, event)
