"""Request bodies: bounded, decompressed, parsed; every way in which they can be wrong has its words."""

from __future__ import annotations

import asyncio
import zlib

import aiohttp
import orjson
from aiohttp import web

from proxy_core.errors import BadRequestError, ErrorKind, ProxyError
from proxy_core.jsontypes import JsonObject

_MIB = 1024 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_ENCODINGS = ("gzip", "x-gzip", "deflate")
_MOST_ENCODINGS = 2
_MOST_MEMBERS = 16
_UNSUPPORTED = 415


async def read_body(request: web.Request, limit_mb: int) -> bytes:
    """The body, decompressed. Raises ProxyError (413) beyond the limit, BadRequestError if it cannot be read."""
    limit = limit_mb * _MIB
    if (request.content_length or 0) > limit:
        raise _too_large(limit_mb)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.content.iter_any():
            size += len(part)
            if size > limit:
                raise _too_large(limit_mb)
            parts.append(part)
    except (aiohttp.ClientPayloadError, web.RequestPayloadError) as error:
        raise BadRequestError("The body could not be read to its end.") from error
    raw = parts[0] if len(parts) == 1 else b"".join(parts)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return raw
    # Off the loop: a small body can unpack to the whole limit.
    return await asyncio.to_thread(decompress, raw, encoding, limit_mb)


def decompress(raw: bytes, encoding: str, limit_mb: int) -> bytes:
    """The bytes behind a Content-Encoding; unpacking stops at the limit, whatever a bomb would grow to.

    encoding: the header in lower case; several are undone from the last one on. Raises ProxyError: 415 for one that is
    not known here.
    """
    names = [name for name in (part.strip() for part in encoding.split(",")) if name not in ("", "identity")]
    if len(names) > _MOST_ENCODINGS or any(name not in _ENCODINGS for name in names):
        raise ProxyError(
            f"The Content-Encoding {encoding[:40]!r} is not understood here.",
            kind=ErrorKind.BAD_REQUEST,
            status=_UNSUPPORTED,
            hint="Switch the client's request compression off, or let it use gzip or deflate.",
        )
    for name in reversed(names):
        raw = _unpacked(raw, _is_bare_deflate(name, raw), limit_mb)
    return raw


def _is_bare_deflate(name: str, raw: bytes) -> bool:
    """Whether it lacks the zlib header that HTTP's `deflate` stands for: many clients leave it out."""
    has_header = len(raw) > 1 and raw[0] & 0x0F == zlib.DEFLATED and (raw[0] << 8 | raw[1]) % 31 == 0
    return name == "deflate" and not has_header


def _unpacked(raw: bytes, is_bare: bool, limit_mb: int) -> bytes:
    """All members of a packed body, one after the other; zeros behind the last are padding."""
    room = limit_mb * _MIB + 1
    parts: list[bytes] = []
    while len(parts) < _MOST_MEMBERS:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS if is_bare else _GZIP_OR_ZLIB)
        try:
            parts.append(unpacker.decompress(raw, room))
        except zlib.error as error:
            raise BadRequestError("The body's Content-Encoding does not fit its bytes.") from error
        room -= len(parts[-1])
        if room <= 0:
            raise _too_large(limit_mb)
        if not unpacker.eof:
            raise BadRequestError("The compressed body is cut short.")
        raw = unpacker.unused_data.lstrip(b"\0")
        if not raw:
            return parts[0] if len(parts) == 1 else b"".join(parts)
    raise BadRequestError("The compressed body consists of too many pieces.")


def parse_body(raw: bytes) -> JsonObject:
    """The JSON object in a body. Raises BadRequestError."""
    if not raw.strip():
        raise BadRequestError("The body is empty.", hint="Send a JSON object.")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"The body is not valid JSON: {error.msg} (at byte {error.pos}).") from error
    if not isinstance(body, dict):
        raise BadRequestError("The body must be a JSON object.")
    return body


def _too_large(limit_mb: int) -> ProxyError:
    return ProxyError(
        f"The body is larger than {limit_mb} MiB.", kind=ErrorKind.TOO_LARGE, hint="Send less, or raise MAX_BODY_MB."
    )
