"""What both ways of speaking share: a stream is a list of frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import orjson

from proxy_core.jsontypes import JsonObject

Split: TypeAlias = Callable[[str], list[str]]
"""Cuts a text into the pieces in which it is streamed; joined they are the text again."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event as bytes. tokens: what it is worth, for pacing."""

    data: bytes
    tokens: int = 0


def arguments_object(text: str) -> JsonObject:
    """Tool arguments as an object; "" is an empty one."""
    parsed = orjson.loads(text) if text else {}
    return parsed if isinstance(parsed, dict) else {"value": parsed}
