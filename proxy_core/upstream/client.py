"""One pooled client session for every upstream; the only place that opens connections.

Separate limits: connecting, the first byte, silence in mid-stream, and the whole of a plain request.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from math import inf

import aiohttp
import truststore
from yarl import URL

from proxy_core.errors import UpstreamError
from proxy_core.upstream.faults import connection_fault, first_byte_fault, read_fault, redirect_fault
from proxy_core.upstream.traffic import Traffic
from proxy_core.upstream.watchdog import Watchdog

MAX_ANSWER_BYTES = 256 * 1024 * 1024
MAX_ERROR_BYTES = 256 * 1024
_LARGE_BYTES = 2**20
_PIECE_BYTES = 2**18
_KEEPALIVE_S = 30.0
_DRAIN_S = 0.1
_ERROR_S = 10.0
_SAME_MOMENT_S = 0.5
_EVENT_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
_BEFORE_FIELDS = b"\xef\xbb\xbf\r\n \t"
_FIRST_ERROR = 400
_EVENT_STREAM = "text/event-stream"
_JSON = "application/json"
_CLOSED_ON_US = (aiohttp.ServerDisconnectedError, ConnectionResetError)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: connect, first byte of the answer, silence between chunks, the whole of a plain request."""

    connect_s: float
    first_byte_s: float
    idle_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request, ready for the wire. outbound_proxy: address of an HTTP proxy, "" for none."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    stream: bool
    limits: Limits
    outbound_proxy: str = ""
    method: str = "POST"


