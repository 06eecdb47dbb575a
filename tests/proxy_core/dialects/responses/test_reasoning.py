"""Thinking, handed to clients and taken back."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import Thinking
from proxy_core.dialects.responses.reasoning import read_reasoning, seal, unseal
from proxy_core.errors import BadRequestError

TEXTS = st.text(st.characters(codec="utf-8"))
WHOLE = {"v": "zp1", "text": "T", "signature": "", "redacted": ""}


@given(st.builds(Thinking, TEXTS, TEXTS, TEXTS).filter(lambda one: one.text or one.signature or one.redacted))
def test_what_was_sealed_comes_back(thinking: Thinking) -> None:
    assert unseal(seal(thinking)) == thinking


@pytest.mark.parametrize(
    "content",
    [{**WHOLE, "v": "2"}, {**WHOLE, "text": 5}, {**WHOLE, "text": ""}, {**WHOLE, "redacted": None}, {}, [], "zp1", 5],
)
def test_what_was_not_sealed_here_is_nothing(content: object) -> None:
    assert unseal(base64.b64encode(json.dumps(content).encode()).decode()) is None


@given(st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()))
def test_anything_else_is_nothing(sealed: str) -> None:
    assert unseal(sealed) is None


@pytest.mark.parametrize(
    ("item", "thinking"),
    [
        ({"summary": [{"type": "summary_text", "text": "a"}, {"text": "b"}]}, Thinking("a\n\nb")),
        ({"summary": [{"text": "a"}], "content": [{"type": "reasoning_text", "text": "c"}]}, Thinking("c")),
        ({"summary": [{"text": "a"}], "encrypted_content": seal(Thinking("b", "s"))}, Thinking("b", "s")),
        ({"summary": [{"text": "a"}], "encrypted_content": "gAAAA"}, None),
        ({"summary": "a", "content": [5, {"text": 5}]}, None),
    ],
)
def test_items(item: dict[str, object], thinking: Thinking | None) -> None:
    assert read_reasoning(item, "input.0") == thinking


def test_a_damaged_seal_is_nothing() -> None:
    sealed = seal(Thinking("T"))
    assert unseal(f"{sealed[:8]}!{sealed[8:]}") is None


def test_a_malformed_seal_is_refused() -> None:
    with pytest.raises(BadRequestError, match=r"^input\.0\.encrypted_content: "):
        read_reasoning({"encrypted_content": 5}, "input.0")
