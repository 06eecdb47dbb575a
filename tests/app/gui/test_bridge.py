"""The bridge is calm: ten thousand events make a handful of signals, the last of which is right."""

from __future__ import annotations

import time

import pytest
from pytestqt.qtbot import QtBot

from app.gui.bridge import ROWS_EVERY, Bridge
from app.state import AppState, Snapshot
from proxy_core.events import EventBus, Exchange, ExchangeFinished, ExchangeStarted
from proxy_core.telemetry.meter import Meter
from proxy_core.telemetry.rows import ExchangeRow
from proxy_core.telemetry.series import Sample


class Facts:
    """A bus with the real meter and state behind it, and lists of what the bridge told."""

    def __init__(self) -> None:
        self.bus = EventBus()
        self.meter = Meter(self.bus, time.time)
        self.bridge = Bridge(AppState(self.bus, self.meter), self.meter)
        self.told: list[Snapshot] = []
        self.listed: list[tuple[ExchangeRow, ...]] = []
        self.sampled: list[tuple[Sample, ...]] = []
        self.bridge.changed.connect(self.told.append)
        self.bridge.listed.connect(self.listed.append)
        self.bridge.sampled.connect(self.sampled.append)

    def serve(self, number: int) -> None:
        """One exchange, begun and ended."""
        exchange = Exchange(id=f"x{number}", started_at=float(number), door="/v1/messages")
        self.bus.publish(ExchangeStarted(exchange))
        exchange.outcome = "done"
        self.bus.publish(ExchangeFinished(exchange))


@pytest.fixture
def facts(qapp: object) -> Facts:
    return Facts()


def test_ten_thousand_events_are_a_handful_of_signals(facts: Facts, qtbot: QtBot) -> None:
    facts.bridge.start()
    facts.bridge.watch(True)
    for number in range(5_000):
        facts.serve(number)
        if number % 1_000 == 0:
            qtbot.wait(20)
    qtbot.waitUntil(lambda: facts.told[-1].totals.requests == 5_000)
    facts.bridge.stop()
    assert len(facts.told) < 20
    assert len(facts.listed) < 20


def test_nothing_new_is_told_once(facts: Facts) -> None:
    for _ in range(5):
        facts.bridge.beat()
    assert len(facts.told) == 1


def test_lists_and_curves_wait_for_somebody_who_looks(facts: Facts) -> None:
    facts.serve(1)
    facts.meter.sample(2.0)
    facts.bridge.beat()
    assert (facts.listed, facts.sampled) == ([], [])
    facts.bridge.watch(True)
    assert [row.id for row in facts.listed[-1]] == ["x1"]
    assert [sample.at for sample in facts.sampled[-1]] == [2.0]


def test_whoever_looks_again_sees_all_again(facts: Facts) -> None:
    facts.serve(1)
    facts.meter.sample(2.0)
    for is_watched in (True, False, True):
        facts.bridge.watch(is_watched)
    assert (len(facts.listed), len(facts.sampled)) == (2, 2)


def test_running_and_ended_exchanges_stand_in_the_order_they_came(facts: Facts) -> None:
    slow = Exchange(id="slow", started_at=2.5, door="/v1/messages")
    facts.bus.publish(ExchangeStarted(slow))
    for number in (1, 2, 3):
        facts.serve(number)
    facts.bridge.watch(True)
    assert [row.id for row in facts.listed[-1]] == ["x3", "slow", "x2", "x1"]


def test_the_list_is_slower_than_the_facts(facts: Facts) -> None:
    facts.bridge.watch(True)
    for number in range(2 * ROWS_EVERY):
        facts.serve(number)
        facts.bridge.beat()
    assert len(facts.told) == 1 + 2 * ROWS_EVERY
    assert len(facts.listed) <= 3
