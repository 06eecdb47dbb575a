"""An upstream's own usage, told to a client of its dialect with a larger prompt (`tokens.scaling`)."""

from __future__ import annotations

from proxy_core.jsontypes import JsonObject
from proxy_core.tokens.scaling import scale_parts

MOST_TOKENS = 2**40
"""Nobody has used more; sums of such figures still fit every JSON writer."""
# Disjoint parts of the prompt, in the order in which `scale_usage` has them.
_PARTS = ("cache_read_input_tokens", "cache_creation_input_tokens", "input_tokens")
_WRITES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def scaled_usage(usage: JsonObject, factor: float) -> JsonObject:
    """With what is said of the prompt scaled, all else as it was; the very same where nothing changes."""
    if factor == 1.0:
        return usage
    changes = _scaled(usage, _PARTS, factor)
    writes = usage.get("cache_creation")
    if isinstance(writes, dict) and (told := _scaled(writes, _WRITES, factor, _figure(usage, _PARTS[0]))):
        changes["cache_creation"] = {**writes, **told}
    return {**usage, **changes} if changes else usage


def _scaled(figures: JsonObject, names: tuple[str, ...], factor: float, before: int = 0) -> JsonObject:
    """Those that are there. before: tokens of the prompt that come before them, so that the sums are the same."""
    told = scale_parts([_figure(figures, name) for name in names], factor, before)
    return {name: tokens for name, tokens in zip(names, told, strict=True) if tokens}


def _figure(figures: JsonObject, name: str) -> int:
    value = figures.get(name)
    return value if type(value) is int and 0 < value <= MOST_TOKENS else 0
