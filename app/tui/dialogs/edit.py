"""One setting, to be changed: a line to write in, or the words it may hold to choose from."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from app.i18n import tr
from app.tui.facts import Changed, SettingFacts

Save = Callable[[str, str, Callable[[Changed], None], Callable[[str], None]], None]
"""field, text, what to do when it holds, what to do with the reason why it does not."""


class Edit(ModalScreen[Changed]):
    """Stays until the value is good or Esc is pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "")]

    def __init__(self, setting: SettingFacts, save: Save) -> None:
        super().__init__()
        self._setting = setting
        self._save = save

    def compose(self) -> ComposeResult:
        """What it means, and where to write."""
        setting = self._setting
        with Vertical(classes="dialog"):
            yield Static(f"{tr(setting.title)} ({setting.field})", classes="dialog-title", markup=False)
            yield Static(tr(setting.help), markup=False)
            yield Static(tr("Allowed: {words}", words=setting.allowed), markup=False)
            yield Static(tr("Default: {value}", value=setting.default or "–"), markup=False)
            if words := choices_of(setting):
                yield OptionList(*words, id="choices", markup=False, compact=True)
            else:
                yield Input(written(setting), id="written", compact=True, select_on_focus=False)
            yield Static(id="edit-problem", markup=False)
            yield Static(tr("Enter: save      Esc: leave it"), classes="dialog-keys", markup=False)

    def on_mount(self) -> None:
        """The value of now is the one that is marked."""
        words = choices_of(self._setting)
        if words and self._setting.text in words:
            self.query_one(OptionList).highlighted = words.index(self._setting.text)

    @on(Input.Submitted)
    def _written(self, event: Input.Submitted) -> None:
        self._try(event.value)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._try(choices_of(self._setting)[event.option_index])

    def _try(self, text: str) -> None:
        self._tell(tr("Saving…"))
        self._save(self._setting.field, text, self._close, self._tell)

    def _close(self, changed: Changed) -> None:
        if self.is_current:  # nobody pressed Esc meanwhile
            self.dismiss(changed)

    def _tell(self, text: str) -> None:
        if self.is_attached:
            self.query_one("#edit-problem", Static).update(text)

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)


def choices_of(setting: SettingFacts) -> tuple[str, ...]:
    """The words to choose from, none where anything may be written."""
    return ("true", "false") if isinstance(setting.value, bool) else setting.choices


def written(setting: SettingFacts) -> str:
    """The value as one would write it: tables as JSON."""
    return json.dumps(setting.value, ensure_ascii=False) if isinstance(setting.value, dict) else setting.text
