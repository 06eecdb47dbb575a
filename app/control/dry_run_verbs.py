"""POST dry-run: what would become of a request, without sending anything."""

from __future__ import annotations

from aiohttp import web

from app.control.answers import RefusedError, Row, answer, read_object, text_in
from app.runtime import Runtime
from proxy_core.errors import ProxyError

_MIB = 2**20


class DryRunVerbs:
    """{"dialect": "anthropic" | "openai", "body": {…}} → the edited body, where it would go, and the ledger."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def rows(self) -> tuple[Row, ...]:
        """What this answers."""
        return (("POST", "dry-run", self._dry_run),)

    async def _dry_run(self, request: web.Request) -> web.Response:
        most = self._runtime.store.current.max_body_mb * _MIB
        told = await read_object(request, most)
        body, dialect = told.get("body"), text_in(told, "dialect", "anthropic")
        if not isinstance(body, dict):
            raise RefusedError(400, "body must be the JSON object of a request.")
        try:
            found = await self._runtime.dry_run(dialect, body)
        except KeyError:
            raise RefusedError(400, "dialect must be anthropic or openai.") from None
        except ProxyError as error:
            raise RefusedError(error.status, str(error)) from None
        return answer({"body": found.body, "route": found.route_text, "ledger": found.ledger})
