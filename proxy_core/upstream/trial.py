"""Trying a key: one tiny request, and what the upstream said about it in words."""

from __future__ import annotations

import time
from dataclasses import dataclass

import orjson

from proxy_core.dialects.table import DIALECTS
from proxy_core.errors import ProxyError, UpstreamError
from proxy_core.routing.route import split_variant
from proxy_core.settings import DialectName, ProxySettings, Server
from proxy_core.upstream.client import Limits, Outgoing, UpstreamClient
from proxy_core.wire.headers import join_url, upstream_headers

_TRIAL_LIMIT_S = 15.0
_OK = 200


@dataclass(frozen=True, slots=True)
class KeyTrial:
    """Outcome of a trial. status: HTTP status, 0 if there was no answer. message: what the upstream said."""

    ok: bool
    status: int
    message: str
    latency_ms: float


async def try_key(client: UpstreamClient, settings: ProxySettings, server: Server, key: str) -> KeyTrial:
    """Ask both dialects until one accepts the key; the last refusal is told otherwise."""
    trial = KeyTrial(False, 0, "Nothing was asked.", 0.0)
    for name in (DialectName.ANTHROPIC, DialectName.OPENAI):
        trial = await _try_dialect(client, settings, server, key, name)
        if trial.ok:
            return trial
    return trial


async def _try_dialect(
    client: UpstreamClient, settings: ProxySettings, server: Server, key: str, name: DialectName
) -> KeyTrial:
    began = time.perf_counter()
    try:
        status, raw = await ask_tiny(client, settings, server, key, name)
        answered = read_trial(name, status, raw, time.time())
        message = f"{server.name} accepted the key ({answered}, {name.value} style)."
        return KeyTrial(True, status, message, _ms_since(began))
    except ProxyError as error:
        return KeyTrial(False, error.status, str(error).replace(key, "…"), _ms_since(began))


def read_trial(name: DialectName, status: int, raw: bytes, now: float) -> str:
    """The model that answered. Raises UpstreamError for a refusal, whatever its status. now: unix seconds."""
    dialect = DIALECTS[name.value]
    if status != _OK:
        raise dialect.read_error(status, raw, {}, now)
    return dialect.read_answer(_object(raw)).model


async def ask_tiny(
    client: UpstreamClient, settings: ProxySettings, server: Server, key: str, name: DialectName
) -> tuple[int, bytes]:
    """Status and body of the smallest request there is. Raises UpstreamError where no answer came."""
    dialect = DIALECTS[name.value]
    model, _ = split_variant(settings.autotext_model)
    body = {"model": model, "max_tokens": 8, "messages": [{"role": "user", "content": "Say ok."}]}
    limits = Limits(settings.connect_timeout, _TRIAL_LIMIT_S, _TRIAL_LIMIT_S, _TRIAL_LIMIT_S)
    headers = upstream_headers(dialect.headers, dialect.credential(key), {}, stream=False)
    url = join_url(server.base(name), dialect.path)
    reply = await client.send(Outgoing(url, headers, orjson.dumps(body), False, limits, settings.outbound_proxy))
    try:
        return reply.status, await reply.read_start()
    finally:
        reply.close()


def _object(raw: bytes) -> dict[str, object]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise UpstreamError("The server answered, but not with JSON.", hint="Check its address.", status=502)
    return body


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
