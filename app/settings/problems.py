"""What is wrong with a setting, in one line that a person can act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One bad value or unknown key.

    where: a file's path, "environment" or "command line". key: the name as it was written there.
    message: what is wrong. allowed: what would be right, in words; may be empty. suggestion: "did you mean", or "".
    """

    where: str
    key: str
    message: str
    allowed: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        said = f"{self.where}: {self.key}: {self.message}"
        if self.allowed:
            said += f"; allowed: {self.allowed}"
        if self.suggestion:
            said += f"; did you mean {self.suggestion}?"
        return said


class SettingsRefusedError(Exception):
    """Settings that cannot be taken; nothing was changed."""

    def __init__(self, problems: Iterable[SettingProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or ""; capitals do not count."""
    by_fold = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), list(by_fold), n=1, cutoff=0.6)
    return by_fold[found[0]] if found else ""


def unknown_key(where: str, key: str, known: Iterable[str]) -> SettingProblem:
    """The problem of a key that nobody declared."""
    return SettingProblem(where, key, "unknown key", suggestion=closest(key, known))


def shown(written: object) -> str:
    """A refused value as it is repeated to the person who wrote it, cut where it is long."""
    text = repr(written)
    return text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "…"
