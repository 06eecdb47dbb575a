"""The doors by their paths, in every spelling that clients are known to use. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_SLASHES = re.compile(r"/{2,}")
_PREFIXES = re.compile(r"^(?:/(?:anthropic|openai))?(?:/v1)*(?=/|$)")
_ANTHROPIC = "anthropic"
_OPENAI = "openai"


class Room(StrEnum):
    """What stands behind a door."""

    CHAT = "chat"
    COUNT = "count"
    MODELS = "models"
    MODEL = "model"
    HEALTH = "health"
    METRICS = "metrics"
    ROOT = "root"


@dataclass(frozen=True, slots=True)
class Door:
    """One door: what is behind it, which methods it takes and which dialect it speaks, by its name in the table
    of dialects (None: the caller's)."""

    path: str
    room: Room
    methods: tuple[str, ...]
    dialect: str | None = None


DOORS: tuple[Door, ...] = (
    Door("/v1/messages", Room.CHAT, ("POST",), _ANTHROPIC),
    Door("/v1/messages/count_tokens", Room.COUNT, ("POST",), _ANTHROPIC),
    Door("/v1/chat/completions", Room.CHAT, ("POST",), _OPENAI),
    Door("/v1/responses", Room.CHAT, ("POST",), "responses"),
    Door("/v1/completions", Room.CHAT, ("POST",), "completions"),
    Door("/v1/models", Room.MODELS, ("GET", "HEAD")),
    Door("/health", Room.HEALTH, ("GET", "HEAD")),
    Door("/metrics", Room.METRICS, ("GET", "HEAD")),
    Door("/", Room.ROOT, ("GET", "HEAD")),
)
_MODEL_DOOR = Door("/v1/models/{id}", Room.MODEL, ("GET", "HEAD"))
_BY_SHORT_PATH = {door.path.removeprefix("/v1"): door for door in DOORS}
_BY_PATH = {door.path: door for door in DOORS}
_MODEL_PATH = "/models/"


def find_door(path: str) -> tuple[Door, str] | None:
    """The door of a request path, with the model id of a model door ("" elsewhere).

    Forgives double slashes, a doubled or missing `/v1`, a trailing slash and the prefixes /anthropic and /openai.
    """
    if (exact := _BY_PATH.get(path)) is not None:
        return exact, ""
    short = _PREFIXES.sub("", _SLASHES.sub("/", path), count=1).rstrip("/") or "/"
    if (door := _BY_SHORT_PATH.get(short)) is not None:
        return door, ""
    if short.startswith(_MODEL_PATH):
        return _MODEL_DOOR, short.removeprefix(_MODEL_PATH)
    return None


def dialect_of(door: Door | None, headers: Mapping[str, str]) -> str:
    """In whose envelope a fault is told: the door's own dialect, else what the headers show.

    Never by x-api-key: current Anthropic SDKs send a bearer token (protocols 0.1).
    """
    if door is not None and door.dialect is not None:
        return door.dialect
    agent = headers.get("user-agent", "")
    is_anthropic = "anthropic-version" in headers or agent.startswith(("claude-cli/", "Anthropic/", "AsyncAnthropic/"))
    return _ANTHROPIC if is_anthropic else _OPENAI
