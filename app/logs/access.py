"""The access log: one line an exchange, by facts in the file."""

from __future__ import annotations

import logging

from app.logs.console import ACCESS_LOG
from proxy_core.events import Event, Exchange, ExchangeFinished

_log = logging.getLogger(ACCESS_LOG)


def log_exchange(event: Event) -> None:
    """Hears the bus. On the console the pipeline's own sentence says it."""
    if isinstance(event, ExchangeFinished) and _log.isEnabledFor(logging.INFO):
        _log.info("%s", event.exchange.id, extra={"fields": exchange_facts(event.exchange)})


def exchange_facts(exchange: Exchange) -> dict[str, object]:
    """What is told of an exchange: never what was said, nor an upstream's words, which may repeat it."""
    usage = exchange.usage
    facts: dict[str, object] = {
        "event": "exchange",
        "request_id": exchange.id,
        "door": exchange.door,
        "client": exchange.client,
        "asked_model": exchange.asked_model,
        "served_model": exchange.served_model,
        "server": exchange.server,
        "client_dialect": exchange.client_dialect,
        "upstream_dialect": exchange.upstream_dialect,
        "reason": exchange.reason,
        "stream": exchange.stream,
        "outcome": exchange.outcome,
        "status": exchange.status,
        "error": exchange.error_kind,
        "retries": exchange.retries,
        "queued_s": round(exchange.queued_s, 3),
        "first_token_s": None if exchange.first_token_s is None else round(exchange.first_token_s, 3),
        "duration_s": None if exchange.duration_s is None else round(exchange.duration_s, 3),
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
    }
    return {name: value for name, value in facts.items() if value not in ("", None)}
