"""Fields of an upstream's answer that no word of ours holds, kept for clients of this dialect.

They are `extras` of the answer, of `Started` or of `Finished`, which nobody else understands: z.ai's `request_id` and
`web_search`, `reasoning_details`, `system_fingerprint`, what usage says beyond its standard.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

import orjson

from proxy_core.jsontypes import JsonObject

_BODY = frozenset(["id", "object", "created", "model", "choices", "usage", "error", "success"])
_CHOICE = frozenset(["index", "message", "delta", "finish_reason", "logprobs"])
_MESSAGE = frozenset(["role", "content", "refusal", "reasoning_content", "reasoning", "tool_calls", "function_call"])
_USAGE = frozenset(["prompt_tokens", "completion_tokens", "total_tokens"])


@dataclass(frozen=True, slots=True)
class Extras:
    """The fields, by where they stand. message: of the message, or of the deltas that it comes in."""

    body: JsonObject = field(default_factory=dict)
    choice: JsonObject = field(default_factory=dict)
    message: JsonObject = field(default_factory=dict)
    usage: JsonObject = field(default_factory=dict)

    def add(self, chunk: JsonObject, holder: str) -> None:
        """Take those of one more body or chunk, whose choice has its message under `holder`."""
        _take(self.body, chunk, _BODY)
        _take(self.usage, chunk.get("usage"), _USAGE)
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, dict):
            _take(self.choice, choice, _CHOICE)
            _take(self.message, choice.get(holder), _MESSAGE)


def _take(kept: JsonObject, given: object, known: Set[str]) -> None:
    """A list goes behind the list that was there, of all else the latest holds."""
    if not isinstance(given, dict) or given.keys() <= known:
        return
    for name, value in given.items():
        if name in known or not _can_be_told(value):
            continue
        before = kept.get(name)
        kept[name] = [*before, *value] if isinstance(before, list) and isinstance(value, list) else value


def _can_be_told(value: object) -> bool:
    """Whether it says something and any writer takes it, however deep it will stand."""
    if not isinstance(value, dict | list):
        return value is not None
    try:
        orjson.dumps([[[[[[[[value]]]]]]]])
    except orjson.JSONEncodeError:
        return False
    return True


def extras_of(extras: object) -> Extras:
    """What this dialect's reader kept; nothing where the answer was read elsewhere."""
    return extras if isinstance(extras, Extras) else Extras()


def with_usage_extras(usage: JsonObject, extras: Extras) -> JsonObject:
    """`usage` with what else the upstream said of it; what we say ourselves holds, detail by detail."""
    merged: JsonObject = {**extras.usage, **usage}
    for name, ours in usage.items():
        theirs = extras.usage.get(name)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            merged[name] = {**theirs, **ours}
    return merged
