"""One handler per kind of room: parse, call the corridor, answer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from aiohttp import web

from proxy_core.dialects.table import CLIENT_DIALECTS
from proxy_core.errors import BadRequestError, ErrorKind, ProxyError
from proxy_core.jsontypes import JsonObject
from proxy_core.pipeline.corridor import Corridor
from proxy_core.pipeline.patience import PatientReply
from proxy_core.pipeline.setup import Call, Setup, WholeReply
from proxy_core.pipeline.stream import StreamedReply
from proxy_core.routing.listing import find_listed, list_page, model_names
from proxy_core.server.bodies import read_body
from proxy_core.server.bounds import parse_bounded
from proxy_core.server.doors import Door, Room
from proxy_core.settings import ProxySettings, Server
from proxy_core.telemetry.metrics import CONTENT_TYPE
from proxy_core.upstream.watchdog import Watchdog
from proxy_core.version import __version__
from proxy_core.wire.headers import crossing_headers

log = logging.getLogger(__name__)

_MAX_CLIENT_NAME = 80
_LAST_WORDS_S = 1.0
_FITS_BUFFERS = 2**15
"""Bytes that are gone at once, whether anybody reads them or not."""
_LIMIT_DIGITS = 4
"""Python refuses to read a number of thousands of digits."""
_BROKEN = ProxyError("The proxy itself failed in the middle of this answer.", hint="See its log.")


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that was let in. model_id: of a model door. client_key: the caller's own, not the access key."""

    id: str
    door: Door
    dialect: str
    setup: Setup
    client_key: str | None
    model_id: str = ""


