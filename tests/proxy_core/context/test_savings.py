"""What cuts are worth: at the mix of cached and fresh, less what they cost."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest

from proxy_core.chat import Usage
from proxy_core.context.savings import saved_money
from proxy_core.ledger import NOTHING_DONE, Cut, Ledger, SideCall, Stage
from proxy_core.routing.pricing import price_of

M = 1_000_000
DOLLARS, YUAN = partial(price_of, currency="USD"), partial(price_of, currency="CNY")
CUT = Cut(Stage.ENVIRONMENT, 3, M)


def cut(removed: int, added: int = 0) -> Ledger:
    return Ledger((Cut(Stage.PICTURES, 1, removed, added),))


@pytest.mark.parametrize(
    ("model", "usage", "ledger", "price", "saved"),
    [
        ("glm-5.3", Usage(), cut(M), DOLLARS, "1.40"),
        ("glm-5.3", Usage(1000), cut(M), DOLLARS, "1.40"),
        ("glm-5.3", Usage(0, 1000), cut(M), DOLLARS, "0.26"),
        ("glm-5.3", Usage(500, 1000, 500, 70), cut(M), DOLLARS, "0.83"),
        ("glm-5.3", Usage(1000), cut(0, M), DOLLARS, "-1.40"),
        ("glm-5.3", Usage(1000), NOTHING_DONE, DOLLARS, "0"),
        ("glm-4.6", Usage(31_000), cut(2_000), YUAN, "0.07"),
        ("glm-5.3", Usage(1000), Ledger((CUT,), (SideCall(Stage.SUMMARY, "glm-5.3", Usage(M)),)), DOLLARS, "0"),
        ("glm-5.3", Usage(), Ledger((), (SideCall(Stage.PICTURES, "glm-5.3", Usage(0, M)),)), DOLLARS, "-0.26"),
        ("glm-5.3", Usage(), Ledger((CUT,), (SideCall(Stage.PICTURES, "house", Usage(1)),)), DOLLARS, None),
        ("house", Usage(1000), cut(M), DOLLARS, None),
        ("house", Usage(1000), NOTHING_DONE, DOLLARS, "0"),
    ],
)
def test_savings(model, usage, ledger, price, saved):
    assert saved_money(model, usage, ledger, price) == (None if saved is None else Decimal(saved))
