"""The listener: bind, bind anew, stop, all on the running loop."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence

from aiohttp import web

from proxy_core.server import malformed
from proxy_core.server.access import is_loopback
from proxy_core.server.porter import Porter, allow_origin

_KEEPALIVE_S = 75.0
_TAKEN = (errno.EADDRINUSE, errno.EACCES)


class ListenError(Exception):
    """The address cannot be listened on. `host` and `port` name it."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(reason)
        self.host = host
        self.port = port


class PortInUseError(ListenError):
    """Another program has the port."""


class OpenListenerError(ListenError):
    """Listening beyond loopback without an access key is refused."""


class Listener:
    """One aiohttp runner and the one site it listens on."""

    def __init__(self, porter: Porter, routes: Sequence[web.RouteDef] = ()) -> None:
        app = web.Application()
        app.on_response_prepare.append(allow_origin)
        app.add_routes(routes)
        app.router.add_route("*", r"/{tail:[\s\S]*}", porter.receive)  # a line break too is the porter's to refuse
        self._runner = web.AppRunner(
            app,
            handler_cancellation=True,
            access_log=None,
            logger=malformed.log,
            keepalive_timeout=_KEEPALIVE_S,
            shutdown_timeout=1.0,
            auto_decompress=False,
        )
        self._site: web.TCPSite | None = None
        self._asked: tuple[str, int] | None = None
        self.address: tuple[str, int] | None = None

    async def open(self, host: str, port: int, *, has_key: bool) -> None:
        """Listen. Raises PortInUseError, OpenListenerError or ListenError."""
        check_open(host, port, has_key=has_key)
        await self._runner.setup()
        await self._bind(host, port)

    async def rebind(self, host: str, port: int, *, has_key: bool) -> None:
        """Listen elsewhere; connections that exist go on. On failure the old address is taken again, then raised."""
        check_open(host, port, has_key=has_key)
        if self._asked == (host, port):
            return
        if self.address is None or self.address[1] != port:
            await self._move(host, port)
        else:
            await self._swap(host, port)

    async def _move(self, host: str, port: int) -> None:
        """The new door opens before the old one closes: whatever comes in between, one is open."""
        old = self._site
        await self._bind(host, port)
        if old is not None:
            await old.stop()

    async def _swap(self, host: str, port: int) -> None:
        """The same port on hosts that may overlap: the old door closes first, and opens again should the new fail."""
        before, asked_before = self.address, self._asked
        await self._unbind()
        try:
            await self._bind(host, port)
        except BaseException:
            if before is not None:
                await asyncio.shield(self._bind(*before))  # the very port, also where any free one had been asked for
                self._asked = asked_before
            raise

    async def _bind(self, host: str, port: int) -> None:
        site = web.TCPSite(self._runner, host, port, backlog=1024)
        try:
            await _start(site)
        except OSError as error:
            if error.errno in _TAKEN:
                raise PortInUseError(host, port, f"Port {port} on {host} is in use.") from error
            raise ListenError(host, port, f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
        self._site, self._asked = site, (host, port)
        self.address = (host, _bound_port(site, port))

    async def _unbind(self) -> None:
        if self._site is not None:
            await self._site.stop()
        self._site = self._asked = self.address = None

    async def close_door(self) -> None:
        """Accept nobody any more; who is inside stays."""
        await self._unbind()

    async def close(self) -> None:
        """End every connection, running handlers included."""
        await self._runner.cleanup()


async def _start(site: web.TCPSite) -> None:
    """Start it wholly or not at all: asyncio, cancelled in the middle, leaves a socket that nobody owns listening."""
    async with asyncio.TaskGroup() as group:
        starting = group.create_task(_outcome(site))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await starting
            await site.stop()
            raise
    if (error := starting.result()) is not None:
        raise error


async def _outcome(site: web.TCPSite) -> OSError | None:
    try:
        await site.start()
    except OSError as error:
        return error
    return None


def check_open(host: str, port: int, *, has_key: bool) -> None:
    """Refuse to be an open relay that spends the user's quota."""
    if not has_key and not is_loopback(host):
        raise OpenListenerError(
            host,
            port,
            f"Listening on {host} lets other computers in: set PROXY_ACCESS_KEY first, or listen on 127.0.0.1.",
        )


def _bound_port(site: web.TCPSite, asked: int) -> int:
    """The real port where 0 was asked for."""
    server = site._server
    if asked or not isinstance(server, asyncio.Server) or not server.sockets:
        return asked
    return int(server.sockets[0].getsockname()[1])
