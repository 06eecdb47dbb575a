"""Guesses by length."""

from __future__ import annotations

import pytest

from proxy_core.tokens.guess import guess_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a" * 36, 10), ("测" * 10, 7), ("é" * 18, 10), ("测" * 10 + "a" * 36, 17), ("\ud800" * 12, 10)],
    ids=["nothing", "ascii", "cjk", "two bytes each", "mixed", "lone surrogates"],
)
def test_guesses(text: str, tokens: int) -> None:
    assert guess_tokens(text) == tokens
