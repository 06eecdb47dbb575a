"""Makers of small values that several GUI tests need."""

from __future__ import annotations

from dataclasses import replace

from proxy_core.telemetry.rows import ExchangeRow

_ROW = ExchangeRow(
    id="x",
    started_at=0.0,
    door="/v1/messages",
    client="claude-cli/2.1",
    asked_model="claude-sonnet-4-5",
    served_model="glm-4.6",
    server="cn",
    client_dialect="anthropic",
    upstream_dialect="anthropic",
    reason="text",
    stream=True,
    outcome="done",
    status=200,
    error_kind="",
    error_message="",
    first_token_s=0.25,
    duration_s=2.0,
    input_tokens=1200,
    cached_tokens=300,
    output_tokens=45,
    is_estimate=False,
)


def row(number: int, **changes: object) -> ExchangeRow:
    """An exchange that began at second `number`."""
    return replace(_ROW, id=f"x{number}", started_at=float(number), **changes)  # type: ignore[arg-type]  # a test's own


def rows(*numbers: int) -> tuple[ExchangeRow, ...]:
    """Exchanges in this order."""
    return tuple(row(number) for number in numbers)
