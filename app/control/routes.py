"""The doors under /control/v1/: for this user on this computer, with the token of runtime.json."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import orjson
from aiohttp import web

from app.control.client import CONTROL
from app.control.lock import FaceKind
from app.runtime import Runtime
from app.settings.book import UnknownServerError
from proxy_core.errors import ProxyError
from proxy_core.jsontypes import JsonObject
from proxy_core.server.access import check_host, is_same_computer, own_names
from proxy_core.version import __version__

Door: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Face:
    """What a face lends to control. show: raise the window, False if there is none. stop: begin to end."""

    kind: FaceKind
    show: Callable[[], bool]
    stop: Callable[[], None]


class ControlRoutes:
    """The verbs, each behind the same guard."""

    def __init__(self, runtime: Runtime, face: Face, token: str) -> None:
        self._runtime = runtime
        self._face = face
        self._token = token

    def all(self) -> tuple[web.RouteDef, ...]:
        """What the listener must know."""
        return (
            web.get(f"{CONTROL}/status", self._guarded(self._status), allow_head=False),
            web.post(f"{CONTROL}/show", self._guarded(self._show)),
            web.post(f"{CONTROL}/stop", self._guarded(self._stop)),
            web.post(f"{CONTROL}/switch", self._guarded(self._switch)),
        )

    def _guarded(self, door: Door) -> Door:
        async def enter(request: web.Request) -> web.StreamResponse:
            refusal = self._refusal(request)
            return refusal if refusal is not None else await door(request)

        return enter

    def _refusal(self, request: web.Request) -> web.Response | None:
        settings = self._runtime.store.current
        try:
            check_host(request.headers, own_names(settings.host, settings.allowed_hosts))
        except ProxyError as error:
            return _error(403, str(error))
        if "origin" in request.headers or not is_local(request):
            return _error(403, "Control is for programs on this computer.")
        if not _has_token(request.headers, self._token):
            return _error(401, "Control wants the token of runtime.json.")
        return None

    async def _status(self, _: web.Request) -> web.Response:
        return _json(status_of(self._runtime, self._face.kind))

    async def _show(self, _: web.Request) -> web.Response:
        if not self._face.show():
            return _error(409, "This instance has no window: it runs headless.")
        return _json({"shown": True})

    async def _stop(self, _: web.Request) -> web.Response:
        asyncio.get_running_loop().call_soon(self._face.stop)
        return _json({"stopping": True}, 202)

    async def _switch(self, request: web.Request) -> web.Response:
        name = await _server_name(request)
        if not name:
            return _error(400, 'Say which server: {"server": "cn"}.')
        try:
            await self._runtime.switch_server(name)
        except UnknownServerError as error:
            return _error(404, str(error))
        except OSError as error:
            return _error(500, f"The settings cannot be written: {error.strerror}.")
        return _json(status_of(self._runtime, self._face.kind))


def status_of(runtime: Runtime, kind: FaceKind) -> JsonObject:
    """The instance as it stands: nothing secret. Times are unix seconds."""
    seen = runtime.state.snapshot()
    return {
        "pid": os.getpid(),
        "kind": kind,
        "version": __version__,
        "started_at": runtime.started_at,
        "address": seen.address,
        "server": seen.server,
        "servers": list(seen.servers),
        "paused": seen.paused,
        "in_flight": seen.in_flight,
        "last_error": seen.last_error,
        "notices": list(seen.notices),
        "requests": seen.totals.requests,
        "failures": seen.totals.failures,
    }


def _has_token(headers: Mapping[str, str], token: str) -> bool:
    scheme, _, shown = headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(shown.strip().encode("utf-8", "surrogateescape"), token.encode())
    return same and scheme.lower() == "bearer"


def is_local(request: web.Request) -> bool:
    """From this computer: loopback, or from the very address that the socket is bound to."""
    transport = request.transport
    if transport is None:
        return False
    return is_same_computer(transport.get_extra_info("peername"), transport.get_extra_info("sockname"))


async def _server_name(request: web.Request) -> str:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        return ""
    name = body.get("server") if isinstance(body, dict) else None
    return name if isinstance(name, str) else ""


def _json(body: JsonObject, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def _error(status: int, message: str) -> web.Response:
    return _json({"error": message}, status)
