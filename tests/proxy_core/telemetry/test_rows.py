"""What edits saved, in rows, rates and sums."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from proxy_core.chat import Usage
from proxy_core.events import EventBus, Exchange, ExchangeFinished, ExchangeStarted, Outcome
from proxy_core.ledger import Cut, Ledger, SideCall, Stage
from proxy_core.telemetry.meter import Meter
from proxy_core.telemetry.rows import ExchangeRow, row_of

CUTS = (Cut(Stage.ENVIRONMENT, 2, 1_000), Cut(Stage.PICTURES, 1, 600, 100), Cut(Stage.PICTURES, 1, 500))
LEDGER = Ledger(CUTS, (SideCall(Stage.PICTURES, "glm-4.6", Usage(500)),), (Stage.SUMMARY,), why_held_back=("It cost.",))
SAVED = {Stage.ENVIRONMENT: 1_000, Stage.PICTURES: 1_000}
READ = Usage(10_000)


def exchange(outcome: Outcome = "done", usage: Usage = READ, **more: object) -> Exchange:
    made = Exchange("x", 1000.0, "/v1/messages", server="cn", served_model="glm-4.6", outcome=outcome, usage=usage)
    made.ledger = LEDGER
    for name, value in more.items():
        setattr(made, name, value)
    return made


def row(outcome: Outcome = "done", usage: Usage = READ, **more: object) -> ExchangeRow:
    return row_of(exchange(outcome, usage, **more), 1000.0, 0)


def test_a_row_tells_what_was_saved_and_why_not_more() -> None:
    told = row(retries=2, queued_s=0.5, currency="USD")
    assert (told.retries, told.queued_s, told.currency) == (2, 0.5, "USD")
    assert (told.saved_tokens, dict(told.saved_by_stage)) == (2_000, SAVED)
    assert told.saved_money == Decimal("0.0009")
    assert told.held_back == ("It cost.",)


@pytest.mark.parametrize(
    ("told", "tokens", "money"),
    [
        (row("failed"), 2_000, "0.0009"),
        (row("failed", Usage()), 0, "-0.0003"),
        (row("cancelled", Usage()), 0, "-0.0003"),
        (row("done", Usage()), 2_000, "0.0009"),
        (row("running"), 2_000, None),
        (row("running", Usage()), 0, None),
        (row(served_model="house"), 2_000, None),
        (row(ledger=Ledger()), 0, "0"),
    ],
    ids=["broke off", "never read", "left before", "no usage", "runs", "not read yet", "no price", "no edits"],
)
def test_only_a_prompt_that_was_read_saves_anything(told: ExchangeRow, tokens: int, money: str | None) -> None:
    assert told.saved_tokens == sum(saved for _, saved in told.saved_by_stage) == tokens
    assert told.saved_money == (None if money is None else Decimal(money))


@pytest.fixture
def tell() -> Callable[[Exchange], Meter]:
    """Publishes a settled exchange and returns the meter that heard of it."""
    bus = EventBus()
    meter = Meter(bus, lambda: 1000.0)

    def publish(settled: Exchange) -> Meter:
        bus.publish(ExchangeStarted(settled))
        bus.publish(ExchangeFinished(settled))
        return meter

    return publish


def test_sums_by_stage_server_and_currency(tell: Callable[[Exchange], Meter]) -> None:
    tell(exchange())
    tell(exchange("failed", Usage(), ledger=Ledger(CUTS)))
    tell(exchange(served_model="house"))
    totals = tell(exchange(server="international", currency="CNY")).totals
    assert (totals.saved_tokens, totals.saved_by_stage) == (6_000, {stage: 3 * part for stage, part in SAVED.items()})
    assert totals.saved_money == {"USD": Decimal("0.0009"), "CNY": Decimal("0.003")}
    assert totals.by_server["international"].saved_by_stage == SAVED
    assert {name: tally.saved_tokens for name, tally in totals.by_server.items()} == {
        "cn": 4_000,
        "international": 2_000,
    }


def test_saved_tokens_flow_beside_those_that_are_sent_each_once() -> None:
    bus = EventBus()
    meter = Meter(bus, lambda: 1000.0)
    live = exchange("running", Usage())
    bus.publish(ExchangeStarted(live))
    steps = [meter.sample(1001.0)]
    live.usage = READ
    steps += [meter.sample(1003.0), meter.sample(1004.0)]
    live.outcome = "done"
    bus.publish(ExchangeFinished(live))
    steps.append(meter.sample(1005.0))
    assert [(step.input_tokens_per_s, step.saved_tokens_per_s) for step in steps] == [
        (0, 0),
        (5000, 1000),
        (0, 0),
        (0, 0),
    ]
