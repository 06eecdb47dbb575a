"""What a client is told about the size of its prompt, where it believes in a larger window than there is.

A client compacts at so many percent of the window it believes in. Told the true figure of a model with half that
window, it would never come to compact and run into the upstream's refusal; told twice the figure, it
compacts in time. Only figures of the prompt are scaled, only for the client, and never downwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate, pairwise
from math import floor

from proxy_core.chat import Answer, Delta, Started, Usage, UsageDelta
from proxy_core.facts import ModelFacts
from proxy_core.settings import DialectName, ProxySettings


def prompt_scale(client_dialect: str, facts: ModelFacts, settings: ProxySettings, *, is_listed: bool) -> float:
    """By how much prompt figures are multiplied for a client of this dialect; 1.0: they go as they are.

    facts: of the model that serves the request. is_listed: they are the catalogue's and not assumed.
    """
    return max(1.0, _expected_window(client_dialect, settings) / _real_window(facts, settings, is_listed=is_listed))


def _expected_window(client_dialect: str, settings: ProxySettings) -> int:
    is_anthropic = client_dialect == DialectName.ANTHROPIC
    return settings.anthropic_expected_tokens if is_anthropic else settings.openai_expected_tokens


def _real_window(facts: ModelFacts, settings: ProxySettings, *, is_listed: bool) -> int:
    """The settings speak of the two models that they name; of all others the catalogue knows more.

    Even of those two the catalogue's window is the most that they can have. A model that nobody knows is
    taken for one like the configured ones.
    """
    if facts.id.lower() == settings.autotext_model.lower():
        configured = settings.real_text_model_tokens
    elif facts.id.lower() == settings.autovision_model.lower() or (facts.sees and not is_listed):
        configured = settings.real_vision_model_tokens
    elif is_listed:
        return facts.window_tokens
    else:
        configured = settings.real_text_model_tokens
    return min(configured, facts.window_tokens) if is_listed else configured


def scale_tokens(tokens: int, factor: float) -> int:
    """A single figure of a prompt, rounded half up. With a factor of at least 1 nothing becomes 0 that was not."""
    return tokens if factor == 1.0 else floor(tokens * factor + 0.5)


def scale_parts(parts: Iterable[int], factor: float, before: int = 0) -> list[int]:
    """Parts of a prompt, in order, of which so many tokens come before them; together they are the scaled whole.

    Sums are rounded and not parts, so that no rounding gets lost; a part is what lies between two sums.
    """
    sums = [scale_tokens(tokens, factor) for tokens in accumulate(parts, initial=before)]
    return [end - start for start, end in pairwise(sums)]


def scale_usage(usage: Usage, factor: float) -> Usage:
    """The same usage with a larger prompt: its parts add up to the scaled whole. Output stays as it is."""
    if factor == 1.0:
        return usage
    parts = (usage.cached_tokens, usage.cache_write_tokens, usage.input_tokens)
    cached, written, fresh = scale_parts(parts, factor)
    return replace(usage, input_tokens=fresh, cached_tokens=cached, cache_write_tokens=written)


def scale_delta(delta: Delta, factor: float) -> Delta:
    """A delta of a stream as the client shall see it; whoever keeps figures takes the one that went in."""
    match delta:
        case UsageDelta(usage):
            return UsageDelta(scale_usage(usage, factor))
        case Started(usage=Usage() as usage):
            return replace(delta, usage=scale_usage(usage, factor))
        case _:
            return delta


def scale_answer(answer: Answer, factor: float) -> Answer:
    """A whole answer as the client shall see it."""
    return replace(answer, usage=scale_usage(answer.usage, factor))
