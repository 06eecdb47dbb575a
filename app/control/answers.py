"""What every control verb shares: JSON in and out, and refusals as {"error": sentence, "hint": remedy}."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

import orjson
from aiohttp import web

from app.errors import remedy
from app.settings.book import UnknownServerError
from app.settings.problems import SettingsRefusedError
from proxy_core.jsontypes import JsonObject
from proxy_core.server.runner import ListenError

MOST_BYTES = 2**20

Door: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Row: TypeAlias = tuple[str, str, Door]
"""Method, path below /control/v1/, and who answers."""


class RefusedError(Exception):
    """A verb that cannot be obeyed: an HTTP status, a sentence and a remedy ("" where there is none)."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint


def answer(body: object, status: int = 200) -> web.Response:
    """JSON of anything made of plain values, dataclasses, enums, Decimals (as text) and paths."""
    raw = orjson.dumps(body, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    return web.Response(body=raw, status=status, content_type="application/json")


def _plain(value: object) -> object:
    if isinstance(value, Decimal | Path):
        return str(value)
    raise TypeError


def refuse(refusal: RefusedError) -> web.Response:
    """A refusal as the caller gets it."""
    hint = {"hint": refusal.hint} if refusal.hint else {}
    return answer({"error": str(refusal), **hint}, refusal.status)


async def obey(door: Door, request: web.Request) -> web.StreamResponse:
    """The verb's answer; what it cannot do comes back as words."""
    try:
        return await door(request)
    except RefusedError as refusal:
        return refuse(refusal)
    except SettingsRefusedError as error:
        return refuse(RefusedError(400, str(error)))
    except UnknownServerError as error:
        return refuse(RefusedError(404, str(error)))
    except ListenError as error:
        return refuse(RefusedError(409, str(error), "Choose another address or port."))
    except OSError as error:
        file = Path(error.filename).name if isinstance(error.filename, str) else "A file of the data folder"
        return refuse(RefusedError(500, f"{file} cannot be written: {error.strerror or error}.", remedy(error)))


async def read_object(request: web.Request, most_bytes: int = MOST_BYTES) -> JsonObject:
    """The body as a JSON object; {} for none. Raises RefusedError."""
    try:
        raw = await request.clone(client_max_size=most_bytes).read()
    except web.HTTPRequestEntityTooLarge:
        raise RefusedError(413, "This body is too large.") from None
    try:
        body = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise RefusedError(400, "The body must be a JSON object.")
    return body


def text_in(body: JsonObject, name: str, default: str = "") -> str:
    """A text of the body. Raises RefusedError where something else stands there."""
    value = body.get(name, default)
    if not isinstance(value, str):
        raise RefusedError(400, f"{name} must be text.")
    return value


def number_in(request: web.Request, name: str, default: float, low: float, high: float) -> float:
    """A number of the query. Raises RefusedError."""
    try:
        value = float(request.query.get(name, default))
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise RefusedError(400, f"{name} must be a number from {low:g} to {high:g}.")
    return value
