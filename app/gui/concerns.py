"""What the user should know, gathered from all who have something to say, for the bar above the pages."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.gui.commands import Commands
from app.gui.widgets.notices import Notice, NoticeList
from app.i18n import tr
from app.runtime.importing import found_notices
from app.settings.problems import SettingProblem
from app.state import Snapshot

NO_KEY = "no key"
FOUND_KEYS = "found keys"
FAILED = "failed"


class Concerns(QObject):
    """Fills a NoticeList."""

    def __init__(self, commands: Commands, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.notices = NoticeList()
        self._commands = commands
        self._server = ""
        self._told: set[str] = set()
        commands.keys_changed.connect(self._look_for_key)

    def report(self, words: str) -> None:
        """A command failed."""
        self.notices.put(Notice(FAILED, words, "error"))

    def show_problems(self, problems: tuple[SettingProblem, ...]) -> None:
        """Settings that could not be taken; their defaults hold."""
        for problem in problems:
            text = tr("Setting not used: {problem}", problem=problem)
            self.notices.put(Notice(f"problem {problem}", text, "error"))

    def show_facts(self, snapshot: Snapshot) -> None:
        """Pass on what the runtime has to say, each thing once, and look whether a new server has its key."""
        own = set(found_notices(self._commands.found_keys))  # said with a button by show_found_keys
        for text in snapshot.notices:
            if text not in self._told | own:
                self.notices.put(Notice(text, text, "warning"))
        self._told |= set(snapshot.notices)
        if snapshot.server != self._server:
            self._server = snapshot.server
            self._look_for_key()

    def show_found_keys(self) -> None:
        """Offer to import the keys that stand in clear in files."""
        found = self._commands.found_keys
        if not found:
            self.notices.drop(FOUND_KEYS)
            return
        files = ", ".join(sorted({str(key.source) for key in found}))
        text = tr("Keys stand readable in {files}. They can be moved into the keyring.", files=files)
        button = tr("Import keys")
        self.notices.put(
            Notice(FOUND_KEYS, text, "warning", button, lambda: self._commands.tasks.spawn(self._import()))
        )

    async def _import(self) -> None:
        report = await self._commands.import_found_keys()
        self.show_found_keys()
        for reason in report.reasons:
            self.notices.put(Notice(reason, reason, "error"))
        if report.imported:
            names = ", ".join(report.imported)
            text = tr("Imported into the keyring, and removed from the files: {names}.", names=names)
            self.notices.put(Notice("imported", text))

    def _look_for_key(self) -> None:
        self._commands.tasks.spawn(self._tell_missing_key())

    async def _tell_missing_key(self) -> None:
        server = self._server
        if not server or await self._commands.has_key(server):
            self.notices.drop(NO_KEY)
            return
        text = tr("No key is stored for {server}: only clients that bring their own are served.", server=server)
        self.notices.put(Notice(NO_KEY, text, "info", tr("Add key…"), self._commands.settings_asked.emit))
