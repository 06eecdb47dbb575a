"""The key of one server: typed masked, tried, kept, removed. What is kept is never shown again."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.gui.commands import Commands
from app.gui.widgets.secret_field import SecretField
from app.gui.words import seconds
from app.i18n import tr
from app.runtime.keychain import KeySource
from proxy_core.upstream.doctor import VERDICT_WORDS, Verdict
from proxy_core.upstream.trial import KeyTrial


class KeyBox(QWidget):
    """Always about the server last given to `show_server`."""

    def __init__(self, commands: Commands, *, dark: bool) -> None:
        super().__init__()
        self._commands = commands
        self._server = ""
        self._source = KeySource.NONE
        self.field = SecretField(dark=dark)
        self.test = _button(tr("Test key"), self._start_test)
        self.save = _button(tr("Save key"), self._start_save)
        self.remove = _button(tr("Remove key"), self._start_remove)
        self.outcome = QLabel()
        self.outcome.setWordWrap(True)
        self._arrange()
        self.field.textChanged.connect(self._enable)
        self._enable()

    def _arrange(self) -> None:
        title = QLabel(tr("API key"))
        title.setBuddy(self.field)
        self.field.setAccessibleName(tr("API key"))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.field, 1)
        for button in (self.test, self.save, self.remove):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(title)
        layout.addLayout(row)
        layout.addWidget(self.outcome)

    def show_server(self, server: str) -> None:
        """Turn to the key of this server; what was typed for another one is forgotten."""
        self._server = server
        self.field.clear_key()
        self._commands.tasks.spawn(self._look_up(), self._refuse)

    async def _look_up(self) -> None:
        server = self._server
        source = await self._commands.key_source(server)
        if server == self._server:
            self._tell_source(source)

    def _tell_source(self, source: KeySource) -> None:
        self._source = source
        self.field.setPlaceholderText(source_words(source))
        problem = self._commands.key_problem
        where = tr("Keys are kept in the keyring of your system, never in a file.")
        self._say(problem or where, "warning" if problem else "help")
        self._enable()

    def _enable(self) -> None:
        typed = bool(self.field.key())
        self.test.setEnabled(typed or self._source is not KeySource.NONE)
        self.save.setEnabled(typed)
        self.remove.setEnabled(self._source not in (KeySource.NONE, KeySource.GIVEN))

    def _start_test(self) -> None:
        self.test.setEnabled(False)
        self._say(tr("Asking {server}…", server=self._server), "help")
        self._commands.tasks.spawn(self._try(), self._refuse)

    async def _try(self) -> None:
        server, key = self._server, self.field.key()
        trial = await self._commands.try_key(server, key)
        words = trial_words(trial)
        if not trial.ok and (examination := await self._commands.examine_key(server, key)):
            words = f"{words}\n{verdict_words(examination.verdict)}"
        self._say(words, "good" if trial.ok else "error")
        self._enable()

    def _start_save(self) -> None:
        self._commands.tasks.spawn(self.keep(), self._refuse)

    async def keep(self) -> None:
        """Store what was typed, if anything was."""
        key = self.field.key()
        if not key:
            return
        await self._commands.set_key(self._server, key)
        self.field.clear_key()
        await self._look_up()
        if not self._commands.key_problem:
            self._say(tr("The key is stored in your keyring."), "good")

    def _start_remove(self) -> None:
        self._commands.tasks.spawn(self._remove(), self._refuse)

    async def _remove(self) -> None:
        await self._commands.delete_key(self._server)
        await self._look_up()

    def _refuse(self, words: str) -> None:
        self._say(words, "error")
        self._enable()

    def _say(self, text: str, name: str) -> None:
        self.outcome.setObjectName(name)
        self.outcome.setText(text)
        self.outcome.style().polish(self.outcome)


def source_words(source: KeySource) -> str:
    """What stands in the empty field."""
    return {
        KeySource.NONE: tr("Paste the key here"),
        KeySource.GIVEN: tr("A key is given for this run"),
        KeySource.HELD: tr("A key is held for this run"),
        KeySource.STORED: tr("A key is stored"),
        KeySource.FOUND: tr("A key stands in a file"),
    }[source]


def trial_words(trial: KeyTrial) -> str:
    """What came of trying a key: the upstream's words and how long it took to say them."""
    took = seconds(trial.latency_ms / 1000)
    if trial.ok:
        return tr("{message} Answered in {time}.", message=trial.message, time=took)
    return tr("Refused after {time}: {message}", time=took, message=trial.message)


def verdict_words(verdict: Verdict) -> str:
    """Whose key it is, as far as that could be told."""
    return tr(VERDICT_WORDS[verdict.kind], **verdict.values)


def _button(text: str, slot: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.clicked.connect(lambda: slot())
    return button
