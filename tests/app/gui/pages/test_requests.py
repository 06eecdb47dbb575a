"""What is told of a chosen exchange: its figures, its way, its ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.gui.pages.requests import _describe
from proxy_core.ledger import Stage
from tests.app.gui.rows import row

FIGURES = "/v1/messages · 1.2k tokens in, 300 from the cache, 45 out · 2.0 s · text"
LEDGER = {"saved_tokens": 900, "saved_by_stage": ((Stage.ENVIRONMENT, 1_000), (Stage.PICTURES, -100))}
LEDGER_WORDS = "900 tokens saved: environment blocks 1.0k, pictures −100"
WHY = "Old environment blocks stay in this session: without them the upstream's cache was lost."


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, [FIGURES]),
        ({"retries": 2, "queued_s": 1.4}, [FIGURES, "2 retries · queued for 1.4 s"]),
        ({"queued_s": 0.01}, [FIGURES]),
        (LEDGER, [FIGURES, LEDGER_WORDS]),
        (LEDGER | {"saved_money": Decimal("0.0123")}, [FIGURES, f"{LEDGER_WORDS} · $0.0123"]),
        ({"held_back": (WHY,)}, [FIGURES, WHY]),
        ({"error_message": "No balance.", "retries": 1}, ["No balance.", "1 retries"]),
    ],
)
def test_an_exchange_in_words(changes: dict[str, object], lines: list[str]) -> None:
    assert _describe(row(1, **changes)).splitlines() == lines
