"""The verbs of a running instance for code on a loop, and its stream of events.

live = LiveControlClient(client)
status = await live.ask(lambda verbs: verbs.switch("cn"))
async for snapshot in live.events():        # one a second: status, sample, running, recent (since the last)
    …
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import aiohttp

from app.control.client import CONTROL, ControlClient, ControlError
from proxy_core.jsontypes import JsonObject

T = TypeVar("T")
SILENCE_S = 10.0
"""A snapshot comes every second: an instance that is silent for so long is gone."""
_OK = 200
_MOST_LINE_BYTES = 16 * 1024 * 1024


class LiveControlClient:
    """Never through an HTTP proxy. Each raises ControlError."""

    def __init__(self, client: ControlClient) -> None:
        self.record = client.record
        self._client = client

    async def ask(self, verb: Callable[[ControlClient], T]) -> T:
        """One verb, in a thread."""
        return await asyncio.to_thread(verb, self._client)

    async def events(self) -> AsyncIterator[JsonObject]:
        """Snapshots until the instance ends. Raises ControlError where it refuses or is lost."""
        host = f"[{self.record.host}]" if ":" in self.record.host else self.record.host
        url = f"http://{host}:{self.record.port}{CONTROL}/events"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE_S, sock_read=SILENCE_S)
        headers = {"Authorization": f"Bearer {self.record.token}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, read_bufsize=_MOST_LINE_BYTES, trust_env=False) as session,
                session.get(url, headers=headers) as response,
            ):
                if response.status != _OK:
                    raise ControlError("The running instance refuses live views.", response.status)
                async for snapshot in _snapshots(response.content):
                    yield snapshot
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ControlError(f"The running instance was lost: {error}") from error


async def _snapshots(lines: aiohttp.StreamReader) -> AsyncIterator[JsonObject]:
    """The objects of `snapshot` events, until `end`."""
    event = ""
    async for line in lines:
        name, _, value = line.decode().rstrip("\r\n").partition(": ")
        if name == "event":
            event = value
        elif name == "data" and event == "snapshot":
            body = json.loads(value)
            if isinstance(body, dict):
                yield body
        if event == "end":
            return
