"""An upstream on loopback that says what a test tells it to, and checks what it is sent.

One `Answer` is told in both dialects (by the demo's own imitation of the real upstream). What breaks a rule of
`wire_rules` is collected in `violations`; the `upstream` fixture fails the test over them.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import orjson
from aiohttp import web
from multidict import CIMultiDict

from app.demo import speak_anthropic, speak_openai
from app.demo.frames import Split
from app.demo.sizes import pieces_of
from proxy_core.chat import Answer, StopReason, Text, Usage
from proxy_core.settings import Server
from tests.wire_rules import broken_rules

HELLO = Answer("fake1", "glm-4.6", (Text("Hello, world."),), StopReason.END_TURN, Usage(12, 64, 0, 5))


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What to answer.

    body: raw bytes or JSON instead of `answer`. cut_at: the body stops after so many bytes, and `ending` says how:
    "proper" ends the HTTP body as if nothing were missing, "close" and "abort" break the connection (FIN, RST).
    piece_bytes: how many bytes go out at a time. hold_at: after so many bytes it waits for `gate`.
    started_usage: what an Anthropic `message_start` claims (the real one claims nothing).
    """

    answer: Answer = HELLO
    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    ending: Literal["proper", "close", "abort"] = "proper"
    piece_bytes: int = 1 << 20
    hold_at: int | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    gzip: bool = False
    split: Split = pieces_of
    started_usage: Usage | None = None

    def render(self, dialect: str, *, stream: bool) -> bytes:
        """The whole body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        if self.body is not None:
            return orjson.dumps(self.body)
        if dialect == "anthropic":
            frames = speak_anthropic.frames(self.answer, self.split, self.started_usage)
            whole = speak_anthropic.whole(self.answer)
        else:
            frames = speak_openai.frames(self.answer, self.split)
            whole = speak_openai.whole(self.answer)
        return b"".join(frame.data for frame in frames) if stream else orjson.dumps(whole)


@dataclass
class Received:
    """One request as it came. left: set once the caller's connection is gone before the reply was complete."""

    method: str
    path: str
    dialect: str
    headers: CIMultiDict[str]
    raw: bytes
    body: dict[str, object]
    sent: bytes = b""
    left: asyncio.Event = field(default_factory=asyncio.Event)


class FakeUpstream:
    """Set `reply`, or `replies` for one after the other; then look into `requests`."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.replies: list[Reply] = []
        self.requests: list[Received] = []
        self.violations: list[str] = []
        self.secrets: tuple[str, ...] = ()
        self.is_checking = True
        self.arrived = asyncio.Event()
        self._allowed: tuple[str, ...] = ()
        self._runner: web.AppRunner | None = None

    @property
    def last(self) -> Received:
        """The newest request."""
        return self.requests[-1]

    def allow(self, *names: str) -> None:
        """Rules that this test breaks on purpose, by the names in brackets."""
        self._allowed += tuple(f"[{name}]" for name in names)

    async def start(self) -> Server:
        """Listen on a free loopback port."""
        app = web.Application(client_max_size=256 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return Server(name="fake", endpoint=f"http://127.0.0.1:{self._runner.addresses[0][1]}")

    async def stop(self) -> None:
        """End the listener and whatever it is still saying."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        received = await self._receive(request)
        reply = self.replies.pop(0) if self.replies else self.reply
        try:
            return await _tell(request, received, reply)
        except (asyncio.CancelledError, ConnectionError):
            received.left.set()
            raise

    async def _receive(self, request: web.Request) -> Received:
        dialect = "anthropic" if "/anthropic/" in request.path else "openai"
        raw = await request.read()
        body = orjson.loads(raw) if raw else {}
        received = Received(request.method, request.path, dialect, CIMultiDict(request.headers), raw, body)
        if request.method == "POST" and self.is_checking:
            broken = broken_rules(dialect, body, received.headers, self.secrets)
            self.violations += [rule for rule in broken if not rule.startswith(self._allowed or ("\0",))]
        self.requests.append(received)
        self.arrived.set()
        return received


async def _tell(request: web.Request, received: Received, reply: Reply) -> web.StreamResponse:
    stream = received.body.get("stream") is True and reply.status == 200
    body = reply.render(received.dialect, stream=stream)
    headers = {"Content-Type": "text/event-stream;charset=UTF-8" if stream else "application/json", **reply.headers}
    if reply.gzip:
        body = gzip.compress(body)
        headers["Content-Encoding"] = "gzip"
    response = web.StreamResponse(status=reply.status, headers=headers)
    if not stream and reply.ending != "proper":
        response.content_length = len(body)
    await _write_until_cut(request, response, received, reply, body)
    if reply.ending != "proper" and request.transport is not None:
        request.transport.abort() if reply.ending == "abort" else request.transport.close()
    return response


async def _write_until_cut(
    request: web.Request, response: web.StreamResponse, received: Received, reply: Reply, body: bytes
) -> None:
    if reply.hold_at == 0:
        await reply.gate.wait()
    await response.prepare(request)
    end = len(body) if reply.cut_at is None else reply.cut_at
    start = 0
    while start < end:
        piece_end = min(start + reply.piece_bytes, end)
        if reply.hold_at is not None and start < reply.hold_at <= piece_end:
            piece_end = reply.hold_at
        await response.write(body[start:piece_end])
        received.sent += body[start:piece_end]
        start = piece_end
        if start == reply.hold_at:
            await reply.gate.wait()
        else:
            await asyncio.sleep(0)
