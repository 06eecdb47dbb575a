"""What pages may ask of the program around them, and what a page is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from textual.containers import Vertical
from textual.screen import Screen

from app.tui.facts import Picture
from app.tui.instance import Verbs

T = TypeVar("T")
Keys = tuple[tuple[str, str], ...]
"""What to press and what it does, for the footer and the help."""


class Desk(Protocol):
    """The program as pages and dialogs see it."""

    @property
    def picture(self) -> Picture:
        """The newest."""

    @property
    def connected(self) -> bool:
        """Whether there is an instance to command."""

    def now(self) -> float:
        """Unix seconds."""

    def say(self, text: str, *, bad: bool = False) -> None:
        """One line for the user, for a while."""

    def command(
        self, verb: Callable[[Verbs], T], then: Callable[[T], None], failed: Callable[[str], None] | None = None
    ) -> None:
        """Say a verb to the instance, then tell what came of it; `failed` (else say) is told why not."""

    def open_dialog(self, dialog: Screen[T], then: Callable[[T | None], None]) -> None:
        """Ask the user."""


class Page(Vertical):
    """One of the pages. `focus_on`: the selector of what takes the keys."""

    focus_on = ""

    def __init__(self, desk: Desk, *, id: str) -> None:
        super().__init__(id=id)
        self.desk = desk

    def page_title(self) -> str:
        """Its name in the row of pages."""
        raise NotImplementedError

    def page_keys(self) -> Keys:
        """What its own keys do."""
        return ()

    def show(self, picture: Picture) -> None:
        """A newer picture, while this page is seen."""

    def opened(self) -> None:
        """It is seen from now on."""
