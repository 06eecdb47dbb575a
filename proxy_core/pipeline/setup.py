"""What the corridor is given from outside, and what it gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from proxy_core.dialects.base import ClientDialect
from proxy_core.jsontypes import JsonObject
from proxy_core.settings import ProxySettings, Server

KeyOf: TypeAlias = Callable[[str], Awaitable[str | None]]
"""Name of a server → its stored key, or None."""


@dataclass(frozen=True, slots=True)
class Setup:
    """This moment's settings, the current server and the access key (None: every caller may come in).

    discovered: ids of models that the current server itself lists. failover: the server for requests whose own is
    down; None: there is none.

    A request keeps the setup it began with.
    """

    settings: ProxySettings
    server: Server
    access_key: str | None = None
    discovered: tuple[str, ...] = ()
    failover: Server | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the door hands it on. client_key: the caller's own, never our access key. body_bytes: its size."""

    id: str
    door: str
    dialect: ClientDialect
    body: JsonObject
    client_key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    client: str = ""
    body_bytes: int = 0


@dataclass(frozen=True, slots=True)
class WholeReply:
    """A complete answer: JSON bytes and our own headers."""

    body: bytes
    headers: Mapping[str, str]
