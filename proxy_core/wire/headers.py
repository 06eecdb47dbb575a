"""Which headers cross and which stop here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from proxy_core.version import __version__

_CROSSING = ("anthropic-beta", "anthropic-version")
_KEY_HEADERS = ("x-api-key", "api-key")
_NO_KEY = re.compile(r"""[\s"']""")


def crossing_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The client's headers that mean something within its own dialect; the version goes no further than to our writers,
    what upstreams are sent is fixed."""
    return {name: headers[name] for name in _CROSSING if headers.get(name)}


def upstream_headers(
    fixed: Mapping[str, str], credential: tuple[str, str], crossing: Mapping[str, str], *, stream: bool
) -> dict[str, str]:
    """All headers of one upstream request: exactly one credential, never a cookie.

    Accept-Language: the China host answers errors in Chinese otherwise (protocols A.1). A compressed event stream
    would be held back by the compressor, hence identity.
    """
    return {
        "content-type": "application/json",
        "accept": "text/event-stream" if stream else "application/json",
        "accept-encoding": "identity" if stream else "gzip, deflate",
        "accept-language": "en-US,en",
        "user-agent": f"anthropic-proxy/{__version__}",
        **{name.lower(): value for name, value in {**crossing, **fixed}.items()},
        credential[0].lower(): credential[1],
    }


def client_keys(headers: Mapping[str, str]) -> list[str]:
    """Every key the client sent, in the order in which they count: x-api-key, api-key, Authorization.

    A key is one word without quotes, in Authorization a bearer token or bare; another scheme's words are none.
    """
    keys = [headers.get(name, "").strip() for name in _KEY_HEADERS]
    authorization = headers.get("authorization", "").strip()
    scheme, _, token = authorization.partition(" ")
    keys.append(token.strip() if scheme.lower() == "bearer" else authorization)
    return [key for key in keys if key and _NO_KEY.search(key) is None]


def header_text(text: str) -> str:
    """Text that came from a body, made safe as a header's value: printable ASCII, 300 characters at most."""
    if len(text) <= 300 and text.isascii() and text.isprintable():
        return text
    return "".join(char if " " <= char <= "~" else "?" for char in text[:300])


def join_url(base: str, path: str) -> str:
    """Address of one door: forgiving about what users paste as a base.

    A trailing `/v1` of an Anthropic-style base and a whole endpoint address are understood (protocols A.1).
    """
    trimmed = base.rstrip("/").removesuffix(path).rstrip("/")
    for part in (path, "/messages", "/chat/completions"):
        trimmed = trimmed.removesuffix(part)
    if path.startswith("/v1/"):
        trimmed = trimmed.removesuffix("/v1")
    return trimmed + path
