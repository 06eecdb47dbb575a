"""One settled exchange as a row: figures and names, never a word of what was said."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from decimal import Decimal

from proxy_core.events import Exchange
from proxy_core.routing.pricing import price_of

_NANO = Decimal(1_000_000_000)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """What is kept of one request. Times in seconds (started_at: unix), money in billionths of `currency`.

    cost_nano: the list price on the day of the request, None where none was known. outcome: done, failed, cancelled.
    """

    request_id: str
    started_at: float
    client: str
    door: str
    asked_model: str
    served_model: str
    server: str
    client_dialect: str
    upstream_dialect: str
    stream: bool
    outcome: str
    status: int
    error_kind: str
    retries: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    thinking_tokens: int
    saved_tokens: int
    cost_nano: int | None
    currency: str
    first_token_s: float | None
    duration_s: float | None
    queued_s: float

    def values(self) -> tuple[object, ...]:
        """In the order of COLUMNS. Half surrogate pairs are replaced: SQLite refuses them, and with them the batch."""
        return tuple(
            value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for value in astuple(self)
        )


COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(HistoryRow))


def row_of(exchange: Exchange) -> HistoryRow:
    """The row of a finished exchange. input_tokens is the whole prompt, cached ones included."""
    usage = exchange.usage
    price = price_of(exchange.served_model, usage, exchange.currency) if usage.prompt_tokens else None
    return HistoryRow(
        request_id=exchange.id,
        started_at=exchange.started_at,
        client=exchange.client,
        door=exchange.door,
        asked_model=exchange.asked_model,
        served_model=exchange.served_model,
        server=exchange.server,
        client_dialect=exchange.client_dialect,
        upstream_dialect=exchange.upstream_dialect,
        stream=exchange.stream,
        outcome=exchange.outcome,
        status=exchange.status,
        error_kind=exchange.error_kind,
        retries=exchange.retries,
        input_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
        thinking_tokens=usage.thinking_tokens or 0,
        saved_tokens=exchange.ledger.saved_tokens,
        cost_nano=None if price is None else int(price * _NANO),
        currency=exchange.currency,
        first_token_s=exchange.first_token_s,
        duration_s=exchange.duration_s,
        queued_s=exchange.queued_s,
    )
