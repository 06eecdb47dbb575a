"""Pictures and files as OpenAI's dialects carry them: `data:` URLs, web addresses, or bare base64."""

from __future__ import annotations

import base64
import re

from proxy_core.chat import Document, Image
from proxy_core.dialects.shape import refuse
from proxy_core.jsontypes import JsonObject

_DATA_URL = re.compile(r"data:(?P<type>[^;,]*)(?:;[^;,]*)*?;base64,", re.IGNORECASE)
_WEB_URL = re.compile(r"https?://", re.IGNORECASE)
# How the base64 of each picture format begins (its magic bytes), for clients that send no data: prefix.
_BARE_BASE64 = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}
_TEXT_TYPES = ("application/json", "application/xml", "application/yaml")


def read_picture(url: str, path: str, raw: JsonObject) -> Image:
    """The picture behind an address. Raises BadRequestError naming `path` for what is none."""
    if _WEB_URL.match(url):
        return Image(url=url, raw=raw)
    if found := _DATA_URL.match(url):
        return Image(media_type=found["type"] or "image/png", data=_payload(url[found.end() :], path), raw=raw)
    for beginning, media_type in _BARE_BASE64.items():
        if url.startswith(beginning):
            return Image(media_type=media_type, data=url, raw=raw)
    raise refuse(path, "expected an http(s) URL or a data: URL with base64")


def _payload(data: str, path: str) -> str:
    if not data:
        raise refuse(path, "the data: URL holds no data")
    return data


def read_file_data(data: str, title: str, raw: JsonObject) -> Document:
    """The file in a data: URL, as text where it is one; without such a prefix it is taken for a PDF."""
    found = _DATA_URL.match(data)
    media_type = found["type"].lower() if found else "application/pdf"
    payload = data[found.end() :] if found else data
    text = _decoded(payload) if media_type.startswith("text/") or media_type in _TEXT_TYPES else ""
    return Document(title, text, raw=raw) if text else Document(title, media_type=media_type, data=payload, raw=raw)


def _decoded(payload: str) -> str:
    """The text in the base64, "" where there is none."""
    try:
        return base64.b64decode(payload, validate=True).decode()
    except ValueError:
        return ""
