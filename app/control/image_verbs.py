"""Descriptions of pictures over control: list, read, edit, pin, delete, have made again."""

from __future__ import annotations

import base64

from aiohttp import web

from app.control.answers import RefusedError, Row, answer, read_object, text_in
from app.runtime import Runtime
from proxy_core.jsontypes import JsonObject
from proxy_core.stores.descriptions import Description, DescriptionStore


class ImageVerbs:
    """images…"""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def _store(self) -> DescriptionStore:
        return self._runtime.descriptions

    def rows(self) -> tuple[Row, ...]:
        """What these verbs answer."""
        return (
            ("GET", "images", self._list),
            ("GET", "images/{digest}", self._show),
            ("PATCH", "images/{digest}", self._change),
            ("DELETE", "images/{digest}", self._delete),
            ("POST", "images/{digest}/describe", self._describe),
        )

    async def _list(self, request: web.Request) -> web.Response:
        found = await self._store.list(request.query.get("search", ""))
        return answer({"images": found, "size": await self._store.size()})

    async def _show(self, request: web.Request) -> web.Response:
        digest = request.match_info["digest"]
        found = _there(await self._store.get(digest))
        thumbnail = await self._store.thumbnail(digest)
        body: JsonObject = {"image": found}
        if thumbnail is not None:
            body["thumbnail_jpeg_base64"] = base64.b64encode(thumbnail).decode()
        return answer(body)

    async def _change(self, request: web.Request) -> web.Response:
        digest = request.match_info["digest"]
        body = await read_object(request)
        pinned = body.get("pinned")
        if not isinstance(pinned, bool | None) or not body.keys() & {"text", "pinned"}:
            raise RefusedError(400, 'Say what to change: {"text": "…"} or {"pinned": true}.')
        found = await self._store.get(digest)
        if found is not None and "text" in body:
            found = await self._store.edit(digest, text_in(body, "text"))
        if found is not None and pinned is not None:
            found = await self._store.pin(digest, pinned=pinned)
        return answer({"image": _there(found)})

    async def _delete(self, request: web.Request) -> web.Response:
        digest = request.match_info["digest"]
        if not await self._store.delete(digest):
            _there(None)
        return answer({"deleted": digest})

    async def _describe(self, request: web.Request) -> web.Response:
        return answer({"image": _there(await self._store.describe_again(request.match_info["digest"]))})


def _there(found: Description | None) -> Description:
    if found is None:
        raise RefusedError(404, "There is no description of this picture.", "See: proxy-cli images list")
    return found