class UpstreamReply:
    """An answer whose head has arrived. Whoever gets it must `close()` it."""

    def __init__(self, response: aiohttp.ClientResponse, limits: Limits, traffic: Traffic) -> None:
        self._response = response
        self._traffic = traffic
        self._idle_s = limits.idle_s
        self._watchdog: Watchdog | None = None
        self._peeked = b""
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.content_type = response.content_type

    async def recognise(self) -> None:
        """Look how the body begins where its type says nothing of use: gateways send event streams as any text."""
        if self.content_type in (_EVENT_STREAM, _JSON) or self.status >= _FIRST_ERROR:
            return
        content = self._response.content
        start = b""
        with contextlib.suppress(aiohttp.ClientError, OSError):  # to be met again by who reads on
            while not start.startswith(_EVENT_FIELDS) and any(field.startswith(start) for field in _EVENT_FIELDS):
                if not (chunk := await content.readany()):
                    break
                self._peeked += chunk
                start = self._peeked.lstrip(_BEFORE_FIELDS)
        if start.startswith(_EVENT_FIELDS):
            self.content_type = _EVENT_STREAM

    async def chunks(self, beat_s: float = inf) -> AsyncGenerator[bytes, None]:
        """The body as it arrives, and b"" for every `beat_s` of silence.

        Raises UpstreamError when it breaks off or is silent for longer than allowed.
        """
        content = self._response.content
        if self._peeked:
            self._traffic.heard(self._peeked)
            yield self._peeked
        watchdog = self._watchdog = Watchdog(min(beat_s, self._idle_s))
        silent_s = 0.0
        while True:
            try:
                with watchdog:
                    chunk = await content.readany()
            except TimeoutError as error:
                silent_s += watchdog.limit_s
                if silent_s >= self._idle_s:
                    raise read_fault(error) from error
                yield b""
                continue
            except (aiohttp.ClientError, OSError) as error:
                self._traffic.end(error)
                if rest := _unread(content):
                    yield rest
                raise read_fault(error) from error
            if not chunk:
                return
            silent_s = 0.0
            self._traffic.heard(chunk)
            yield chunk

    async def read(self, limit_bytes: int = MAX_ANSWER_BYTES) -> bytes:
        """The whole body. Raises UpstreamError when it breaks off, falls silent or is larger than the limit."""
        parts: list[bytes] = []
        size = 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > limit_bytes:
                raise UpstreamError("The upstream's answer is larger than this proxy accepts.", status=502)
            parts.append(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def read_start(self, limit_bytes: int = MAX_ERROR_BYTES) -> bytes:
        """The body of an error, or as much of it as came: its status says the most anyway. Never raises."""
        start = b""
        with contextlib.suppress(UpstreamError, TimeoutError):
            async with asyncio.timeout(_ERROR_S), contextlib.aclosing(self.chunks()) as chunks:
                async for chunk in chunks:
                    start += chunk
                    if len(start) >= limit_bytes:
                        break
        return start[:limit_bytes]

    async def drain(self) -> None:
        """After the last event: the end of the body is usually there already; with it the connection is kept."""
        with contextlib.suppress(aiohttp.ClientError, OSError, asyncio.TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                await self._response.content.readany()

    def close(self) -> None:
        """Done with it: a connection whose body was read to its end is kept, any other is closed at once."""
        if self._watchdog is not None:
            self._watchdog.close()
        self._traffic.end()
        self._response.close()


class UpstreamClient:
    """The session. Built on a running loop by `open()`, gone after `close()`."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the session. The trust store is the system's own, so that company certificates work."""
        context = await asyncio.to_thread(truststore.SSLContext, ssl.PROTOCOL_TLS_CLIENT)
        # No bound on connections: a bound would queue streams behind each other without telling anyone.
        connector = aiohttp.TCPConnector(limit=0, ssl=context, keepalive_timeout=_KEEPALIVE_S, ttl_dns_cache=60)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            read_bufsize=2**18,
        )

    async def close(self) -> None:
        """Close the session and every connection of it."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, outgoing: Outgoing) -> UpstreamReply:
        """Send and wait for the head of the answer, whatever its status. Raises UpstreamError.

        A kept connection that the server closed in the very moment of sending is no fault of anyone: sent once
        more. A server that took its time first may have done the work already: not sent again.
        """
        traffic = Traffic(outgoing.method, outgoing.url, outgoing.headers, outgoing.body, stream=outgoing.stream)
        try:
            return await self._send(outgoing, traffic)
        except BaseException as error:
            traffic.end(error)
            raise

    async def _send(self, outgoing: Outgoing, traffic: Traffic) -> UpstreamReply:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await self._send_once(outgoing, traffic)
        except _CLOSED_ON_US as error:
            if loop.time() - began > _SAME_MOMENT_S:
                raise connection_fault(error, outgoing.url) from error
        try:
            return await self._send_once(outgoing, traffic)
        except _CLOSED_ON_US as error:
            raise connection_fault(error, outgoing.url) from error

    async def _send_once(self, outgoing: Outgoing, traffic: Traffic) -> UpstreamReply:
        if self._session is None:
            raise UpstreamError("The proxy is not running.", status=503)
        limits = outgoing.limits
        try:
            async with asyncio.timeout(limits.connect_s + limits.first_byte_s):
                return await self._ask(self._session, outgoing, traffic)
        except _CLOSED_ON_US:
            raise
        except aiohttp.ServerTimeoutError as error:
            raise connection_fault(error, outgoing.url) from error
        except TimeoutError as error:
            raise first_byte_fault(outgoing.url, limits.first_byte_s) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise connection_fault(error, outgoing.url) from error

    async def _ask(self, session: aiohttp.ClientSession, outgoing: Outgoing, traffic: Traffic) -> UpstreamReply:
        response = await session.request(
            outgoing.method,
            URL(outgoing.url, encoded=False),
            data=_Pieces(outgoing.body) if len(outgoing.body) >= _LARGE_BYTES else outgoing.body,
            headers={**outgoing.headers, "content-length": str(len(outgoing.body))},
            allow_redirects=False,
            proxy=_proxy_for(outgoing),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=outgoing.limits.connect_s),
        )
        traffic.head(response.status)
        if 300 <= response.status < 400:
            response.close()
            raise redirect_fault(outgoing.url, response.status)
        reply = UpstreamReply(response, outgoing.limits, traffic)
        try:
            await reply.recognise()
        except BaseException:
            reply.close()
            raise
        return reply


class _Pieces:
    """A large body piece by piece, each awaited: given whole, aiohttp warns of it as blocking the loop."""

    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)
        self._place = 0

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> memoryview:
        piece = self._body[self._place : self._place + _PIECE_BYTES]
        if not piece:
            raise StopAsyncIteration
        self._place += len(piece)
        return piece


def _unread(content: aiohttp.StreamReader) -> bytes:
    """What arrived before the connection broke: a reader that was told of the break gives nothing any more."""
    return content._read_nowait(-1)


def _proxy_for(outgoing: Outgoing) -> str | None:
    if not outgoing.outbound_proxy or URL(outgoing.url).host in _LOOPBACK:
        return None
    return outgoing.outbound_proxy
