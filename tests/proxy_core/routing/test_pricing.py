"""List prices, at the borders of their tiers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from proxy_core.chat import Usage
from proxy_core.facts import Currency
from proxy_core.routing.catalogue import MODELS
from proxy_core.routing.pricing import price_of

M = 1_000_000


@pytest.mark.parametrize(
    ("model", "usage", "currency", "price"),
    [
        ("glm-5.3", Usage(M, 0, 0, 0), "USD", "1.40"),
        ("glm-5.3", Usage(0, M, 0, 0), "USD", "0.26"),
        ("GLM-5.3", Usage(0, 0, 0, M), "USD", "4.40"),
        ("glm-5.3", Usage(M, M, 0, M), "CNY", "38"),
        ("glm-5.3-flashx", Usage(0, 1, 0, 0), "USD", "0.000000075"),
        ("glm-4.6", Usage(0, 0, M, 0), "USD", "0.60"),
        ("glm-4-32b-0414-128k", Usage(0, M, 0, 0), "USD", "0.10"),
        ("glm-4.5-flash", Usage(M, M, 0, M), "CNY", "0"),
        ("glm-4.6", Usage(31_999, 0, 0, 199), "CNY", "0.06559"),
        ("glm-4.6", Usage(31_999, 0, 0, 200), "CNY", "0.098797"),
        ("glm-4.6", Usage(32_000, 0, 0, 199), "CNY", "0.131184"),
        ("glm-4.6", Usage(1_000, 31_000, 0, 200), "CNY", "0.032"),
        ("glm-4.5-air", Usage(1_000, 0, 0, 1_000), "CNY", "0.0068"),
        ("glm-4.5v", Usage(32_000, 0, 0, 0), "CNY", "0.128"),
        ("glm-5", Usage(31_999, 0, 0, 0), "CNY", "0.127996"),
        ("glm-5", Usage(32_000, 0, 0, 0), "CNY", None),
        ("glm-5.2", Usage(1, 0, 0, 1), "CNY", None),
        ("house-model", Usage(1, 0, 0, 1), "USD", None),
    ],
)
def test_prices(model: str, usage: Usage, currency: Currency, price: str | None) -> None:
    assert price_of(model, usage, currency) == (None if price is None else Decimal(price))


def test_every_listed_model_has_a_price_in_dollars() -> None:
    assert [facts.id for facts in MODELS if price_of(facts.id, Usage(1_000, 1_000, 0, 1_000), "USD") is None] == []


def test_narrow_tiers_stand_before_wide_ones() -> None:
    for facts in MODELS:
        bounds = [tier.prompt_below or M * M for tier in facts.cny]
        assert bounds == sorted(bounds), facts.id
