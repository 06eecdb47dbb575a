"""What kinds of content a prompt is made of, and which kind a text is.

Tokenizers differ by kind and not by text: one that is 5 % above ours on code is so on all code. So tokens are
told apart by kind, and how a model's own figures differ is learned for each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class ContentClass(StrEnum):
    """Kinds of content."""

    PROSE = "prose"
    CODE = "code"
    JSON = "json"
    CJK = "cjk"
    PICTURES = "pictures"


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens of a prompt as counted here, every class named. is_guess: from the length of the texts, without tables."""

    by_class: Mapping[ContentClass, int]
    is_guess: bool = False

    @property
    def total(self) -> int:
        """The whole prompt."""
        return sum(self.by_class.values())


Shares: TypeAlias = tuple[tuple[ContentClass | None, float], ...]
"""Which parts of a text are of which class; together 1. None: the text does not show it, its place decides."""

PLACE_DECIDES: Shares = ((None, 1.0),)
_CODE_MARKS = "{}();=<>[]_"
_CODE_SHARE = 0.05
"""Of a text's characters: English has about 0.01, documentation 0.03, programs 0.04 (half of them comments) to 0.13."""
_SAMPLES, _SAMPLE_CHARS = 20, 1_000
"""Longer texts are looked at in so many places: a look at each character of a megabyte would hold up the loop, from
whatever thread."""
_SHORTEST_SAMPLE = 80
_FENCE = "```"
_CJK_SHARE = 0.3
_CJK_RUN = re.compile(
    "[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+"
)


def is_cjk_heavy(text: str) -> bool:
    """Whether a text is mostly Chinese, Japanese or Korean, as far as its tokens are concerned."""
    return cjk_share(text) > _CJK_SHARE


def cjk_share(text: str) -> float:
    """How much of a text is Chinese, Japanese or Korean: 0 to 1, by its characters."""
    if text.isascii():
        return 0.0
    sample = _sample(text)
    return sum(map(len, _CJK_RUN.findall(sample))) / len(sample)


def _sample(text: str) -> str:
    if len(text) <= _SAMPLES * _SAMPLE_CHARS:
        return text
    step = len(text) // _SAMPLES
    return "".join([text[place : place + _SAMPLE_CHARS] for place in range(0, step * _SAMPLES, step)])


def classify(text: str) -> Shares:
    """What a text is, by its own looks. The same text is always the same, wherever it stands."""
    if is_cjk_heavy(text):
        return ((ContentClass.CJK, 1.0),)
    if _looks_like_json(text):
        return ((ContentClass.JSON, 1.0),)
    if _FENCE in text:
        return _split_fenced(text)
    return ((ContentClass.CODE, 1.0),) if _looks_like_code(text) else PLACE_DECIDES


def _looks_like_json(text: str) -> bool:
    head, tail = text[:100].lstrip()[:1], text[-100:].rstrip()[-1:]
    return (head, tail) in (("{", "}"), ("[", "]"))


def _looks_like_code(text: str) -> bool:
    sample = _sample(text)
    if len(sample) < _SHORTEST_SAMPLE:
        return False
    return sum(map(sample.count, _CODE_MARKS)) > _CODE_SHARE * len(sample)


def _split_fenced(text: str) -> Shares:
    """Fences open and close in turn; one left open reaches to the end."""
    fenced = sum(map(len, text.split(_FENCE)[1::2])) / len(text)
    return ((ContentClass.CODE, fenced), (None, 1.0 - fenced))
