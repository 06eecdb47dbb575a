"""The meter, driven by the bus and a clock that stands where the test puts it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import Usage
from proxy_core.events import EventBus, Exchange, ExchangeFinished, ExchangeStarted, Outcome
from proxy_core.telemetry.meter import MAX_LIVE, MAX_ROWS, Meter
from proxy_core.telemetry.totals import MAX_NAMES, OTHER

KEY = "0123456789abcdef0123456789abcdef.AbCdEfGh"


class Stage:
    """A bus, a meter on it, and the time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.bus = EventBus()
        self.meter = Meter(self.bus, lambda: self.now)
        self._ids = 0

    def start(self, server: str = "cn", model: str = "glm-4.6") -> Exchange:
        self._ids += 1
        exchange = Exchange(f"x{self._ids}", self.now, "/v1/messages", server=server, served_model=model)
        self.bus.publish(ExchangeStarted(exchange))
        return exchange

    def end(self, exchange: Exchange, outcome: Outcome = "done", usage: Usage | None = None) -> None:
        exchange.outcome = outcome
        exchange.usage = usage or exchange.usage
        self.bus.publish(ExchangeFinished(exchange))

    def tick(self, seconds: float = 1.0) -> float:
        """Let time pass; returns the output rate of the step."""
        self.now += seconds
        return self.meter.sample(self.now).output_tokens_per_s


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_running_stream_moves_the_rate(stage: Stage) -> None:
    exchange = stage.start()
    exchange.output_chars = 36
    assert stage.tick() == pytest.approx(10)
    exchange.output_chars += 72
    assert stage.tick(2.0) == pytest.approx(10)
    assert stage.tick() == 0


@pytest.mark.parametrize(("reported", "last_step"), [(100, 0), (150, 50), (60, 0)])
def test_real_usage_corrects_the_estimate_and_is_not_added_to_it(stage: Stage, reported: int, last_step: int) -> None:
    exchange = stage.start()
    exchange.output_chars = 360
    assert stage.tick() == pytest.approx(100)
    stage.end(exchange, usage=Usage(output_tokens=reported))
    assert stage.tick() == pytest.approx(last_step)
    assert stage.meter.totals.output_tokens == reported


def test_what_was_shown_too_much_is_held_back_while_others_stream(stage: Stage) -> None:
    first, second = stage.start(), stage.start()
    first.output_chars = 360
    rates = [stage.tick()]
    stage.end(first, usage=Usage(output_tokens=10))
    rates.append(stage.tick())
    stage.end(second, usage=Usage(output_tokens=200))
    rates.append(stage.tick())
    assert rates == pytest.approx([100, 0, 110])


def test_an_old_debt_does_not_hide_the_next_stream(stage: Stage) -> None:
    first = stage.start()
    first.output_chars = 360
    stage.tick()
    stage.end(first, usage=Usage(output_tokens=10))
    stage.tick()
    stage.start().output_chars = 36
    assert stage.tick() > 0


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 1000)), min_size=1, max_size=8))
def test_the_rates_of_overlapping_streams_add_up_to_the_usage(streams: list[tuple[int, int]]) -> None:
    stage = Stage()
    last = stage.start()
    shown = 0.0
    for chars, tokens in streams:
        exchange = stage.start()
        exchange.output_chars = chars
        shown += stage.tick()
        stage.end(exchange, usage=Usage(output_tokens=tokens))
        shown += stage.tick()
    stage.end(last, usage=Usage(output_tokens=100_000))  # large enough to pay back any debt
    assert shown + stage.tick() == pytest.approx(stage.meter.totals.output_tokens)


def test_the_ratio_is_learned(stage: Stage) -> None:
    for _ in range(60):
        exchange = stage.start()
        exchange.output_chars = 200
        stage.end(exchange, usage=Usage(output_tokens=100))
    stage.tick()
    stage.start().output_chars = 200
    assert stage.tick() == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize(("outcome", "tokens"), [("failed", 500), ("cancelled", 500), ("done", 9)])
def test_nothing_is_learned_from_broken_or_short_answers(stage: Stage, outcome: Outcome, tokens: int) -> None:
    exchange = stage.start()
    exchange.output_chars = 1000
    stage.end(exchange, outcome, Usage(output_tokens=tokens))
    stage.tick()
    stage.start().output_chars = 36
    assert stage.tick() == pytest.approx(10)


def test_a_broken_stream_counts_what_it_delivered(stage: Stage) -> None:
    exchange = stage.start()
    exchange.output_chars = 360
    stage.end(exchange, "cancelled", Usage(input_tokens=7, output_tokens=1))
    row = stage.meter.recent()[0]
    assert (row.output_tokens, row.is_estimate, row.input_tokens) == (100, True, 7)
    assert stage.meter.totals.output_tokens == 100


def test_one_step_holds_requests_input_failures_and_what_runs(stage: Stage) -> None:
    stage.start()
    stage.end(stage.start(), usage=Usage(input_tokens=10, cached_tokens=30, cache_write_tokens=2))
    stage.end(stage.start(), "failed")
    stage.end(stage.start(), "cancelled")
    stage.now += 2
    step = stage.meter.sample(stage.now)
    assert (step.requests_per_s, step.input_tokens_per_s, step.in_flight, step.failures) == (2.0, 21.0, 1, 1)
    quiet = stage.meter.sample(stage.now + 1)
    assert (quiet.requests_per_s, quiet.input_tokens_per_s, quiet.failures) == (0, 0, 0)
    assert stage.meter.series.samples() == (step, quiet)


