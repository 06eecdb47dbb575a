"""A dry run: what would become of a request body, without sending anything."""

from __future__ import annotations

import asyncio
import json

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.gui.commands import Commands
from app.gui.words import compact, signed, stage_words
from app.i18n import tr
from proxy_core.errors import ProxyError
from proxy_core.jsontypes import JsonObject
from proxy_core.ledger import Cut, Ledger
from proxy_core.pipeline.preview import Preview
from proxy_core.settings import DialectName

MOST_SHOWN = 2_000
"""Characters of one text in the result: a picture's would hide all the rest. What is copied is whole."""


class DryRunPage(QWidget):
    """The body at the left, what is left of it and the ledger at the right."""

    def __init__(self, commands: Commands) -> None:
        super().__init__()
        self._commands = commands
        self._whole = ""
        self.body, self.result = QPlainTextEdit(), QPlainTextEdit()
        self.dialect = QComboBox()
        self.run = QPushButton(tr("Try it"))
        self.copy = QPushButton(tr("Copy result"))
        self.outcome = QLabel()
        self._prepare()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self._left(), 1)
        layout.addWidget(self._right(), 1)
        self.run.clicked.connect(self._start)
        self.copy.clicked.connect(self._copy)
        keys = QKeySequence("Ctrl+Return")
        QShortcut(keys, self, self._start, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._tell(tr("The edited request and what was taken off it appear here."), "muted")

    def _prepare(self) -> None:
        for text in (self.body, self.result):
            text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
            text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)  # long lines are slow to wrap
            text.setTabChangesFocus(True)
        self.body.setPlaceholderText('{"model": "glm-4.6", "messages": […]}')
        self.body.setAccessibleName(tr("Request body"))
        self.result.setReadOnly(True)
        self.result.setAccessibleName(tr("Edited request"))
        self.dialect.addItem("Anthropic", DialectName.ANTHROPIC)
        self.dialect.addItem("OpenAI", DialectName.OPENAI)
        self.dialect.setAccessibleName(tr("Dialect"))
        self.run.setObjectName("primary")
        self.run.setToolTip(tr("Nothing is sent, and no model is asked."))
        self.outcome.setWordWrap(True)
        self.outcome.setTextFormat(Qt.TextFormat.PlainText)
        self.outcome.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy.setEnabled(False)

    def _left(self) -> QFrame:
        row = QHBoxLayout()
        row.addWidget(self.dialect)
        row.addStretch(1)
        row.addWidget(self.run)
        return _card(tr("Paste the body of a request"), self.body, row)

    def _right(self) -> QFrame:
        row = QHBoxLayout()
        row.addWidget(self.outcome, 1)
        row.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignBottom)
        return _card(tr("What would be sent"), self.result, row)

    def _start(self) -> None:
        if self.run.isEnabled():
            self.run.setEnabled(False)
            self._tell(tr("Working…"), "muted")  # the tables for counting may have to be read first
            self._commands.tasks.spawn(self._try(self.body.toPlainText()), self._fail)

    async def _try(self, text: str) -> None:
        try:
            body = await asyncio.to_thread(read_body, text)
            preview = await self._commands.dry_run(DialectName(self.dialect.currentData()), body)
        except (ProxyError, ValueError) as error:
            self._fail(str(error))
            return
        shown, self._whole = await asyncio.to_thread(_both_texts, preview.body)
        if not isValid(self):  # the window was renewed meanwhile
            return
        self.result.setPlainText(shown)
        self._tell(describe_preview(preview), "help")
        self.copy.setEnabled(True)
        self.run.setEnabled(True)

    def _fail(self, words: str) -> None:
        if not isValid(self):
            return
        self.result.clear()
        self._tell(words, "error")
        self.copy.setEnabled(False)
        self.run.setEnabled(True)

    def _tell(self, words: str, name: str) -> None:
        self.outcome.setObjectName(name)
        self.outcome.setText(words)
        self.outcome.style().polish(self.outcome)

    def _copy(self) -> None:
        self._commands.copy_text(self._whole, tr("Result copied."))


def read_body(text: str) -> JsonObject:
    """The request of a text. Raises ValueError in words for people. For a thread: the text may be long."""
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        words = tr("This is not JSON: see line {line}, column {column}.", line=error.lineno, column=error.colno)
        raise ValueError(words) from error
    except RecursionError as error:
        raise ValueError(tr("This JSON is nested too deeply.")) from error
    if not isinstance(body, dict):
        raise ValueError(tr("The body of a request is a JSON object, in braces."))
    return body


def describe_preview(preview: Preview) -> str:
    """Where it would go, how many tokens it has, and the ledger: a line each."""
    ledger = preview.ledger
    lines = [preview.route_text, _sizes(ledger), *(_cut(cut) for cut in ledger.cuts), *ledger.why_held_back]
    return "\n".join(filter(None, lines))


def _sizes(ledger: Ledger) -> str:
    if ledger.tokens_before is None or ledger.tokens_after is None:
        return ""
    if not ledger.saved_tokens:
        return tr("{before} tokens, nothing taken off", before=compact(ledger.tokens_before))
    return tr(
        "{before} tokens, {after} after the edits: {saved} saved",
        before=compact(ledger.tokens_before),
        after=compact(ledger.tokens_after),
        saved=signed(ledger.saved_tokens),
    )


def _cut(cut: Cut) -> str:
    figures = tr(
        "{stage}: {removed} tokens removed, {added} put in",
        stage=stage_words(cut.stage),
        removed=compact(cut.removed_tokens),
        added=compact(cut.added_tokens),
    )
    return f"{figures} ({cut.note})" if cut.note else figures


def _both_texts(body: JsonObject) -> tuple[str, str]:
    """To be shown, with long texts cut, and to be copied."""
    shown = json.dumps(_shortened(body), indent=2, ensure_ascii=False)
    return shown, json.dumps(body, indent=2, ensure_ascii=False)


def _shortened(value: object) -> object:
    match value:
        case dict():
            return {name: _shortened(item) for name, item in value.items()}
        case list():
            return [_shortened(item) for item in value]
        case str() if len(value) > MOST_SHOWN:
            return f"{value[:MOST_SHOWN]}… ({len(value)})"
        case _:
            return value


def _card(title: str, text: QPlainTextEdit, below: QHBoxLayout) -> QFrame:
    card = QFrame()
    card.setObjectName("card")
    label = QLabel(title)
    label.setObjectName("section")
    label.setBuddy(text)
    layout = QVBoxLayout(card)
    layout.setContentsMargins(16, 12, 16, 14)
    layout.setSpacing(10)
    layout.addWidget(label)
    layout.addWidget(text, 1)
    layout.addLayout(below)
    return card
