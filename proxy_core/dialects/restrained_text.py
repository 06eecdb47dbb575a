"""Marks in a model's visible text that clients must not see, recognised while the text arrives in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum, auto

from proxy_core.chat import Delta, TextDelta, ThinkingDelta

_BEGIN_THINKING, _END_THINKING = "<think>", "</think>"
_TAGS = (_BEGIN_THINKING, _END_THINKING, "<|begin_of_box|>", "<|end_of_box|>")
_TAG = re.compile("|".join(map(re.escape, _TAGS)))

_OPENING = re.compile(r"\s*```[A-Za-z0-9_+-]*[ \t]*\r?\n")
_MAY_BE_OPENING = re.compile(r"\s*(`{0,2}|```[A-Za-z0-9_+-]*[ \t]*\r?)")
_CLOSING = re.compile(r"\n[ \t]*```")
_FENCE = "```"


def end_that_may_begin(text: str, marks: Iterable[str]) -> int:
    """Where the longest end of `text` begins that is the beginning of a mark; its length if there is none."""
    ends = (
        size for mark in marks for size in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:size])
    )
    return len(text) - max(ends, default=0)


class TagFilter:
    """`<think>…</think>` becomes thinking, the marks around boxed answers go (glm-4.5v and its like)."""

    def __init__(self) -> None:
        self._held = ""
        self._is_thinking = False
        self._is_at_start = False

    def feed(self, text: str) -> list[Delta]:
        """Text and thinking without the tags; an end that may be one waits."""
        text = self._held + text
        certain = end_that_may_begin(text, _TAGS)
        text, self._held = text[:certain], text[certain:]
        deltas: list[Delta] = []
        start = 0
        for found in _TAG.finditer(text):
            deltas += self._told(text[start : found.start()])
            start = found.end()
            self._turn(found[0])
        return deltas + self._told(text[start:])

    def _turn(self, tag: str) -> None:
        if tag in (_BEGIN_THINKING, _END_THINKING):
            self._is_thinking = tag == _BEGIN_THINKING
            self._is_at_start = True

    def _told(self, text: str) -> list[Delta]:
        """Under its kind. The lines that models leave empty after a tag are no content."""
        if self._is_at_start:
            text = text.lstrip("\n")
        if not text:
            return []
        self._is_at_start = False
        return [ThinkingDelta(text) if self._is_thinking else TextDelta(text)]

    def flush(self) -> list[Delta]:
        """What looked like the beginning of a tag was none."""
        held, self._held = self._held, ""
        return self._told(held)


class _Place(Enum):
    BEGINNING = auto()
    BARE = auto()
    FENCED = auto()
    BEHIND = auto()


class FenceFilter:
    """The inside of an answer that stands in a code fence; an answer that does not begin with one passes as it is.

    What follows after the closing fence is dropped: the answer was asked to be JSON alone.
    """

    def __init__(self) -> None:
        self._held = ""
        self._place = _Place.BEGINNING

    def feed(self, text: str) -> list[Delta]:
        """More of the inside; an end that may be a fence waits."""
        if self._place is _Place.BEHIND:
            return []
        text = self._held + text
        self._held = ""
        if self._place is _Place.BEGINNING:
            text = self._begin(text)
        if self._place is _Place.FENCED:
            text = self._inside(text)
        return [TextDelta(text)] if text else []

    def _begin(self, text: str) -> str:
        """What follows the opening fence, or all of it where there is none; "" until that is certain."""
        if _MAY_BE_OPENING.fullmatch(text):
            self._held = text
            return ""
        found = _OPENING.match(text)
        self._place = _Place.FENCED if found else _Place.BARE
        return text[found.end() :] if found else text

    def _inside(self, text: str) -> str:
        closing = _CLOSING.search(text)
        if closing is None:
            certain = _without_fence(text)
            self._held = text[certain:]
        else:
            certain = len(text[: closing.start()].rstrip())
            self._place = _Place.BEHIND
        return text[:certain]

    def flush(self) -> list[Delta]:
        """No more text here: what waited was a fence, or it was not."""
        held, self._held = self._held, ""
        is_fence = self._place is _Place.FENCED and _FENCE in held
        return [TextDelta(held)] if held and not is_fence else []


def _without_fence(text: str) -> int:
    """Where an end begins that may become a closing fence: white space, up to three backticks, white space."""
    bare = text.rstrip()
    ticks = len(bare) - len(bare.rstrip("`"))
    if ticks > len(_FENCE):
        return len(bare) - len(_FENCE)
    return len(bare[: len(bare) - ticks].rstrip())
