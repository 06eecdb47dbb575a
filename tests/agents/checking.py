"""The demo server behind a check of all it is sent: an agent may be served and the request be illegal all the same."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from aiohttp import web

from app.demo.upstream import DemoUpstream, Manner
from tests.wire_rules import broken_rules

_SYSTEM = "[system]"


@dataclass(frozen=True)
class Check:
    """One request that came. broken: the rules it broke, as sentences; empty for a legal one, and for one whose only
    fault it was refused for, as the proxy is to find out."""

    dialect: str
    broken: tuple[str, ...]


class CheckingUpstream(DemoUpstream):
    """Answers as the demo does, whether or not the request was legal; but as strictly as the real server refuses
    system messages among the others on its Anthropic-style side. secrets: texts that no header may carry."""

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
        fatal = [rule for rule in broken if rule.startswith(_SYSTEM)]
        self.checks.append(Check(manner.dialect, tuple(rule for rule in broken if rule not in fatal)))
        return _refusal(orjson.loads(raw)) if fatal else await super()._serve(request, manner)


def _refusal(body: dict[str, list[dict[str, object]]]) -> web.Response:
    """As GLM's Anthropic-style side words it (zai-org/GLM-5 issue 74)."""
    place = next(place for place, message in enumerate(body["messages"]) if message["role"] == "system")
    detail = {
        "type": "literal_error",
        "loc": ["body", "messages", place, "role"],
        "msg": "Input should be 'user' or 'assistant'",
        "input": "system",
        "ctx": {"expected": "'user' or 'assistant'"},
    }
    return web.json_response({"detail": [detail]}, status=422)
