"""Probes of the way to the server: proxies, names, distance, certificates, clocks."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import truststore

from app.doctor.ground import Finding, Ground, fail, ok, skip, warn
from proxy_core.server.access import is_loopback
from proxy_core.settings import DialectName

_LIMIT_S = 4.0
_FAR_MS = 800.0
_SKEW_WARN_S, _SKEW_FAIL_S = 60.0, 600.0
_PORTS = {"http": 80, "https": 443}


def _place(ground: Ground) -> tuple[str, str, int]:
    """Scheme, host and port of the current server."""
    override = ground.loaded.settings.openai_upstream_base
    parts = urlsplit(override or ground.server.base(DialectName.OPENAI))
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)


def _unasked(ground: Ground) -> Finding | None:
    if ground.is_demo:
        return skip("Requests go to the built-in server.")
    if not ground.online:
        return skip("Not asked (--offline).")
    if ground.loaded.settings.outbound_proxy:
        return skip("An outbound proxy stands between: see there.")
    return None


def loop(ground: Ground) -> Finding:
    """No address leads back to ourselves."""
    values = ground.loaded.settings
    own = {"upstream_base": values.upstream_base, "openai_upstream_base": values.openai_upstream_base}
    own |= {"outbound_proxy": values.outbound_proxy, ground.server.name: ground.server.endpoint}
    for name, address in own.items():
        parts = urlsplit(address)
        if parts.hostname and is_loopback(parts.hostname) and parts.port == ground.port:
            return fail(f"{name} is this proxy's own address.", f"Point {name} at the real server.")
    return ok("No address leads back to this proxy.")


def system_proxy(ground: Ground) -> Finding:
    """HTTP proxies of the environment are not this program."""
    names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
    found = {name: ground.environ[name] for name in names if name in ground.environ}
    for name, address in found.items():
        parts = urlsplit(address if "://" in address else f"http://{address}")
        if parts.hostname and is_loopback(parts.hostname) and parts.port == ground.port:
            said = f"{name} points at this proxy, which is no HTTP proxy."
            return fail(said, f"Unset {name}; clients want a base URL instead.")
    return ok("Environment proxies: " + (", ".join(found) or "none") + ".")


def no_proxy(ground: Ground) -> Finding:
    """Clients reach localhost directly."""
    if not any(name in ground.environ for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")):
        return ok("No HTTP proxy stands between clients and localhost.")
    excluded = ground.environ.get("NO_PROXY", "") or ground.environ.get("no_proxy", "")
    names = {name.strip() for name in excluded.split(",")}
    if "*" in names or {"localhost", "127.0.0.1"} <= names:
        return ok("NO_PROXY excludes localhost.")
    said = "An HTTP proxy is set, and NO_PROXY does not exclude localhost and 127.0.0.1."
    return warn(said, "export NO_PROXY=localhost,127.0.0.1")


def outbound_proxy(ground: Ground) -> Finding:
    """The proxy on the way to the server answers."""
    address = ground.loaded.settings.outbound_proxy
    if not address:
        return ok("None is set.")
    if not ground.online:
        return skip("Not asked (--offline).")
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), _LIMIT_S).close()
    except OSError as error:
        return fail(f"The outbound proxy does not answer: {error}.", "proxy-cli config --set outbound_proxy ''")
    return ok("The outbound proxy answers.")


def names(ground: Ground) -> Finding:
    """The server's name is known."""
    if (unasked := _unasked(ground)) is not None:
        return unasked
    _, host, port = _place(ground)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return fail(f"The name {host} is not known: {error.strerror or error}.", "Check the network, DNS or VPN.")
    return ok(f"{host} is {found[0][4][0]}.")


def distance(ground: Ground) -> Finding:
    """The server answers, soon."""
    if (unasked := _unasked(ground)) is not None:
        return unasked
    _, host, port = _place(ground)
    began = time.perf_counter()
    try:
        socket.create_connection((host, port), _LIMIT_S).close()
    except OSError as error:
        return fail(
            f"{host} cannot be reached: {error.strerror or error}.", "Check the network; compare: proxy-cli servers"
        )
    elapsed = (time.perf_counter() - began) * 1000
    said = f"{host} answers after {elapsed:,.0f} ms."
    return warn(said, "Try the other region: proxy-cli servers") if elapsed > _FAR_MS else ok(said)


def certificate(ground: Ground) -> Finding:
    """Nobody stands between: the certificate is trusted, and said whose it is."""
    if (unasked := _unasked(ground)) is not None:
        return unasked
    scheme, host, port = _place(ground)
    if scheme != "https":
        plain = warn(f"{host} is asked without encryption.", "Use an https:// address.")
        return ok("This computer itself.") if is_loopback(host) else plain
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        with (
            socket.create_connection((host, port), _LIMIT_S) as raw,
            context.wrap_socket(raw, server_hostname=host) as safe,
        ):
            return ok(f"{host}'s certificate is by {issuer_of(safe.getpeercert() or {})}.")
    except ssl.SSLCertVerificationError as error:
        remedy = "A company's or virus scanner's certificate may stand between: install it in the system's trust store."
        return fail(f"{host}'s certificate is not trusted: {error.verify_message}.", remedy)
    except OSError as error:
        return skip(f"No connection: {error.strerror or error}.")


def issuer_of(certificate: object) -> str:
    """Who signed a certificate, as `getpeercert` tells it."""
    found = certificate.get("issuer", ()) if isinstance(certificate, dict) else ()
    parts = {pair[0]: pair[1] for group in found for pair in group}
    return str(parts.get("organizationName") or parts.get("commonName") or "somebody unknown")


def clock(ground: Ground) -> Finding:
    """Our clock goes like the server's: limits and resets are told in its time."""
    if (unasked := _unasked(ground)) is not None:
        return unasked
    try:
        theirs = _their_time(*_place(ground))
    except (OSError, ValueError, TypeError, http.client.HTTPException):
        return skip("The server did not tell its time.")
    skew = abs(time.time() - theirs)
    said = f"The clock differs from the server's by {skew:.0f} s."
    if skew > _SKEW_FAIL_S:
        return fail(said, "Set the clock: certificates and keys depend on it.")
    return warn(said, "Let the system set its clock by network time.") if skew > _SKEW_WARN_S else ok(said)


def _their_time(scheme: str, host: str, port: int) -> float:
    """Unix seconds. Raises OSError, HTTPException and ValueError (a reply without a date)."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if scheme == "https" else None
    connection = (
        http.client.HTTPSConnection(host, port, timeout=_LIMIT_S, context=context)
        if context
        else http.client.HTTPConnection(host, port, timeout=_LIMIT_S)
    )
    try:
        connection.request("HEAD", "/")
        return parsedate_to_datetime(connection.getresponse().headers["Date"]).timestamp()
    finally:
        connection.close()
