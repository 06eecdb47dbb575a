"""Where a text holds `<environment_details>` blocks as Cline, Roo and Kilo write them (protocols E.1).

Their form is an opening tag that ends its line and a closing tag that begins one; a whole block on a line of its own
counts as well. Everything else that looks like it is somebody's words: tags within a sentence, behind a quotation mark
or a backtick, in a fenced block (``` or ~~~), in a quote (`> `), or without their other half. Where it is not sure,
there is no block.

One pass from left to right, linear for whatever stands there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

OPENING = "<environment_details>"
CLOSING = "</environment_details>"

_LISTING = re.compile(r"^# Current (?:Workspace|Working) Directory \(.*\) Files", re.MULTILINE)
# Each branch begins with a character of its own, which lets the engine skip all others: ten times as fast.
_MARK = re.compile(
    r"\n[ \t]*+(?:(?P<fence>`{3,}+|~{3,}+)(?P<info>[^\n]*+)|>[^\n]*+)"
    # Of two blocks side by side each would stand on a line of its own once the other one is cut.
    r"|<environment_details>(?P<lone>(?:(?!</?environment_details>).)*+</environment_details>)"
    r"(?=[ \t\r]*+(?:$|<environment_details>))"
    r"|<environment_details>(?P<open>(?P<ends_line>[ \t\r]*+$)?)"
    r"|</environment_details>(?P<close>(?P<is_quoted>(?=[ \t]*+[`~>\"']))?)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Block:
    """One block: `text[start:end]`, both tags included."""

    start: int
    end: int
    text: str

    @property
    def body(self) -> str:
        """What stands between the tags."""
        return self.text[len(OPENING) : -len(CLOSING)]

    @property
    def has_listing(self) -> bool:
        """Whether it lists the files of the workspace, which clients send but once."""
        return _LISTING.search(self.text) is not None


def find_blocks(text: str) -> tuple[Block, ...]:
    """The blocks in order. Of blocks within blocks only the outermost."""
    if CLOSING not in text:
        return ()
    return _Scan(text).run()


class _Before(IntEnum):
    """What stands on the line before a tag."""

    NOTHING = 0
    WORDS = 1
    QUOTED = 2


class _Scan:
    """The state of one pass: the fence that is open, the tags that wait for their other half, and the line so far."""

    def __init__(self, text: str) -> None:
        self._text = f"\n{text}"  # so that the first line begins like all others
        self._seen = 1
        self._before = _Before.NOTHING
        self._fence = ""
        self._opened: list[int] = []
        self._found: list[tuple[int, int]] = []

    def run(self) -> tuple[Block, ...]:
        for mark in _MARK.finditer(self._text):
            self._walk_to(mark.start())
            self._seen = mark.end()
            if mark["fence"]:
                self._meet_fence(mark["fence"], mark["info"])
            elif not self._fence:
                self._meet(mark)
        return tuple([Block(start - 1, end - 1, self._text[start:end]) for start, end in self._found])

    def _walk_to(self, position: int) -> None:
        _, newline, line = self._text[self._seen : position].rpartition("\n")
        carried = _Before.NOTHING if newline else self._before
        self._before = max(carried, _class_of(line))

    def _meet_fence(self, fence: str, info: str) -> None:
        if not self._fence:
            # Backticks behind the fence make it inline code.
            self._fence = "" if fence[0] == "`" and "`" in info else fence
        elif fence.startswith(self._fence) and not info.strip():
            self._fence = ""

    def _meet(self, mark: re.Match[str]) -> None:
        if mark["lone"] and self._before is _Before.NOTHING:
            self._add(mark.start(), mark.end())
        elif mark["ends_line"] is not None and self._before is not _Before.QUOTED:
            self._opened.append(mark.start())
        elif (
            mark["close"] is not None and self._before is _Before.NOTHING and self._opened and mark["is_quoted"] is None
        ):
            self._add(self._opened.pop(), mark.end())
        else:
            # A stray tag: no block begins behind it, lest the two halves meet once that block is cut.
            self._before = _Before.QUOTED

    def _add(self, start: int, end: int) -> None:
        while self._found and self._found[-1][0] > start:
            self._found.pop()
        self._found.append((start, end))


def _class_of(line: str) -> _Before:
    if '"' in line or "`" in line:
        return _Before.QUOTED
    return _Before.WORDS if line.strip() else _Before.NOTHING
