"""Proxies on one folder of stores, an upstream that knows our own calls, and long conversations to send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from proxy_core.chat import Answer, Conversation, Image, Message, StopReason, Text, ToolCall, ToolResult, Usage
from proxy_core.events import Exchange, ExchangeFinished
from proxy_core.settings import Server
from tests.corridor import Corridor
from tests.fake_upstream import FakeUpstream, Received, Reply, _tell
from tests.legs import Leg, request, says
from tests.proxy_core.context.talks import SUMMARY

SEEN = "A red square without any words."
SIGHT = Reply(answer=Answer("v1", "glm-4.6v", (Text(SEEN),), StopReason.END_TURN, Usage(500, 0, 0, 9)))
SUM = Reply(answer=Answer("s1", "glm-4.6", (Text(SUMMARY),), StopReason.END_TURN, Usage(10, 9_000, 0, 500)))
TOO_LONG = Reply(status=400, body={"error": {"code": "1261", "message": "Prompt exceeds max length"}})
CAP_S = 20.0
PATHS = {"anthropic": "/v1/messages", "openai": "/v1/chat/completions", "responses": "/v1/responses"}
TEXT_LEGS = [
    Leg("anthropic", "anthropic"),
    Leg("anthropic", "openai"),
    Leg("openai", "anthropic"),
    Leg("openai", "openai"),
]


class KnowingUpstream(FakeUpstream):
    """Answers calls of the proxy's own with `sight` and `summary`, and all others as any upstream of the tests."""

    def __init__(self) -> None:
        super().__init__()
        self.sight, self.summary = SIGHT, SUM

    @property
    def sights(self) -> list[Received]:
        """The calls for descriptions."""
        return [one for one in self.requests if is_sight(one)]

    @property
    def summaries(self) -> list[Received]:
        """The calls for summaries."""
        return [one for one in self.requests if is_summary(one)]

    @property
    def talks(self) -> list[Received]:
        """What clients asked."""
        return [one for one in self.requests if not is_sight(one) and not is_summary(one)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        received = await self._receive(request)
        if is_sight(received):
            reply = self.sight
        elif is_summary(received):
            reply = self.summary
        else:
            reply = self.replies.pop(0) if self.replies else self.reply
        try:
            return await _tell(request, received, reply)
        except (asyncio.CancelledError, ConnectionError):
            received.left.set()
            raise


def is_sight(received: Received) -> bool:
    return b"You describe one picture" in received.raw


def is_summary(received: Received) -> bool:
    return b"Leave the task alone for this one reply" in received.raw


@dataclass
class House:
    """One upstream and one folder of stores, in which proxies come and go."""

    upstream: KnowingUpstream
    folder: Path
    beat_s: float = 10.0
    settings: dict[str, object] = field(default_factory=dict)
    proxies: list[Corridor] = field(default_factory=list)
    server: Server | None = None

    async def open(self, **settings: object) -> Corridor:
        """A proxy more, as after a restart or beside the others."""
        corridor = Corridor(self.upstream, self.folder, self.beat_s)
        corridor.change(**{**self.settings, **settings})
        if self.server is None:
            self.server = await self.upstream.start()
        corridor.server = self.server
        await corridor.proxy.start()
        self.proxies.append(corridor)
        return corridor

    async def restart(self, corridor: Corridor, **settings: object) -> Corridor:
        """The same once more, with nothing but its files."""
        self.proxies.remove(corridor)
        await corridor.stop()
        return await self.open(**settings)


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[House]:
    """All proxies are ended, then the upstream, which must have been sent nothing wrong."""
    house = House(KnowingUpstream(), folder)
    try:
        yield house
    finally:
        for corridor in house.proxies:
            await corridor.stop()
        await house.upstream.stop()
    assert house.upstream.violations == []


async def answer_counted(house: House, corridor: Corridor, reply: Reply, asking: Awaitable[object]) -> None:
    """One request, answered only once its prompt has been counted beside it. reply: with hold_at=0."""
    house.upstream.reply = reply
    house.upstream.arrived.clear()
    asked = asyncio.ensure_future(asking)
    async with asyncio.timeout(CAP_S):
        await house.upstream.arrived.wait()
        await corridor.proxy._counter.estimate(request("behind it"))
        reply.gate.set()
        await asked


def finished(corridor: Corridor, door: str = "") -> list[Exchange]:
    """Ended exchanges, in order; door: only those of one door ("pictures", "summary": our own)."""
    ended = [event.exchange for event in corridor.events if isinstance(event, ExchangeFinished)]
    own = ("pictures", "summary")
    return [one for one in ended if (one.door == door if door else one.door not in own)]


def block(number: int, *more: str) -> str:
    """An environment block as Cline appends it."""
    return "\n".join(["<environment_details>", "# Current Time", f"{number}:00", *more, "</environment_details>"])


def shown(*images: Image, turns: int = 3, last: str = "Go on.", model: str = "glm-4.6") -> Conversation:
    """Pictures in the first message, with so many turns behind it."""
    between = [message for _ in range(turns) for message in (says("Yes.", role="assistant"), says("Go on."))]
    return request(says("Look:", *images), *between[:-1], says(last), model=model)


def worked(turns: int, words: int = 780, model: str = "glm-4.6") -> Conversation:
    """Calls with long results, some 1000 tokens a turn, and a question behind them."""
    messages: list[Message] = [says("Build a parser.")]
    for number in range(turns):
        messages += [
            says(f"Step {number}.", ToolCall(f"c{number}", "read", "{}"), role="assistant"),
            says(ToolResult(f"c{number}", (Text(f"{number} " + "word " * words),))),
        ]
    return request(*messages, says("Done.", role="assistant"), "And now?", model=model)
