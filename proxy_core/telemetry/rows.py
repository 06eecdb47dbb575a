"""Frozen pictures of exchanges: what lists show while the pipeline goes on writing to the real ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from proxy_core.context.savings import saved_money
from proxy_core.events import Exchange, Outcome
from proxy_core.facts import Currency
from proxy_core.ledger import NOTHING_DONE, Ledger, Stage
from proxy_core.redact import redact_text
from proxy_core.routing.pricing import price_of

_NAME_CHARS = 128
_MESSAGE_CHARS = 500
_NO_MONEY = Decimal(0)


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """One exchange as it stood when asked. Times as in `Exchange`; `duration_s` of a running one is its age.

    input_tokens excludes cached_tokens. is_estimate: output_tokens was guessed from the text, since the upstream
    has not said (yet). Texts that a client chose are cut, and the error message is redacted.

    saved_tokens: what the prompt was shorter by, as counted here; 0 as long as nobody has read the prompt.
    saved_by_stage: the same in shares. saved_money: at the list prices, in `currency`, less what the edits cost; None
    where a price is missing or the exchange runs. held_back: why edits were not made, a sentence each.
    """

    id: str
    started_at: float
    door: str
    client: str
    asked_model: str
    served_model: str
    server: str
    client_dialect: str
    upstream_dialect: str
    reason: str
    stream: bool
    outcome: Outcome
    status: int
    error_kind: str
    error_message: str
    first_token_s: float | None
    duration_s: float
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    is_estimate: bool
    retries: int = 0
    queued_s: float = 0.0
    saved_tokens: int = 0
    saved_by_stage: tuple[tuple[Stage, int], ...] = ()
    saved_money: Decimal | None = None
    currency: Currency = "USD"
    held_back: tuple[str, ...] = ()


def row_of(exchange: Exchange, now: float, estimated_tokens: int) -> ExchangeRow:
    """The exchange as it stands at `now` (unix seconds); estimated_tokens: what its text so far amounts to."""
    age = max(now - exchange.started_at, 0.0)
    reported = reported_output(exchange)
    ledger = effective_ledger(exchange)
    return ExchangeRow(
        id=_cut(exchange.id),
        started_at=exchange.started_at,
        door=_cut(exchange.door),
        client=_cut(exchange.client),
        asked_model=_cut(exchange.asked_model),
        served_model=_cut(exchange.served_model),
        server=_cut(exchange.server),
        client_dialect=exchange.client_dialect,
        upstream_dialect=exchange.upstream_dialect,
        reason=_cut(exchange.reason, _MESSAGE_CHARS),
        stream=exchange.stream,
        outcome=exchange.outcome,
        status=exchange.status,
        error_kind=exchange.error_kind,
        error_message=_cut(redact_text(exchange.error_message), _MESSAGE_CHARS),
        first_token_s=exchange.first_token_s,
        duration_s=age if exchange.duration_s is None else exchange.duration_s,
        input_tokens=exchange.usage.input_tokens + exchange.usage.cache_write_tokens,
        cached_tokens=exchange.usage.cached_tokens,
        output_tokens=estimated_tokens if reported is None else reported,
        is_estimate=reported is None,
        retries=exchange.retries,
        queued_s=exchange.queued_s,
        saved_tokens=ledger.saved_tokens,
        saved_by_stage=tuple(ledger.saved_by_stage.items()),
        saved_money=_saved_money(exchange, ledger),
        currency=exchange.currency,
        held_back=ledger.why_held_back,
    )


def effective_ledger(exchange: Exchange) -> Ledger:
    """The ledger, without its cuts where the prompt has not been read, so that nothing was saved (yet)."""
    is_read = exchange.usage.prompt_tokens > 0 or exchange.outcome == "done"
    return exchange.ledger if is_read or not exchange.ledger.cuts else replace(exchange.ledger, cuts=())


def _saved_money(exchange: Exchange, ledger: Ledger) -> Decimal | None:
    if exchange.outcome == "running":
        return None
    if ledger is NOTHING_DONE:
        return _NO_MONEY
    return saved_money(exchange.served_model, exchange.usage, ledger, partial(price_of, currency=exchange.currency))


def reported_output(exchange: Exchange) -> int | None:
    """Output tokens as the upstream gave them at the end; None where only a guess is possible.

    A stream that broke off has at most the figure of its start, which says nothing about what followed.
    """
    is_final = exchange.outcome == "done" and exchange.usage.output_tokens > 0
    return exchange.usage.output_tokens if is_final else None


def _cut(text: str, length: int = _NAME_CHARS) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
