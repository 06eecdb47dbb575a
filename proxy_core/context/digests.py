"""What turns say, as digests: the keys under which a summary of them is kept.

Not over `raw`: clients move their cache marks from turn to turn and write a lone text now as a string, now as a list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import fields
from typing import TypeAlias

from proxy_core.chat import Message, Part, ToolResult

Value: TypeAlias = str | bool


def part_digest(part: Part) -> str:
    """SHA-256 of a part's kind and its own fields."""
    if isinstance(part, ToolResult):
        inner = [part_digest(item) for item in part.parts]
        return _digest([type(part).__name__, part.call_id, part.is_error, *inner])
    return _digest([type(part).__name__, *(getattr(part, item.name) for item in fields(part) if item.name != "raw")])


def message_digest(message: Message) -> str:
    """SHA-256 of a message's role and parts."""
    return _digest([message.role, *(part_digest(part) for part in message.parts)])


def chain(messages: Iterable[Message]) -> tuple[str, ...]:
    """One digest per message, each of all messages up to it: a conversation that goes on keeps the ones it had."""
    digests: list[str] = []
    for message in messages:
        before = digests[-1] if digests else ""
        digests.append(_digest([before, message_digest(message)]))
    return tuple(digests)


def _digest(values: Iterable[Value]) -> str:
    """Each value with its length in front, so that no two lists of values read the same."""
    hasher = hashlib.sha256()
    for value in values:
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes([value])
        hasher.update(b"%d:" % len(data))
        hasher.update(data)
    return hasher.hexdigest()
