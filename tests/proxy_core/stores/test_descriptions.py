"""What is searched in a description."""

from __future__ import annotations

import pytest

from proxy_core.stores.descriptions import Description, holds_words

CAT = Description("ab12", "A Straße with a CAT", model="glm-4.6v", context="where is it?")


@pytest.mark.parametrize(
    ("words", "expected"),
    [("", True), ("cat", True), ("cat STRASSE", True), ("dog", False), ("cat dog", False), ("where 4.6v ab1", True)],
)
def test_every_word_must_stand_somewhere(words, expected):
    assert holds_words(CAT, words) is expected
