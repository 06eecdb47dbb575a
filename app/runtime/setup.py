"""From settings, servers and keys to what the proxy obeys at this moment."""

from __future__ import annotations

from collections.abc import Callable

from app.settings.book import ServerBook
from app.settings.schema import Settings
from proxy_core.pipeline.setup import Setup
from proxy_core.settings import Server

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def current_server(settings: Settings, servers: ServerBook) -> Server:
    """The server that requests go to, with the addresses that UPSTREAM_BASE and OPENAI_UPSTREAM_BASE override.

    The demo keeps its own: nothing meant for a real server reaches it, or the other way round.
    """
    server = servers.get(settings.current_server)
    if servers.is_extra(server.name):
        return server
    return server.model_copy(
        update={
            "anthropic_base": settings.upstream_base or server.anthropic_base,
            "openai_base": settings.openai_upstream_base or server.openai_base,
        }
    )


def make_setup(
    settings: Settings,
    servers: ServerBook,
    access_key: str | None,
    models_of: Callable[[Server], tuple[str, ...]] = lambda _: (),
) -> Setup:
    """What a request that begins now keeps to its end. models_of: the ids that a server itself lists."""
    server = current_server(settings, servers)
    return Setup(settings, server, access_key, models_of(server), failover_server(settings, servers))


def failover_server(settings: Settings, servers: ServerBook) -> Server | None:
    """The server for requests whose own is down. Raises UnknownServerError."""
    if not settings.failover_server:
        return None
    other = servers.get(settings.failover_server)
    return None if other.name == servers.get(settings.current_server).name else other


def reachable_host(host: str) -> str:
    """The host under which a listener is reached from this computer."""
    return _WILDCARDS.get(host, host)


def authority(address: tuple[str, int]) -> str:
    """Host and port as they stand in a URL."""
    host, port = reachable_host(address[0]), address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
