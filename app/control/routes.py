"""The doors under /control/v1/: for this user on this computer, with the token of runtime.json.

Every verb answers JSON; a refusal is {"error": sentence, "hint": remedy}. The rooms beside this one hold the verbs of
settings, servers and keys, figures, pictures, and the live stream.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from app.control.answers import Door, RefusedError, Row, answer, obey, read_object, refuse, text_in
from app.control.client import CONTROL
from app.control.dry_run_verbs import DryRunVerbs
from app.control.figure_verbs import FigureVerbs
from app.control.image_verbs import ImageVerbs
from app.control.live import LiveVerbs
from app.control.lock import FaceKind
from app.control.server_verbs import ServerVerbs
from app.control.settings_verbs import SettingsVerbs
from app.control.status import status_of
from app.runtime import Runtime
from proxy_core.errors import ProxyError
from proxy_core.jsontypes import JsonObject
from proxy_core.server.access import check_host, is_same_computer, own_names


@dataclass(frozen=True, slots=True)
class Face:
    """What a face lends to control. show: raise the window, False if there is none. stop: begin to end."""

    kind: FaceKind
    show: Callable[[], bool]
    stop: Callable[[], None]


class ControlRoutes:
    """The verbs, each behind the same guard. ended: set while the instance does not listen; live views end by it."""

    def __init__(self, runtime: Runtime, face: Face, token: str) -> None:
        self.ended = asyncio.Event()
        self._runtime = runtime
        self._face = face
        self._token = token
        self._rooms = (
            SettingsVerbs(runtime),
            ServerVerbs(runtime),
            FigureVerbs(runtime),
            ImageVerbs(runtime),
            DryRunVerbs(runtime),
            LiveVerbs(runtime, self.ended, self._status_object),
        )

    def all(self) -> tuple[web.RouteDef, ...]:
        """What the listener must know."""
        rows: list[Row] = [
            ("GET", "status", self._status),
            ("POST", "show", self._show),
            ("POST", "stop", self._stop),
            ("POST", "pause", self._pause),
            ("POST", "resume", self._resume),
            ("POST", "switch", self._switch),
            ("POST", "leave-console", self._leave_console),
        ]
        for room in self._rooms:
            rows += room.rows()
        return tuple(web.route(method, f"{CONTROL}/{path}", self._guarded(door)) for method, path, door in rows)

    def _guarded(self, door: Door) -> Door:
        async def enter(request: web.Request) -> web.StreamResponse:
            refusal = self._refusal(request)
            return refuse(refusal) if refusal is not None else await obey(door, request)

        return enter

    def _refusal(self, request: web.Request) -> RefusedError | None:
        settings = self._runtime.store.current
        try:
            check_host(request.headers, own_names(settings.host, settings.allowed_hosts))
        except ProxyError as error:
            return RefusedError(403, str(error))
        if "origin" in request.headers or not is_local(request):
            return RefusedError(403, "Control is for programs on this computer.")
        if not _has_token(request.headers, self._token):
            return RefusedError(401, "Control wants the token of runtime.json.")
        return None

    def _status_object(self) -> JsonObject:
        return status_of(self._runtime, self._face.kind)

    async def _status(self, _: web.Request) -> web.Response:
        return answer(self._status_object())

    async def _show(self, _: web.Request) -> web.Response:
        if not self._face.show():
            raise RefusedError(409, "This instance has no window: it runs headless.")
        return answer({"shown": True})

    async def _stop(self, request: web.Request) -> web.Response:
        """{"now": true} does not wait for streams that run."""
        if (await read_object(request)).get("now") is True:
            self._runtime.cut()
        asyncio.get_running_loop().call_soon(self._face.stop)
        return answer({"stopping": True}, 202)

    async def _pause(self, _: web.Request) -> web.Response:
        self._runtime.pause()
        return await self._status(_)

    async def _resume(self, _: web.Request) -> web.Response:
        self._runtime.resume()
        return await self._status(_)

    async def _switch(self, request: web.Request) -> web.Response:
        name = text_in(await read_object(request), "server")
        if not name:
            raise RefusedError(400, 'Say which server: {"server": "cn"}.')
        await self._runtime.switch_server(name)
        fixed = self._runtime.store.fixed_by("current_server")
        return answer({**self._status_object(), "fixed_by": fixed})

    async def _leave_console(self, _: web.Request) -> web.Response:
        """Write to the console of whoever started it no more: it went on in the background."""
        leave_console()
        return answer({"left": True})


def leave_console() -> None:
    """Let standard output and error of this process go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)


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
