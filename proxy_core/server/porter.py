"""The one entrance: finds the door, checks who comes, and turns every fault into the caller's envelope."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable

import orjson
from aiohttp import web

from proxy_core.dialects.table import CLIENT_DIALECTS
from proxy_core.errors import ErrorKind, ProxyError
from proxy_core.pipeline.setup import Setup
from proxy_core.request_id import REQUEST_ID
from proxy_core.server.access import check_host, check_key, check_origin, check_peer, own_names
from proxy_core.server.desk import Desk, Visit, going_down, is_deep
from proxy_core.server.doors import DOORS, Door, Room, dialect_of, find_door

log = logging.getLogger(__name__)

_LAST_WORDS_S = 1.5
ORIGIN = web.RequestKey("origin", str)
_CORS_METHODS = "GET, POST, HEAD, OPTIONS"


class Porter:
    """Handles every request of the listener. paused: chat is answered with 503 until resumed."""

    def __init__(self, setup: Callable[[], Setup], desk: Desk) -> None:
        self._setup = setup
        self._desk = desk
        self.paused = False
        self._chats: dict[asyncio.Task[object], str] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_leaving = False

    @property
    def in_flight(self) -> int:
        """Chat requests being answered right now."""
        return len(self._chats)

    async def leave(self, grace_s: float) -> None:
        """Take no chat any more, not by open connections either; let those that run end for so many seconds, then
        cut the rest. Each client is told that it was cut."""
        self._is_leaving = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        self._desk.is_stopping = True
        for task in tuple(self._chats):
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._idle.wait()

    def cancel(self, request_id: str) -> bool:
        """Cut off one chat request, as if its client had left; False where none of this id runs."""
        found = next((task for task, name in self._chats.items() if name == request_id), None)
        return found is not None and found.cancel()

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """The response to any request whatsoever; never raises but for cancellation."""
        request_id = f"req_{uuid.uuid4().hex[:24]}"
        bound = REQUEST_ID.set(request_id)
        try:
            return await self._receive(request, request_id)
        finally:
            REQUEST_ID.reset(bound)

    async def _receive(self, request: web.Request, request_id: str) -> web.StreamResponse:
        found = find_door(request.path)
        door, model_id = found or (None, "")
        dialect = dialect_of(door, request.headers)
        try:
            return await self._let_in(request, door, model_id, dialect, request_id)
        except ProxyError as error:
            log.info("%s refused %s: %s", request_id, printable(request.path[:200]), error.kind.value)
            return error_response(error, dialect, request_id)
        except (ConnectionError, web.HTTPException):
            raise
        except Exception as error:  # the border: a bug must not look like the client's fault, nor tell more than this
            log.exception("%s failed inside the proxy", request_id)
            fault = ProxyError(f"The proxy itself failed ({type(error).__name__}).", hint=f"See its log: {request_id}.")
            return error_response(fault, dialect, request_id)

    async def _let_in(
        self, request: web.Request, door: Door | None, model_id: str, dialect: str, request_id: str
    ) -> web.StreamResponse:
        setup = self._setup()
        names = own_names(setup.settings.host, setup.settings.allowed_hosts)
        request[ORIGIN] = check_origin(request.headers, names)
        check_host(request.headers, names, request.raw_path)
        check_peer(*_ends(request), setup.access_key)
        if request.method == "OPTIONS":
            return _preflight(request)
        is_open = door is not None and door.room is Room.HEALTH and not is_deep(request)
        client_key = None if is_open else check_key(request.headers, setup.access_key)
        if door is None:
            raise _no_such_door(request.path)
        if request.method not in door.methods:
            raise _wrong_method(request.method, door)
        visit = Visit(request_id, door, dialect, setup, client_key, model_id)
        if door.room is not Room.CHAT:
            return await self._desk.answer(request, visit)
        if self.paused:
            raise ProxyError("The proxy is paused.", kind=ErrorKind.OVERLOADED, status=503, hint="Resume it.")
        return await self._chat(request, visit)

    async def _chat(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        """Counted while it runs, so that leaving can wait for it and cut it."""
        task = asyncio.current_task()
        if task is None or self._is_leaving:
            raise going_down()
        self._chats[task] = visit.id
        self._idle.clear()
        try:
            return await self._desk.answer(request, visit)
        finally:
            self._chats.pop(task, None)
            if not self._chats:
                self._idle.set()


def _ends(request: web.Request) -> tuple[object, object]:
    """Who called and at which address of ours, as the socket tells; nothing of a socket that is gone."""
    transport = request.transport
    if transport is None:
        return None, None
    return transport.get_extra_info("peername"), transport.get_extra_info("sockname")


def printable(text: str) -> str:
    """Text of a stranger on one line of the log: no control character reaches the terminal that shows it."""
    return text if text.isprintable() else ascii(text)[1:-1]


async def allow_origin(request: web.Request, response: web.StreamResponse) -> None:
    """Signal before any response goes out: an origin that was let in may read it; never a wildcard."""
    if origin := request.get(ORIGIN, ""):
        response.headers["access-control-allow-origin"] = origin
        response.headers["vary"] = "origin"


def error_response(error: ProxyError, dialect: str, request_id: str) -> web.Response:
    """A fault in the envelope of a dialect, with the headers that its SDK obeys."""
    headers = {"request-id": request_id, "x-request-id": request_id}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after_s)))
    if error.should_retry is not None:
        headers["x-should-retry"] = "true" if error.should_retry else "false"
    room = CLIENT_DIALECTS[dialect]
    body = orjson.dumps(room.write_error(error, request_id))
    return web.Response(body=body, status=room.status_of(error), headers=headers, content_type="application/json")


def _preflight(request: web.Request) -> web.Response:
    """What a page whose origin was accepted may do; `allow_origin` names the origin."""
    asked = request.headers.get("access-control-request-headers", "")
    return web.Response(
        status=204,
        headers={
            "access-control-allow-methods": _CORS_METHODS,
            "access-control-allow-headers": asked or "authorization, content-type, x-api-key, anthropic-version",
            "access-control-max-age": "600",
        },
    )


def _no_such_door(path: str) -> ProxyError:
    doors = ", ".join(door.path for door in DOORS)
    return ProxyError(f"Nothing is served at {path[:200]!r}.", kind=ErrorKind.NOT_FOUND, hint=f"There is: {doors}.")


def _wrong_method(method: str, door: Door) -> ProxyError:
    return ProxyError(
        f"{door.path} does not take {method[:20]!r}.",
        kind=ErrorKind.BAD_REQUEST,
        status=405,
        hint=f"Use {' or '.join(door.methods)}.",
    )
