"""The demo server behind a check of all it is sent: an agent may be served and the request be illegal all the same."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from aiohttp import web

from app.demo.upstream import DemoUpstream, Manner
from tests.wire_rules import broken_rules


@dataclass(frozen=True)
class Check:
    """One request that came. broken: the rules it broke, as sentences; empty for a legal one."""

    dialect: str
    broken: tuple[str, ...]


class CheckingUpstream(DemoUpstream):
    """Answers as the demo does, whether or not the request was legal. secrets: texts that no header may carry."""

    def __init__(self, *, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self.checks: list[Check] = []
        self._secrets = secrets

    async def _serve(self, request: web.Request, manner: Manner) -> web.StreamResponse:
        raw = await request.read()  # kept by aiohttp for whoever reads next
        try:
            broken = broken_rules(manner.dialect, orjson.loads(raw), request.headers, self._secrets)
        except orjson.JSONDecodeError as error:
            broken = [f"[json] {error}"]
        self.checks.append(Check(manner.dialect, tuple(broken)))
        return await super()._serve(request, manner)
