"""Foreign exceptions become ours here, in words a user can act on."""

from __future__ import annotations

import asyncio

import aiohttp
from yarl import URL

from proxy_core.errors import ErrorKind, UpstreamError
from proxy_core.upstream.retry import CONNECT_AGAIN

_CHECK_ADDRESS = "Check the server's address in the settings."
_CHECK_NETWORK = "Check the network, VPN or outbound proxy, or switch to another server."
_BROKE_OFF = "The upstream closed the connection before its answer was complete."


def connection_fault(error: Exception, url: str) -> UpstreamError:
    """The error for a request that got no answer at all. Only the host of the address is told."""
    host = _host(url)
    is_unreachable = isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, aiohttp.ClientSSLError)
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            message, hint = (
                f"The certificate of {host} was not accepted.",
                "If a company proxy inspects TLS, add its certificate to the system's trust store.",
            )
        case aiohttp.ClientConnectorDNSError():
            message, hint = f"The name {host} could not be resolved.", _CHECK_NETWORK
        case aiohttp.ConnectionTimeoutError():
            message, hint = f"No connection to {host} within the time limit.", _CHECK_NETWORK
            return UpstreamError(message, kind=ErrorKind.TIMEOUT, hint=hint)
        case aiohttp.ClientConnectorError():
            message, hint = f"No connection to {host}: {error.os_error.strerror or 'refused'}.", _CHECK_NETWORK
        case aiohttp.InvalidURL():
            message, hint = "The server's address is not a valid URL.", _CHECK_ADDRESS
        case _:
            message, hint = f"{host} closed the connection without an answer.", _CHECK_NETWORK
    again = CONNECT_AGAIN if is_unreachable else None
    return UpstreamError(message, hint=hint, status=502, retry=again, was_sent=not is_unreachable)


def read_fault(error: Exception) -> UpstreamError:
    """The error for an answer that broke off."""
    if isinstance(error, asyncio.TimeoutError):
        return UpstreamError("The upstream fell silent in the middle of its answer.", kind=ErrorKind.TIMEOUT)
    return UpstreamError(_BROKE_OFF, status=502)


def first_byte_fault(url: str, limit_s: float) -> UpstreamError:
    """The error for an upstream that accepted the request and then said nothing."""
    return UpstreamError(
        f"{_host(url)} sent no byte of an answer within {limit_s:g} s.",
        kind=ErrorKind.TIMEOUT,
        hint="The model may be overloaded: try again, or raise FIRST_BYTE_TIMEOUT.",
    )


def whole_request_fault(limit_s: float) -> UpstreamError:
    """The error for a plain request that took longer than allowed in all."""
    return UpstreamError(
        f"The upstream did not finish its answer within {limit_s:g} s.",
        kind=ErrorKind.TIMEOUT,
        hint="Ask for a stream, or raise REQUEST_TIMEOUT.",
    )


def redirect_fault(url: str, status: int) -> UpstreamError:
    """A redirect is never followed: it would carry the key to another host."""
    return UpstreamError(f"{_host(url)} answered with a redirect ({status}).", hint=_CHECK_ADDRESS, status=502)


def _host(url: str) -> str:
    try:
        return URL(url).host or "the server"
    except ValueError:
        return "the server"
