"""What the edits of one request saved, in money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from proxy_core.chat import Usage
from proxy_core.ledger import Ledger

Price: TypeAlias = Callable[[str, Usage], Decimal | None]
"""(model, usage) → what it costs; None where no price is known."""

_NOTHING = Decimal(0)


def saved_money(model: str, usage: Usage, ledger: Ledger, price: Price) -> Decimal | None:
    """What the request would have cost more without its edits, less what these cost themselves; below zero where they
    did not pay. None where a price is missing.

    What was cut would have been found in the cache in the same part as what was sent, as far as anybody can know; where
    the upstream reported nothing, it would have been read afresh.
    """
    saved = _saving(model, usage, ledger.saved_tokens, price) if ledger.saved_tokens else _NOTHING
    costs = [price(call.model, call.usage) for call in ledger.side_calls]
    known = [cost for cost in costs if cost is not None]
    return None if saved is None or len(known) < len(costs) else saved - sum(known, _NOTHING)


def _saving(model: str, usage: Usage, saved_tokens: int, price: Price) -> Decimal | None:
    """Both ways at their own prices: a longer prompt may be of a dearer tier."""
    cached = saved_tokens * usage.cached_tokens // usage.prompt_tokens if usage.prompt_tokens else 0
    uncut = replace(
        usage,
        input_tokens=usage.input_tokens + saved_tokens - cached,
        cached_tokens=usage.cached_tokens + cached,
    )
    without, with_edits = price(model, uncut), price(model, usage)
    return None if without is None or with_edits is None else without - with_edits