def test_input_is_shown_once_when_it_is_known_before_the_end(stage: Stage) -> None:
    exchange = stage.start()
    exchange.usage = Usage(input_tokens=50)
    steps = [stage.meter.sample(stage.now + 1), stage.meter.sample(stage.now + 2)]
    stage.end(exchange, usage=Usage(input_tokens=60))
    steps.append(stage.meter.sample(stage.now + 3))
    assert [step.input_tokens_per_s for step in steps] == [50, 0, 10]


@pytest.mark.parametrize("now", [1000.0, 900.0])
def test_a_clock_set_back_is_taken_for_one_step(stage: Stage, now: float) -> None:
    stage.start()
    assert stage.meter.sample(now).requests_per_s == 1.0
    stage.start()
    assert stage.meter.sample(now + 2).requests_per_s == 0.5


def test_totals_by_server_and_model(stage: Stage) -> None:
    stage.end(stage.start(), usage=Usage(input_tokens=5, cached_tokens=6, cache_write_tokens=1, output_tokens=7))
    stage.end(stage.start("international", "glm-5"), "failed")
    stage.end(stage.start("international"), "cancelled")
    stage.end(stage.start("", ""), "failed")
    totals = stage.meter.totals
    assert (totals.requests, totals.failures, totals.cancelled) == (4, 2, 1)
    assert (totals.input_tokens, totals.cached_tokens, totals.output_tokens) == (6, 6, 7)
    assert {name: tally.requests for name, tally in totals.by_server.items()} == {"cn": 1, "international": 2}
    assert {name: tally.failures for name, tally in totals.by_model.items()} == {"glm-4.6": 0, "glm-5": 1}


def test_totals_are_values(stage: Stage) -> None:
    before = stage.meter.totals
    stage.end(stage.start())
    assert (before.requests, dict(before.by_server), stage.meter.totals.requests) == (0, {}, 1)
    with pytest.raises(FrozenInstanceError):
        before.requests = 5  # type: ignore[misc]  # that it is refused is the test


def test_rows_are_pictures_of_the_moment(stage: Stage) -> None:
    exchange = stage.start()
    stage.now += 3
    exchange.output_chars = 36
    running = stage.meter.live_rows()[0]
    exchange.output_chars, exchange.duration_s, exchange.status = 999, 2.5, 200
    stage.end(exchange, usage=Usage(output_tokens=5))
    ended = stage.meter.recent(1)[0]
    exchange.status = 500
    assert (running.outcome, running.duration_s, running.output_tokens, running.is_estimate) == (
        "running",
        3.0,
        10,
        True,
    )
    assert (ended.outcome, ended.duration_s, ended.output_tokens, ended.is_estimate) == ("done", 2.5, 5, False)
    assert ended.status == 200


def test_newest_come_first(stage: Stage) -> None:
    first, second, third = stage.start(), stage.start(), stage.start()
    assert [row.id for row in stage.meter.live_rows()] == ["x3", "x2", "x1"]
    assert stage.meter.exchanges == (first, second, third)
    for exchange in (second, first, third):
        stage.end(exchange)
    assert [row.id for row in stage.meter.recent()] == ["x3", "x1", "x2"]
    assert [row.id for row in stage.meter.recent(2)] == ["x3", "x1"]
    assert stage.meter.recent(-1) == ()


def test_nothing_grows_without_bound(stage: Stage) -> None:
    for number in range(MAX_ROWS + MAX_NAMES):
        stage.end(stage.start(f"s{number}", f"m{number}"))
    for _ in range(MAX_LIVE + 5):
        stage.start()
    totals = stage.meter.totals
    assert len(stage.meter.recent(10_000)) == MAX_ROWS
    assert len(totals.by_server) == len(totals.by_model) == MAX_NAMES + 1
    assert totals.by_model[OTHER].requests == MAX_ROWS
    assert stage.meter.in_flight == MAX_LIVE


def test_rows_hold_no_key_and_no_endless_text(stage: Stage) -> None:
    exchange = stage.start(model="m" * 1_000_000)
    exchange.error_message = f"refused {KEY} " + "x" * 100_000
    stage.end(exchange, "failed")
    row = stage.meter.recent()[0]
    assert row.error_message.startswith("refused 0123…Gh x")
    assert max(len(row.error_message), len(row.served_model), *map(len, stage.meter.totals.by_model)) <= 500


def test_an_end_without_a_start_is_counted_once(stage: Stage) -> None:
    exchange = Exchange("late", stage.now, "/v1/messages", output_chars=360)
    stage.end(exchange, usage=Usage(output_tokens=90))
    assert stage.tick() == pytest.approx(90)
    assert (stage.meter.totals.requests, stage.meter.in_flight) == (1, 0)


def test_a_closed_meter_hears_nothing(stage: Stage) -> None:
    stage.meter.close()
    stage.end(stage.start())
    assert stage.meter.totals.requests == 0
