"""Who may come in. Pure: headers in, an error out.

A browser page can reach localhost: by its own name resolved to 127.0.0.1 (DNS rebinding: the Host header tells) or
by a cross-site request (the Origin header tells). Neither may spend the user's key, access key or not.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from proxy_core.errors import AccessDeniedError, ErrorKind, ProxyError
from proxy_core.wire.headers import client_keys

# Pages of installed programs; no web site can carry such an origin.
_PROGRAM_SCHEMES = ("vscode-webview", "vscode-file", "app", "tauri", "capacitor", "obsidian")
_REMEMBERED = 64
"""Host names: a client sends the same with every request."""
_WILDCARD_HOSTS = ("0.0.0.0", "::", "")


@lru_cache(maxsize=_REMEMBERED)
def is_loopback(host: str) -> bool:
    """Whether a host name or address means this computer only."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=_REMEMBERED)
def host_name(authority: str) -> str:
    """The name in a Host header, without port and brackets; "" if it is not one."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_ours(name: str, own_names: Iterable[str]) -> bool:
    return bool(name) and (is_loopback(name) or name in {own.lower() for own in own_names})


def own_names(listening_on: str, further: Iterable[str]) -> tuple[str, ...]:
    """The names under which clients may call besides loopback ones."""
    listening = () if listening_on in _WILDCARD_HOSTS else (listening_on,)
    return (*listening, *further)


def is_same_computer(peer: object, own: object) -> bool:
    """Whether a connection comes from this computer: from loopback, or from the very address that it came to.

    Both as a socket tells them: (host, port, …), or nothing once it is closed.
    """
    if not (isinstance(peer, tuple) and peer):
        return False
    return is_loopback(str(peer[0])) or (isinstance(own, tuple) and bool(own) and peer[0] == own[0])


def check_peer(peer: object, own: object, access_key: str | None) -> None:
    """Refuse other computers where no access key is set: a connection outlives the listener that took it.

    Raises AccessDeniedError.
    """
    if access_key is None and not is_same_computer(peer, own):
        raise AccessDeniedError(
            "Without an access key this proxy serves its own computer only.",
            hint="Set PROXY_ACCESS_KEY on the proxy to serve other computers.",
            code="peer_refused",
        )


def check_host(headers: Mapping[str, str], names: Iterable[str], target: str = "/") -> None:
    """Refuse a Host that is not ours. Raises ProxyError (403).

    target: as it stands in the request line. A whole URL, as sent to an HTTP proxy, counts more than the header.
    """
    hosts = [headers.get("host", "")]
    if not target.startswith("/"):
        hosts.append(target.partition("://")[2].partition("/")[0])
    if not all(_is_ours(host_name(host), names) for host in hosts):
        raise ProxyError(
            "This host name is not served here.",
            kind=ErrorKind.PERMISSION,
            hint="Call the proxy as localhost, or add the name to ALLOWED_HOSTS.",
            code="host_refused",
        )


def check_origin(headers: Mapping[str, str], names: Iterable[str]) -> str:
    """Refuse a web page from elsewhere. The origin that may read the answer, "" for a caller that is no page."""
    origin = headers.get("origin", "")
    if not origin:
        return ""
    scheme, _, authority = origin.partition("://")
    if scheme in _PROGRAM_SCHEMES or (scheme in ("http", "https") and _is_ours(host_name(authority), names)):
        return origin
    raise ProxyError(
        "Web pages from elsewhere may not use this proxy.",
        kind=ErrorKind.PERMISSION,
        hint="If the page is yours, add its host name to ALLOWED_HOSTS.",
        code="origin_refused",
    )


def check_key(headers: Mapping[str, str], access_key: str | None) -> str | None:
    """Demand the access key where there is one. The client's own key, if it sent another. Raises AccessDeniedError."""
    keys = client_keys(headers)
    if access_key is None:
        return keys[0] if keys else None
    expected = access_key.encode()
    others = [key for key in keys if not hmac.compare_digest(key.encode("utf-8", "surrogateescape"), expected)]
    if len(others) == len(keys):
        raise AccessDeniedError(
            "This proxy asks for its access key.",
            hint="Send PROXY_ACCESS_KEY as the API key of your client.",
            code="invalid_api_key",
        )
    return next((key for key in others if access_key not in key), None)  # in no disguise does it go upstream
