"""z.ai's bounds on sampling fields (protocols A.3), as the target's facts and quirks give them."""

from __future__ import annotations

from collections.abc import Sequence

from proxy_core.dialects.base import Target

_MIN_TOP_P = 0.01


def clamp_max_tokens(limit: int, target: Target) -> int:
    """At least 1, at most what the model can write."""
    return max(1, min(limit, target.facts.max_output_tokens))


def clamp_temperature(temperature: float, target: Target) -> float:
    """OpenAI's scale ends at 2, z.ai's at `max_temperature`."""
    return max(0, min(temperature, target.quirks.max_temperature))


def clamp_top_p(top_p: float) -> float:
    """z.ai refuses 0."""
    return max(_MIN_TOP_P, min(top_p, 1))


def split_stop(stop: Sequence[str], target: Target) -> tuple[list[str], tuple[str, ...]]:
    """The stop sequences that z.ai takes, and those that are left to us."""
    limit = target.quirks.stop_limit
    return list(stop[:limit]), tuple(stop[limit:])