class Desk:
    """Answers visits. in_flight is asked for by /health. on_listing: told when a client asks which models there are.

    scrape: what /metrics says. probe: asks a server whether it answers.
    """

    def __init__(
        self,
        corridor: Corridor,
        in_flight: Callable[[], int],
        is_paused: Callable[[], bool],
        on_listing: Callable[[], None],
        scrape: Callable[[], Awaitable[bytes]],
        probe: Callable[[Server], Awaitable[JsonObject]],
    ) -> None:
        self._corridor = corridor
        self._in_flight = in_flight
        self._is_paused = is_paused
        self._on_listing = on_listing
        self._scrape = scrape
        self._probe = probe
        self._started = time.monotonic()
        self.is_stopping = False

    async def answer(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        """The response to one visit. Raises ProxyError."""
        match visit.door.room:
            case Room.CHAT:
                return await self._chat(request, visit)
            case Room.COUNT:
                call = await _call(request, visit)
                counted = await self._corridor.count(call)
                response = json_response({"input_tokens": counted.tokens})
                response.headers["x-proxy-token-source"] = counted.source
                return response
            case Room.MODELS:
                self._on_listing()
                return json_response(_models(request, visit))
            case Room.MODEL:
                return json_response(find_listed(visit.model_id, visit.setup.settings, visit.setup.discovered))
            case Room.HEALTH:
                return await self._health(visit.setup, is_deep=is_deep(request))
            case Room.METRICS:
                return web.Response(body=await self._scrape(), headers={"content-type": CONTENT_TYPE})
            case Room.ROOT:
                return json_response({"name": "anthropic-proxy", "version": __version__, "health": "/health"})

    def health(self, setup: Setup) -> JsonObject:
        """Cheap and open: no secret, no look at the upstream."""
        health: JsonObject = {
            "status": "paused" if self._is_paused() else "ok",
            "version": __version__,
            "uptime_s": round(time.monotonic() - self._started, 3),
            "server": setup.server.name,
            "in_flight": self._in_flight(),
        }
        if setup.failover is not None:
            health["breaker"] = self._corridor.breakers.of(setup.server.name).state.value
        return health

    async def _health(self, setup: Setup, *, is_deep: bool) -> web.Response:
        """Deep: with what the upstream says to a tiny request; 503 if that is no answer."""
        health = self.health(setup)
        if not is_deep:
            return json_response(health)
        health["upstream"] = upstream = await self._probe(setup.server)
        if upstream["ok"]:
            return json_response(health)
        return json_response(health | {"status": "degraded"}, 503)

    async def _chat(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        try:
            reply = await self._corridor.serve(await _call(request, visit))
        except asyncio.CancelledError:
            if not self.is_stopping:
                raise
            raise _told_in_full(going_down()) from None
        if isinstance(reply, WholeReply):
            response = web.Response(body=reply.body, headers=reply.headers)
            if len(reply.body) > _FITS_BUFFERS:
                await _send_whole(request, visit, response)
            return response
        return await self._send_stream(request, visit, reply)

    async def _send_stream(
        self, request: web.Request, visit: Visit, reply: StreamedReply | PatientReply
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=reply.headers)
        watchdog = Watchdog(visit.setup.settings.stream_timeout, lambda: _hang_up(request, visit.id))
        error: BaseException | None = None
        try:
            await response.prepare(request)
            async for chunk in reply.chunks():
                with watchdog:
                    await response.write(chunk)
            with watchdog:
                await response.write_eof()
        except asyncio.CancelledError as cancelled:
            error = cancelled
            if self.is_stopping and response.prepared:
                await _say_last(response, reply.interrupt(going_down()))
            raise
        except ConnectionError as gone:
            error = gone
            raise
        except Exception as fault:  # a bug in mid-stream: the head is out, so the stream itself must tell of it
            error = fault
            if not response.prepared:
                raise
            log.exception("%s failed in mid-stream", visit.id)
            await _say_last(response, reply.interrupt(_BROKEN))
        finally:
            watchdog.close()
            await reply.close(error)
        return response


def is_deep(request: web.Request) -> bool:
    """Whether /health is asked to look at the upstream, too, which is not for everybody."""
    return request.query.get("deep", "0") not in ("", "0", "false")


async def _send_whole(request: web.Request, visit: Visit, response: web.Response) -> None:
    """Before the server does it, which would wait for ever for a client that stopped reading."""
    watchdog = Watchdog(visit.setup.settings.stream_timeout, lambda: _hang_up(request, visit.id))
    try:
        with watchdog:
            await response.prepare(request)
            await response.write_eof()
    except ConnectionError:
        return  # the server meets the same, and ends the connection
    finally:
        watchdog.close()


def going_down() -> ProxyError:
    """What a request is told that came, or was still waiting, when the program ended."""
    return ProxyError("The proxy is shutting down.", kind=ErrorKind.OVERLOADED, status=503)


def _told_in_full(error: ProxyError) -> ProxyError:
    """The error instead of the cancellation that is being handled: this task goes on to tell it."""
    if (task := asyncio.current_task()) is not None:
        task.uncancel()
    return error


def _hang_up(request: web.Request, visit_id: str) -> None:
    """The client takes no more bytes, and would hold its place at the upstream for ever: treated as one that left."""
    log.info("%s hung up: its client stopped reading", visit_id)
    if request.transport is not None:
        request.transport.abort()


async def _say_last(response: web.StreamResponse, words: bytes) -> None:
    """The stream ends here before its time: the client is told, so that the cut does not look like an end."""
    try:
        async with asyncio.timeout(_LAST_WORDS_S):
            await response.write(words)
            await response.write_eof()
    except (ConnectionError, TimeoutError):
        return  # gone already: nobody is left to be told


async def _read(request: web.Request, settings: ProxySettings) -> bytes:
    """The body, if it comes within the time of a whole request: one that drips holds memory and a connection."""
    try:
        async with asyncio.timeout(settings.request_timeout):
            return await read_body(request, settings.max_body_mb)
    except TimeoutError:
        message = f"The body did not arrive within {settings.request_timeout:g} s."
        raise ProxyError(message, kind=ErrorKind.TIMEOUT, status=408) from None


async def _call(request: web.Request, visit: Visit) -> Call:
    raw = await _read(request, visit.setup.settings)
    return Call(
        id=visit.id,
        door=visit.door.path,
        dialect=CLIENT_DIALECTS[visit.dialect],
        body=parse_bounded(raw),
        body_bytes=len(raw),
        client_key=visit.client_key,
        headers=crossing_headers(request.headers),
        client=_client_name(request.headers.get("user-agent", "")),
    )


def _client_name(agent: str) -> str:
    """A caller's name as everybody may keep and show it: bytes that are no UTF-8 come as half surrogate pairs, which no
    JSON and no database takes, and some controls pass in headers."""
    return "".join(char if char.isprintable() else "\ufffd" for char in agent[:_MAX_CLIENT_NAME])


def _models(request: web.Request, visit: Visit) -> JsonObject:
    query = request.query
    limit: int | None = None
    if "limit" in query:
        is_number = len(query["limit"]) <= _LIMIT_DIGITS and query["limit"].isdecimal()
        if not is_number or not 1 <= int(query["limit"]) <= 1000:
            raise BadRequestError("limit: expected a number from 1 to 1000.", param="limit")
        limit = int(query["limit"])
    names = model_names(visit.setup.settings, visit.setup.discovered)
    return list_page(names, limit, query.get("after_id"), query.get("before_id"))


def json_response(body: object, status: int = 200) -> web.Response:
    """A JSON response written by orjson."""
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")
