"""How much a model shall think: what the client asked, fitted to what the model can do.

Only `ModelFacts` decide (protocols: "Thinking / effort map"); no model is known here by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy_core.chat import ThinkingRequest
from proxy_core.facts import ModelFacts

_LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "ultracode")
_RANK = {level: rank for rank, level in enumerate(_LEVELS)}
_OFF_LEVELS = ("none", "minimal")
# Anthropic's budgets as levels: below the first number of tokens "low", below the second "high", else "max".
_LOW_BELOW_TOKENS = 4_000
_HIGH_BELOW_TOKENS = 16_000


@dataclass(frozen=True, slots=True)
class ThinkingChoice:
    """What to tell the upstream. None: say nothing.

    effort: a level out of `ModelFacts.efforts`. dropped: what the client asked for and this model cannot do.
    """

    enabled: bool | None = None
    effort: str | None = None
    dropped: tuple[str, ...] = ()


def choose_thinking(asked: ThinkingRequest | None, facts: ModelFacts, default: bool | None) -> ThinkingChoice:
    """The choice for one request; `default` speaks for a client that said nothing, where it can be switched."""
    if asked is None:
        return ThinkingChoice(enabled=default if facts.thinking == "toggle" else None)
    if facts.thinking == "none":
        return ThinkingChoice(dropped=() if is_off(asked) else ("thinking",))
    if is_off(asked):
        return _off(facts)
    effort, dropped = _effort(asked, facts)
    if facts.efforts or facts.thinking == "always":
        return ThinkingChoice(asked.enabled if facts.thinking == "toggle" else None, effort, dropped)
    return ThinkingChoice(enabled=True)


def is_off(asked: ThinkingRequest) -> bool:
    """Whether the client wants no thinking; switched on explicitly, a low effort is only a low effort."""
    return asked.enabled is False or (asked.enabled is None and asked.effort in _OFF_LEVELS)


def _off(facts: ModelFacts) -> ThinkingChoice:
    if facts.thinking == "toggle":
        return ThinkingChoice(enabled=False)
    # Such models answer 400 when told not to think; their weakest level is as near as it gets.
    return ThinkingChoice(effort=facts.efforts[0] if facts.efforts else None, dropped=("thinking",))


def _effort(asked: ThinkingRequest, facts: ModelFacts) -> tuple[str | None, tuple[str, ...]]:
    """The weakest level of the model that is at least the asked one, else its strongest."""
    level = asked.effort or _level_of_budget(asked.budget_tokens)
    if level is None or level in facts.efforts or not facts.efforts:
        return (level if level in facts.efforts else None), ()
    if level not in _RANK:
        return None, ("reasoning_effort",)
    enough = [known for known in facts.efforts if _RANK.get(known, -1) >= _RANK[level]]
    return (enough[0] if enough else facts.efforts[-1]), ()


def _level_of_budget(tokens: int | None) -> str | None:
    if tokens is None:
        return None
    if tokens < _LOW_BELOW_TOKENS:
        return "low"
    return "high" if tokens < _HIGH_BELOW_TOKENS else "max"
