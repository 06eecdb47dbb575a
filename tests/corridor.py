"""The real proxy over a scripted upstream, and the official SDKs to call it with."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import anthropic
import openai
import orjson
from yarl import URL

from proxy_core.events import Event, EventBus
from proxy_core.pipeline.setup import Setup
from proxy_core.server.proxy import Proxy
from proxy_core.settings import ProxySettings, Server
from proxy_core.stores.bundle import open_stores
from proxy_core.upstream.retry import Pace
from tests.fake_upstream import FakeUpstream

CLIENT_KEY = "client-key-of-the-test"
STORED_KEY = "stored-key-of-the-test"
_TIMEOUT_S = 30.0
_BEAT_S = Pace().beat_s
_LARGE_BYTES = 2**20


class Corridor:
    """A running proxy. settings, access_key, stored_key and the clock may be changed at any time.

    failover: another server, keys: those that differ from stored_key, by server.
    waits: the seconds between tries, which pass in no time here; without jitter. folder: where its stores are, if they
    are to outlive it. shared: the address of a store over that folder; said: what there is to say about it.
    """

    def __init__(
        self, upstream: FakeUpstream, folder: Path | None = None, beat_s: float = _BEAT_S, shared: str = ""
    ) -> None:
        self.said: list[str] = []
        self.upstream = upstream
        self.settings = ProxySettings(port=0)
        self.access_key: str | None = None
        self.stored_key: str | None = STORED_KEY
        self.server = Server(name="none", endpoint="http://127.0.0.1:9")
        self.failover: Server | None = None
        self.keys: dict[str, str | None] = {}
        self.events: list[Event] = []
        self.waits: list[float] = []
        self.clock: Callable[[], float] = time.time
        bus = EventBus()
        bus.subscribe(self.events.append)
        self.proxy = Proxy(
            setup=lambda: Setup(self.settings, self.server, self.access_key, (), self.failover),
            key_of=self._key_of,
            bus=bus,
            encoder=lambda: lambda text: len(text) // 4,
            pace=Pace(sleep=self._sleep, random=lambda: 0.0, beat_s=beat_s),
            clock=lambda: self.clock(),
            stores=None
            if folder is None
            else open_stores(shared, folder, lambda: 200, lambda: self.clock(), self.said.append),
        )

    async def start(self) -> None:
        """Both listen."""
        self.server = await self.upstream.start()
        await self.proxy.start()

    async def stop(self) -> None:
        """Whatever is still running is cut."""
        await self.proxy.stop(0.0)
        await self.proxy.stores.close()

    @property
    def url(self) -> str:
        """Where clients call, without a path."""
        assert self.proxy.address is not None
        return f"http://127.0.0.1:{self.proxy.address[1]}"

    def change(self, **changes: object) -> None:
        """Other settings from the next request on."""
        self.settings = ProxySettings.model_validate(self.settings.model_dump() | changes)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    async def _key_of(self, server: str) -> str | None:
        return self.keys.get(server, self.stored_key)


@asynccontextmanager
async def open_anthropic(base_url: str, api_key: str = CLIENT_KEY) -> AsyncIterator[anthropic.AsyncAnthropic]:
    """The SDK without retries; never by an HTTP proxy of the machine's environment."""
    async with (
        anthropic.DefaultAsyncHttpxClient(trust_env=False, verify=False) as http,
        anthropic.AsyncAnthropic(
            base_url=base_url, api_key=api_key, max_retries=0, timeout=_TIMEOUT_S, http_client=http
        ) as client,
    ):
        yield client


@asynccontextmanager
async def open_openai(base_url: str, api_key: str = CLIENT_KEY) -> AsyncIterator[openai.AsyncOpenAI]:
    """The SDK without retries; never by an HTTP proxy of the machine's environment."""
    async with (
        openai.DefaultAsyncHttpxClient(trust_env=False, verify=False) as http,
        openai.AsyncOpenAI(
            base_url=base_url, api_key=api_key, max_retries=0, timeout=_TIMEOUT_S, http_client=http
        ) as client,
    ):
        yield client


@dataclass(frozen=True)
class Got:
    """A raw HTTP answer. body is its JSON, None where it holds none; text is all of it."""

    status: int
    headers: Mapping[str, str]
    body: object
    text: str


async def call(
    corridor: Corridor, method: str, path: str, data: object = None, headers: Mapping[str, str] | None = None
) -> Got:
    """One request without an SDK. data: bytes go as they are, async pieces without a length, anything else as JSON."""
    raw = orjson.dumps(data) if isinstance(data, (dict, list)) else data
    if isinstance(raw, bytes) and len(raw) > _LARGE_BYTES:
        raw = io.BytesIO(raw)
    url = URL(corridor.url + path, encoded=True)
    async with (
        aiohttp.ClientSession(auto_decompress=True) as session,
        session.request(method, url, data=raw, headers=headers, allow_redirects=False) as response,
    ):
        text = await response.text()
        is_json = bool(text) and response.content_type == "application/json"
        return Got(response.status, response.headers, orjson.loads(text) if is_json else None, text)
