"""Requests, samples and statistics over control. Figures and names only, never a word of what was said."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import get_args

from aiohttp import web

from app.control.answers import RefusedError, Row, answer, number_in
from app.control.facts import LONGEST_HOURS, history_stats
from app.history.reading import By
from app.history.schema import HistoryTooNewError
from app.runtime import Runtime


class FigureVerbs:
    """requests…, series, stats."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def rows(self) -> tuple[Row, ...]:
        """What these verbs answer."""
        return (
            ("GET", "requests", self._requests),
            ("GET", "requests/{id}", self._request),
            ("POST", "requests/{id}/cancel", self._cancel),
            ("GET", "series", self._series),
            ("GET", "stats", self._stats),
        )

    async def _requests(self, request: web.Request) -> web.Response:
        count = int(number_in(request, "count", 50, 0, 200))
        meter = self._runtime.meter
        return answer({"running": meter.live_rows(), "recent": meter.recent(count)})

    async def _request(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        meter = self._runtime.meter
        found = next((row for row in (*meter.live_rows(), *meter.recent()) if row.id == name), None)
        if found is None:
            raise RefusedError(
                404, f"No request {name[:80]!r} is known to this run.", "See: proxy-cli logs --request ID"
            )
        return answer({"request": found})

    async def _cancel(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if not self._runtime.proxy.cancel(name):
            raise RefusedError(404, f"No request {name[:80]!r} is running.")
        return answer({"cancelled": name}, 202)

    async def _series(self, request: web.Request) -> web.Response:
        count = int(number_in(request, "count", 60, 1, 600))
        return answer({"samples": self._runtime.meter.series.samples(count)})

    async def _stats(self, request: web.Request) -> web.Response:
        hours = number_in(request, "hours", 24, 0.01, LONGEST_HOURS)
        by = _by(request.query.get("by", "none"))
        try:
            found = await asyncio.to_thread(history_stats, self._runtime.history, hours, by, time.time())
        except (sqlite3.Error, HistoryTooNewError) as error:
            raise RefusedError(500, f"The history cannot be read: {error}.") from None
        return answer(found | {"live": self._runtime.meter.totals})


def _by(word: str) -> By:
    for known in get_args(By):
        if word == known:
            return known  # type: ignore[no-any-return]  # get_args loses the literals
    raise RefusedError(400, f"by must be one of {', '.join(get_args(By))}.")
