"""The bench of a session tells what it should: shorter runs of it."""

from __future__ import annotations

import pytest

from tests.bench.session.__main__ import naively, pass_through, through_proxy
from tests.bench.session.vendor import Vendor


def test_what_was_sent_before_is_cached_by_the_same_model_only() -> None:
    vendor = Vendor()
    long = {"messages": [{"role": "user", "content": "word " * 4000}]}
    first, second, other = (
        vendor.bill({"model": model, **long}, "turn", 1) for model in ("glm-4.6",) * 2 + ("glm-4.5",)
    )
    assert (first.cached_tokens, other.cached_tokens) == (0, 0)
    assert second.cached_tokens > 0.95 * second.prompt_tokens


@pytest.mark.parametrize("strategy", ["route", "describe"])
async def test_the_proxy_is_the_cheapest_way_through_a_session(strategy: str) -> None:
    turns = 45
    ours = await through_proxy("ours", turns, image_strategy=strategy)
    assert len(ours.turns) == turns
    assert {bill.purpose for bill in ours.bills} == {"turn", "summary", "description"}
    assert ours.cost < min(pass_through(turns).cost, naively(turns).cost)
