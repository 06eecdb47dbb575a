"""What a request costs by the vendor's list. Holders of a Coding Plan pay a flat fee: for them it is the equivalent."""

from __future__ import annotations

from decimal import Decimal

from proxy_core.chat import Usage
from proxy_core.facts import Currency
from proxy_core.routing.catalogue import find_model

_MILLION = Decimal(1_000_000)


def price_of(model: str, usage: Usage, currency: Currency) -> Decimal | None:
    """The list price of one request, exact; None where none is known for a request of this size.

    The length of the whole prompt, cached or not, and that of the answer decide on the tier. Cached input is charged
    as fresh input where the list has no price for it; writing into the cache costs nothing beyond the input itself.
    """
    facts = find_model(model)
    if facts is None:
        return None
    tiers = facts.usd if currency == "USD" else facts.cny
    tier = next((tier for tier in tiers if tier.covers(usage.prompt_tokens, usage.output_tokens)), None)
    if tier is None:
        return None
    cached_price = tier.input if tier.cached is None else tier.cached
    fresh_tokens = usage.input_tokens + usage.cache_write_tokens
    total = fresh_tokens * tier.input + usage.cached_tokens * cached_price + usage.output_tokens * tier.output
    return total / _MILLION
