"""A request on paper: what is sent, where to, with which limits."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from proxy_core.dialects.base import Dialect, Target
from proxy_core.errors import BadRequestError
from proxy_core.jsontypes import JsonObject
from proxy_core.routing.route import Route
from proxy_core.settings import ProxySettings
from proxy_core.upstream.client import Limits, Outgoing
from proxy_core.wire.headers import join_url, upstream_headers


def encode_body(body: JsonObject) -> bytes:
    """The body as bytes. Raises BadRequestError for what no JSON writer takes (nested some 250 levels deep)."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise BadRequestError("The body is nested too deeply.", hint="Flatten it.") from error


def target_of(route: Route, settings: ProxySettings) -> Target:
    """The route as request writers see it."""
    return Target(route.model, route.facts, route.quirks, default_thinking=settings.enable_zai_thinking or None)


def limits_of(settings: ProxySettings) -> Limits:
    """The time limits that these settings mean."""
    return Limits(
        connect_s=settings.connect_timeout,
        first_byte_s=settings.first_byte_timeout,
        idle_s=settings.stream_timeout,
        total_s=settings.request_timeout,
    )


def address_request(
    route: Route,
    upstream: Dialect,
    key: str,
    body: bytes,
    settings: ProxySettings,
    *,
    stream: bool,
    crossing: Mapping[str, str],
) -> Outgoing:
    """The body on its way to the route's server. crossing: the client's own headers that may go along."""
    return Outgoing(
        url=join_url(route.server.base(route.dialect), upstream.path),
        headers=upstream_headers(upstream.headers, upstream.credential(key), crossing, stream=stream),
        body=body,
        stream=stream,
        limits=limits_of(settings),
        outbound_proxy=settings.outbound_proxy,
    )
