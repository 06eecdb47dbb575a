"""GET events: one picture a second as server-sent events, for live views; it ends when the instance does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import orjson
from aiohttp import web

from app.control.answers import Row, answer
from app.runtime import Runtime
from proxy_core.jsontypes import JsonObject
from proxy_core.telemetry.rows import ExchangeRow

PERIOD_S = 1.0


class LiveVerbs:
    """The event stream. ended: set when the instance stops listening. status: as GET status has it."""

    def __init__(self, runtime: Runtime, ended: asyncio.Event, status: Callable[[], JsonObject]) -> None:
        self._runtime = runtime
        self._ended = ended
        self._status = status

    def rows(self) -> tuple[Row, ...]:
        """What this answers."""
        return (("GET", "events", self._events),)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        headers = {"content-type": "text/event-stream", "cache-control": "no-store"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        told: tuple[ExchangeRow, ...] = ()
        with suppress(ConnectionError):  # whoever looked has left
            while not self._ended.is_set():
                told = await self._tell(response, told)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), PERIOD_S)
            await response.write(b"event: end\ndata: {}\n\n")
            await response.write_eof()
        return response

    async def _tell(self, response: web.StreamResponse, told: tuple[ExchangeRow, ...]) -> tuple[ExchangeRow, ...]:
        """One snapshot; recent: those that ended since the one before (at first: all that are remembered)."""
        meter = self._runtime.meter
        recent = meter.recent()
        known = {row.id for row in told}
        snapshot = {
            "status": self._status(),
            "sample": meter.series.latest,
            "running": meter.live_rows(),
            "recent": [row for row in recent if row.id not in known],
        }
        raw = answer(snapshot).body
        data = raw if isinstance(raw, bytes) else orjson.dumps({})
        await response.write(b"event: snapshot\ndata: " + data + b"\n\n")
        return recent
