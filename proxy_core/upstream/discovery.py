"""Which models a server has, asked of itself: the bundled table ages, and new models come from one day to the next.

`GET {OpenAI-style address}/models` is undocumented at the vendor and answers at times (protocols A.9): best effort.
"""

from __future__ import annotations

import asyncio
import re
import time

import orjson

from proxy_core.dialects.table import DIALECTS
from proxy_core.errors import UpstreamError
from proxy_core.settings import DialectName, ProxySettings, Server
from proxy_core.upstream.client import Limits, Outgoing, UpstreamClient
from proxy_core.upstream.echoes import without_key
from proxy_core.upstream.faults import whole_request_fault
from proxy_core.wire.headers import join_url, upstream_headers

DISCOVERY_S = 5.0
_MOST_BYTES = 2**20
_MOST_MODELS = 200
_ID = re.compile(r"[A-Za-z0-9][\w.:/@-]{0,99}", re.ASCII)
_OK = 200


async def discover_models(
    client: UpstreamClient, settings: ProxySettings, server: Server, key: str, *, limit_s: float = DISCOVERY_S
) -> tuple[str, ...]:
    """The ids that the server lists, in its order. Raises UpstreamError where it lists none."""
    try:
        async with asyncio.timeout(limit_s):
            return read_ids(await _get_list(client, settings, server, key))
    except TimeoutError as error:
        raise whole_request_fault(limit_s) from error


async def _get_list(client: UpstreamClient, settings: ProxySettings, server: Server, key: str) -> bytes:
    dialect = DIALECTS[DialectName.OPENAI.value]
    limits = Limits(min(DISCOVERY_S, settings.connect_timeout), DISCOVERY_S, DISCOVERY_S, DISCOVERY_S)
    headers = upstream_headers(dialect.headers, dialect.credential(key), {}, stream=False)
    url = join_url(server.base(DialectName.OPENAI), "/models")
    reply = await client.send(Outgoing(url, headers, b"", False, limits, settings.outbound_proxy, method="GET"))
    try:
        raw = await reply.read(_MOST_BYTES)
        if reply.status != _OK:
            raise without_key(dialect.read_error(reply.status, raw, reply.headers, time.time()), key)
        return raw
    finally:
        reply.close()


def read_ids(raw: bytes) -> tuple[str, ...]:
    """The ids of an OpenAI-style list, each once; what is no plausible id is left out. Raises UpstreamError."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list):
        raise UpstreamError("The server's list of models is none.", status=502)
    ids = [entry.get("id") for entry in data if isinstance(entry, dict)]
    named = [name for name in ids if isinstance(name, str) and _ID.fullmatch(name)]
    return tuple(dict.fromkeys(named))[:_MOST_MODELS]
