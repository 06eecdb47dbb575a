"""What was done to a prompt and what it cost: one ledger per request, read by statistics and shown to people.

Figures only, never words of the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from proxy_core.chat import Usage


class Stage(StrEnum):
    """The edits there are, in the order in which they are made."""

    VOLATILE = "volatile"
    ENVIRONMENT = "environment"
    PICTURES = "pictures"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Cut:
    """What one stage did. items: blocks, pictures or messages. Tokens as counted here; note: why, in a few words."""

    stage: Stage
    items: int
    removed_tokens: int
    added_tokens: int = 0
    note: str = ""

    @property
    def saved_tokens(self) -> int:
        """What the prompt is shorter by; negative where it grew."""
        return self.removed_tokens - self.added_tokens


@dataclass(frozen=True, slots=True)
class SideCall:
    """A model call of our own that the edits needed."""

    stage: Stage
    model: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of it for one request. tokens_before: our count of the prompt as the client sent it; None: not counted.

    held_back: stages that are turned off for this session because they cost it the upstream's cache; the sentences in
    why_held_back say so, one for each.
    """

    cuts: tuple[Cut, ...] = ()
    side_calls: tuple[SideCall, ...] = ()
    held_back: tuple[Stage, ...] = ()
    tokens_before: int | None = None
    why_held_back: tuple[str, ...] = ()

    @property
    def saved_tokens(self) -> int:
        """Tokens by which the prompt became shorter."""
        return sum(cut.saved_tokens for cut in self.cuts)

    @property
    def saved_by_stage(self) -> Mapping[Stage, int]:
        """The same, by stage; stages that did nothing are missing."""
        saved: dict[Stage, int] = {}
        for cut in self.cuts:
            saved[cut.stage] = saved.get(cut.stage, 0) + cut.saved_tokens
        return saved

    @property
    def tokens_after(self) -> int | None:
        """Our count of the prompt as it was sent."""
        return None if self.tokens_before is None else self.tokens_before - self.saved_tokens


NOTHING_DONE = Ledger()
