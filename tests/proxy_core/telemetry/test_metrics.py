"""What a scrape says after some traffic."""

from __future__ import annotations

import pytest

from proxy_core.chat import Usage
from proxy_core.events import EventBus, Exchange, ExchangeFinished, ExchangeStarted
from proxy_core.ledger import Cut, Ledger, Stage
from proxy_core.telemetry.metrics import Metrics, Reading


def told(**fields: object) -> str:
    """The scrape after one exchange with these fields."""
    bus = EventBus()
    metrics = Metrics(bus)
    exchange = Exchange("req_1", 0.0, "/v1/messages", server="cn", served_model="glm-4.6", outcome="done")
    for name, value in fields.items():
        setattr(exchange, name, value)
    bus.publish(ExchangeStarted(exchange))
    bus.publish(ExchangeFinished(exchange))
    return metrics.render().decode()


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, 'llm_proxy_requests_total{door="/v1/messages",model="glm-4.6",outcome="done",server="cn"} 1.0'),
        ({}, "llm_proxy_in_flight 0.0"),
        (
            {"outcome": "failed", "error_kind": "overloaded"},
            'llm_proxy_errors_total{kind="overloaded",server="cn"} 1.0',
        ),
        ({"retries": 2}, 'llm_proxy_retries_total{server="cn"} 2.0'),
        (
            {"usage": Usage(10, 7, 0, 5)},
            'llm_proxy_tokens_total{kind="cached",model="glm-4.6",server="cn"} 7.0',
        ),
        (
            {"ledger": Ledger((Cut(Stage.PICTURES, 1, 900, 100),))},
            'llm_proxy_saved_tokens_total{stage="pictures"} 800.0',
        ),
        ({"duration_s": 0.2, "stream": True}, 'llm_proxy_request_seconds_count{server="cn",stream="true"} 1.0'),
        ({"first_token_s": 3.0}, 'llm_proxy_first_token_seconds_bucket{le="5.0",server="cn"} 1.0'),
        ({"queued_s": 3.0}, 'llm_proxy_queue_seconds_sum{server="cn"} 3.0'),
    ],
)
def test_an_exchange_is_told_as(fields: dict[str, object], line: str) -> None:
    assert line in told(**fields).splitlines()


def test_names_that_clients_invent_do_not_grow_without_bound() -> None:
    bus = EventBus()
    metrics = Metrics(bus)
    for number in range(500):
        bus.publish(ExchangeFinished(Exchange(f"{number}", 0.0, "/", served_model=f"glm-{number}", outcome="done")))
    lines = [line for line in metrics.render().decode().splitlines() if line.startswith("llm_proxy_requests_total")]
    assert len(lines) < 70
    assert any('model="other"' in line for line in lines)


def test_gauges_of_others_are_asked_for_at_each_scrape() -> None:
    metrics = Metrics(EventBus())
    values = iter((3.0, 4.0))
    metrics.add_source(lambda: [Reading("lane_waiting", "Waiting.", next(values), (("server", "cn"),))])
    first, second = metrics.render().decode(), metrics.render().decode()
    assert 'llm_proxy_lane_waiting{server="cn"} 3.0' in first
    assert 'llm_proxy_lane_waiting{server="cn"} 4.0' in second
