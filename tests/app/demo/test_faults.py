"""Faults are named in the prompt and come in the real upstream's envelopes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.demo.faults import FAULTS, Fault, Trouble, anthropic_envelope, find_fault, openai_envelope

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("prompt", "status", "code"),
    [
        ("demo error 1302", 429, "1302"),
        ("Error: 1113 please", 429, "1113"),
        ("error 429", 429, "1302"),
        ("error 500", 500, "500"),
        ("error 401", 401, "1000"),
        ("error overloaded", 529, "1305"),
        ("demo error length", 400, "1261"),
        ("error 418", 418, "418"),
        ("error 9999", 400, "9999"),
    ],
)
def test_a_fault_is_found_by_its_name(prompt: str, status: int, code: str) -> None:
    fault = find_fault(prompt)
    assert isinstance(fault, Fault)
    assert (fault.status, fault.code) == (status, code)


@pytest.mark.parametrize("word", ["cut", "slow", "stall", "sensitive", "network"])
def test_troubles_are_found_by_their_word(word: str) -> None:
    assert find_fault(f"Demo error {word.upper()}!") is Trouble(word)


@pytest.mark.parametrize(
    "prompt", ["why is there an error in line 12345?", "terror 500", "errors happen", "error cutter"]
)
def test_ordinary_words_provoke_nothing(prompt: str) -> None:
    assert find_fault(prompt) is None


def test_the_envelopes_are_those_of_the_real_upstream() -> None:
    reset = "Usage limit reached for 5 hour. Your limit will reset at 2026-11-22 22:00:00"
    trace = "demo0000000000000000"
    error = {"type": "rate_limit_error", "code": "1308", "message": f"[1308][{reset}][{trace}]"}
    assert openai_envelope(FAULTS["1308"], NOON) == {"error": {"code": "1308", "message": reset}}
    assert anthropic_envelope(FAULTS["1308"], NOON) == {"type": "error", "error": error, "request_id": trace}
