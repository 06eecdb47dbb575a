"""The spellings of a path that clients are known to use."""

import pytest

from proxy_core.dialects.table import CLIENT_DIALECTS
from proxy_core.server.doors import DOORS, Room, dialect_of, find_door


@pytest.mark.parametrize(
    ("path", "room", "model"),
    [
        ("/v1/messages", Room.CHAT, ""),
        ("/messages", Room.CHAT, ""),
        ("//v1//messages/", Room.CHAT, ""),
        ("/v1/v1/messages", Room.CHAT, ""),
        ("/anthropic/v1/messages", Room.CHAT, ""),
        ("/anthropic/v1/messages/count_tokens", Room.COUNT, ""),
        ("/v1/chat/completions", Room.CHAT, ""),
        ("/chat/completions/", Room.CHAT, ""),
        ("/openai/v1/chat/completions", Room.CHAT, ""),
        ("/v1/responses", Room.CHAT, ""),
        ("/responses/", Room.CHAT, ""),
        ("/openai/v1/responses", Room.CHAT, ""),
        ("/v1/completions", Room.CHAT, ""),
        ("/v1/v1/completions", Room.CHAT, ""),
        ("/v1/models", Room.MODELS, ""),
        ("/models", Room.MODELS, ""),
        ("/v1/models/glm-4.6", Room.MODEL, "glm-4.6"),
        ("/v1/models/a/b", Room.MODEL, "a/b"),
        ("/health", Room.HEALTH, ""),
        ("/", Room.ROOT, ""),
        ("/v1", Room.ROOT, ""),
        ("/v1/", Room.ROOT, ""),
        ("/anthropic", Room.ROOT, ""),
    ],
)
def test_spellings(path: str, room: Room, model: str) -> None:
    found = find_door(path)
    assert found is not None
    assert (found[0].room, found[1]) == (room, model)


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1messages", "/v2/messages", "/anthropicx", "/messages/other"])
def test_no_such_door(path: str) -> None:
    assert find_door(path) is None


@pytest.mark.parametrize(
    ("path", "headers", "dialect"),
    [
        ("/v1/messages", {}, "anthropic"),
        ("/v1/chat/completions", {"anthropic-version": "2023-06-01"}, "openai"),
        ("/v1/responses", {}, "responses"),
        ("/v1/completions", {}, "completions"),
        ("/v1/models", {"anthropic-version": "2026-10-21"}, "anthropic"),
        ("/v1/models", {"x-api-key": "k"}, "openai"),
        ("/nowhere", {"user-agent": "claude-cli/2.1"}, "anthropic"),
    ],
)
def test_whose_envelope(path: str, headers: dict[str, str], dialect: str) -> None:
    found = find_door(path)
    assert dialect_of(found[0] if found else None, headers) == dialect


def test_every_door_speaks_a_dialect_that_there_is() -> None:
    assert {door.dialect for door in DOORS if door.room is Room.CHAT} == CLIENT_DIALECTS.keys()
