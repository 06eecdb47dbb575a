"""A question with yes and no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from app.i18n import tr


class Confirm(ModalScreen[bool]):
    """True for yes. Whoever leaves without a word means no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("y,enter", "answer(True)", ""),
        ("n,escape,q,ctrl+c", "answer(False)", ""),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Question and keys."""
        with Vertical(classes="dialog"):
            yield Static(self._question, markup=False)
            yield Static(tr("y / Enter: yes      n / Esc: no"), classes="dialog-keys", markup=False)

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)
