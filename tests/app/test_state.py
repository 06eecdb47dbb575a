from __future__ import annotations

import time

import pytest

from app.state import MAX_NOTICES, AppState
from proxy_core.events import EventBus, Exchange, ExchangeFinished, ExchangeStarted
from proxy_core.telemetry.meter import Meter


@pytest.fixture
def bus():
    return EventBus()


@pytest.fixture
def state(bus):
    return AppState(bus, Meter(bus, time.time))


def finish(bus: EventBus, outcome: str, message: str = "") -> None:
    exchange = Exchange(id="1", started_at=time.time(), door="/v1/messages", error_message=message)
    bus.publish(ExchangeStarted(exchange))
    exchange.outcome = outcome
    bus.publish(ExchangeFinished(exchange))


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        (lambda state: state.show_listening("127.0.0.1:5000"), "address", "127.0.0.1:5000"),
        (lambda state: state.show_servers("cn", ("cn", "x")), "servers", ("cn", "x")),
        (lambda state: state.show_paused(True), "paused", True),
        (lambda state: state.add_notice("look"), "notices", ("look",)),
    ],
)
def test_a_change_moves_the_revision(state, change, field, value):
    before = state.snapshot()
    change(state)
    after = state.snapshot()
    assert getattr(after, field) == value
    assert (getattr(before, field) != value, after.revision > before.revision) == (True, True)


def test_exchanges_are_counted_as_they_come_and_go(bus, state):
    exchange = Exchange(id="1", started_at=time.time(), door="/v1/messages")
    bus.publish(ExchangeStarted(exchange))
    running = state.snapshot()
    exchange.outcome = "done"
    bus.publish(ExchangeFinished(exchange))
    ended = state.snapshot()
    assert (running.in_flight, ended.in_flight, ended.totals.requests) == (1, 0, 1)
    assert ended.revision > running.revision


def test_the_last_error_stays_until_something_goes_well(bus, state):
    seen = []
    for outcome, message in (("failed", "no key sk-0123456789abcdef"), ("cancelled", ""), ("done", "")):
        finish(bus, outcome, message)
        seen.append(state.snapshot().last_error)
    assert seen == ["no key sk-0…ef", "no key sk-0…ef", ""]


def test_a_notice_is_said_once_and_old_ones_make_room(state, caplog):
    for number in range(MAX_NOTICES + 5):
        for _ in range(2):
            state.add_notice(f"notice {number}")
    assert len(state.snapshot().notices) == MAX_NOTICES
    assert len(caplog.records) == MAX_NOTICES + 5
    state.clear_notices()
    assert state.snapshot().notices == ()


def test_a_closed_state_hears_nothing(bus, state):
    state.close()
    before = state.snapshot().revision
    finish(bus, "failed")
    assert state.snapshot().revision == before
