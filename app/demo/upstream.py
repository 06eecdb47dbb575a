"""The demo's listener: both dialects on one loopback port, on the loop of whoever starts it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from aiohttp import web

from app.demo import speak_anthropic, speak_openai
from app.demo.faults import FAULTS, Fault, Trouble, anthropic_envelope, find_fault, openai_envelope
from app.demo.frames import Frame
from app.demo.prompt import Turn, is_background, last_turn
from app.demo.reply import compose
from proxy_core.chat import Answer, Conversation, StopReason, Text, has_images
from proxy_core.dialects.table import DIALECTS
from proxy_core.errors import BadRequestError
from proxy_core.jsontypes import JsonObject
from proxy_core.routing.catalogue import MODELS, model_facts
from proxy_core.settings import Server

_MAX_BODY_BYTES = 256 * 1024 * 1024
_LONGEST_SILENCE_S = 900.0
_NO_GRACE_S = 0.01
"""aiohttp reads zero as "wait for ever"."""
_WRONG_KEY = re.compile(r"(?:bearer\s+)?wrong", re.IGNORECASE)
"""A key that begins so is refused, to show what that looks like."""
_FAST = re.compile(r"\bfast\b|快", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Manner:
    """How one side speaks."""

    dialect: str
    whole: Callable[[Answer], JsonObject]
    frames: Callable[[Answer], Iterator[Frame]]
    failing: Callable[[Answer], list[Frame]]
    envelope: Callable[[Fault, datetime], JsonObject]


_ANTHROPIC = Manner(
    "anthropic", speak_anthropic.whole, speak_anthropic.frames, speak_anthropic.network_error, anthropic_envelope
)
_OPENAI = Manner("openai", speak_openai.whole, speak_openai.frames, speak_openai.network_error, openai_envelope)


class DemoUpstream:
    """A server called `demo`. It may be started again after it was stopped."""

    def __init__(self, *, tokens_per_s: float = 40.0) -> None:
        self._tokens_per_s = tokens_per_s
        self._runner: web.AppRunner | None = None

    async def start(self) -> Server:
        """Listen on a free loopback port; the server to put into the list."""
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_post("/api/anthropic/v1/messages", self._messages)
        app.router.add_get("/api/anthropic/v1/models", _list_models)
        for plan in ("coding/paas", "paas"):
            app.router.add_post(f"/api/{plan}/v4/chat/completions", self._completions)
            app.router.add_get(f"/api/{plan}/v4/models", _list_models)
        # A caller that leaves ends its handler, whatever that is waiting for; so does stop().
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_NO_GRACE_S, access_log=None)
        await runner.setup()
        self._runner = runner
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        root = f"http://{host}:{port}"
        return Server(
            name="demo",
            endpoint=root,
            region="Built in",
            anthropic_base=f"{root}/api/anthropic",
            openai_base=f"{root}/api/coding/paas/v4",
        )

    async def stop(self) -> None:
        """End the listener and every answer that is being told."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, _ANTHROPIC)

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, _OPENAI)

    async def _serve(self, request: web.Request, manner: Manner) -> web.StreamResponse:
        key = request.headers.get("x-api-key") or request.headers.get("authorization") or ""
        if _WRONG_KEY.match(key):
            return _error_reply(FAULTS["1002"], manner)
        conversation = await _read(request, manner)
        if isinstance(conversation, Fault):
            return _error_reply(conversation, manner)
        turn = last_turn(conversation)
        fault = None if turn.calls or is_background(conversation, turn) else find_fault(turn.prompt)
        if fault is None and manner is _OPENAI and turn.pictures and not model_facts(conversation.model).sees:
            fault = FAULTS["1210"]
        if isinstance(fault, Fault):
            return _error_reply(fault, manner)
        if fault is Trouble.SLOW:
            await asyncio.sleep(_LONGEST_SILENCE_S)
        answer = await _composed(conversation, turn, fault)
        if conversation.stream:
            return await self._stream(request, manner, answer, fault, _FAST.search(turn.prompt) is not None)
        return await _reply_whole(request, manner, answer, fault)

    async def _stream(
        self, request: web.Request, manner: Manner, answer: Answer, trouble: Trouble | None, is_fast: bool
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream;charset=UTF-8"})
        await response.prepare(request)
        for frame in _troubled(list(manner.frames(answer)), manner, answer, trouble):
            await response.write(frame.data)
            await asyncio.sleep(0 if is_fast else frame.tokens / self._tokens_per_s)
        if trouble is Trouble.STALL:
            await asyncio.sleep(_LONGEST_SILENCE_S)
        if trouble in (Trouble.CUT, Trouble.STALL):
            _break_off(request)
        return response


def _troubled(frames: list[Frame], manner: Manner, answer: Answer, trouble: Trouble | None) -> list[Frame]:
    """The frames that are sent at all."""
    if trouble in (Trouble.CUT, Trouble.STALL):
        return frames[: len(frames) // 2]
    if trouble is Trouble.NETWORK:
        return [*frames[: len(frames) // 2], *manner.failing(answer)]
    return frames


async def _read(request: web.Request, manner: Manner) -> Conversation | Fault:
    """The request, or the error reply that a malformed one gets."""
    try:
        body = orjson.loads(await request.read())
        if not isinstance(body, dict):
            return FAULTS["1210"]
        return DIALECTS[manner.dialect].read_request(body)
    except orjson.JSONDecodeError:
        return FAULTS["1210"]
    except BadRequestError as error:
        return Fault(400, "1214", str(error))


async def _composed(conversation: Conversation, turn: Turn, trouble: Trouble | None) -> Answer:
    if trouble is Trouble.SENSITIVE:
        return Answer("demosensitive", conversation.model, (Text("I would rather not."),), StopReason.REFUSAL)
    if has_images(conversation):
        return await asyncio.to_thread(compose, conversation, turn)
    return compose(conversation, turn)


async def _reply_whole(
    request: web.Request, manner: Manner, answer: Answer, trouble: Trouble | None
) -> web.StreamResponse:
    body = orjson.dumps(manner.whole(answer))
    if trouble not in (Trouble.CUT, Trouble.STALL, Trouble.NETWORK):
        return web.Response(body=body, content_type="application/json")
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    _break_off(request)
    return response


def _break_off(request: web.Request) -> None:
    """Die without a word: the caller sees a connection reset in the middle of the body."""
    if request.transport is not None:
        request.transport.abort()


def _error_reply(fault: Fault, manner: Manner) -> web.Response:
    return web.json_response(manner.envelope(fault, datetime.now(UTC)), status=fault.status)


async def _list_models(_request: web.Request) -> web.Response:
    data = [{"id": facts.id, "object": "model", "created": 0, "owned_by": "z-ai"} for facts in MODELS]
    return web.json_response({"object": "list", "data": data})
