"""Figures for an answer whose upstream gave none: clients reckon with them, and zeros would be a lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from proxy_core.chat import Answer, Delta, TextDelta, ThinkingDelta, ToolCall, ToolCallDelta, Usage

_CHARS_PER_TOKEN = 4


def filled(usage: Usage, estimate_prompt: Callable[[], int], output_chars: int) -> Usage:
    """The upstream's figures; the prompt as counted here and the output by its characters where it said neither."""
    if not usage.prompt_tokens:
        usage = replace(usage, input_tokens=estimate_prompt())
    return usage if usage.output_tokens else replace(usage, output_tokens=-(-output_chars // _CHARS_PER_TOKEN))


def filled_of(answer: Answer, estimate_prompt: Callable[[], int]) -> Usage:
    """The same for a whole answer."""
    said = [part.arguments if isinstance(part, ToolCall) else part.text for part in answer.parts]
    return filled(answer.usage, estimate_prompt, sum(map(len, said)))


def chars_of(deltas: Iterable[Delta]) -> int:
    """How many characters of the model's own these deltas tell."""
    count = 0
    for delta in deltas:
        if isinstance(delta, TextDelta | ThinkingDelta):
            count += len(delta.text)
        elif isinstance(delta, ToolCallDelta):
            count += len(delta.fragment)
    return count
