"""Servers and their keys over control. A key goes in and never comes out."""

from __future__ import annotations

from aiohttp import web
from pydantic import ValidationError

from app.control.answers import RefusedError, Row, answer, read_object, text_in
from app.control.facts import reaches, server_object
from app.runtime import Runtime
from proxy_core.jsontypes import JsonObject
from proxy_core.settings import Server
from proxy_core.upstream.trial import KeyTrial


class ServerVerbs:
    """servers…, keys…"""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def rows(self) -> tuple[Row, ...]:
        """What these verbs answer."""
        return (
            ("GET", "servers", self._list),
            ("PUT", "servers/{name}", self._put),
            ("DELETE", "servers/{name}", self._remove),
            ("POST", "servers/{name}/test", self._test),
            ("PUT", "keys/{name}", self._put_key),
            ("DELETE", "keys/{name}", self._delete_key),
            ("POST", "keys/{name}/test", self._test),
            ("POST", "keys/{name}/examine", self._examine),
            ("POST", "keys/import", self._import),
        )

    async def _list(self, request: web.Request) -> web.Response:
        """With ?reach=1 each server says how far away it is."""
        runtime = self._runtime
        servers = runtime.servers.all()
        current = runtime.servers.get(runtime.store.current.current_server).name
        rows = [
            server_object(
                server,
                current=current,
                key=(await runtime.key_source(server.name)).value,
                breaker=runtime.proxy.breaker_state(server.name),
            )
            for server in servers
        ]
        if request.query.get("reach"):
            for row, found in zip(rows, await reaches(servers), strict=True):
                row["reach"] = found
        return answer({"servers": rows, "key_problem": runtime.key_problem or ""})

    async def _put(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        body = await read_object(request)
        known = name in self._runtime.servers.names()
        values: JsonObject = self._runtime.servers.get(name).model_dump() if known else {"name": name}
        try:
            server = Server.model_validate(values | {**body, "name": name})
        except ValidationError as error:
            raise RefusedError(400, _first_problem(error)) from None
        await self._runtime.put_server(server)
        return answer({"name": name, "added": not known})

    async def _remove(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        await self._runtime.remove_server(name)
        return answer({"removed": name})

    async def _test(self, request: web.Request) -> web.Response:
        """Ask the server about a key, the given or the stored one: one tiny request."""
        key = text_in(await read_object(request), "key")
        trial: KeyTrial = await self._runtime.try_key(request.match_info["name"], key or None)
        return answer(trial)

    async def _put_key(self, request: web.Request) -> web.Response:
        name = self._runtime.servers.get(request.match_info["name"]).name
        await self._runtime.set_key(name, text_in(await read_object(request), "key"))
        source = await self._runtime.key_source(name)
        return answer({"server": name, "key": source.value, "problem": self._runtime.key_problem or ""})

    async def _delete_key(self, request: web.Request) -> web.Response:
        name = self._runtime.servers.get(request.match_info["name"]).name
        await self._runtime.delete_key(name)
        source = await self._runtime.key_source(name)
        return answer({"server": name, "key": source.value or "none", "problem": self._runtime.key_problem or ""})

    async def _examine(self, request: web.Request) -> web.Response:
        key = text_in(await read_object(request), "key")
        found = await self._runtime.examine_key(request.match_info["name"], key or None)
        if found is None:
            raise RefusedError(409, "There is no key, or the server is not the vendor's own: its key must not travel.")
        rows = [
            {"server": row.server.name, "plan": row.plan, "dialect": row.dialect.value, "finding": row.finding.value}
            | {"status": row.status, "code": row.code, "words": row.words}
            for row in found.rows
        ]
        return answer({"verdict": found.verdict.kind.value, "words": found.verdict.words, "rows": rows})

    async def _import(self, _: web.Request) -> web.Response:
        report = await self._runtime.import_found_keys()
        return answer({"imported": report.imported, "left": len(report.left), "reasons": report.reasons})


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}"
