"""The live plot: round scales, a span that grows with what there is, values told as words."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from app.gui.theme import DARK, LIGHT
from app.gui.widgets.live_graph import Curve, LiveGraph, scale_top
from proxy_core.telemetry.series import Sample

OUT = Curve("out", "tokens_out", lambda sample: sample.output_tokens_per_s, floor=80)
IN = Curve("in", "tokens_in", lambda sample: sample.input_tokens_per_s, 800, is_dashed=True, has_own_scale=True)


@pytest.fixture
def graph(qtbot: QtBot) -> LiveGraph:
    graph = LiveGraph("Tokens", (OUT, IN))
    qtbot.addWidget(graph)
    graph.set_colours(LIGHT)
    return graph


def samples(count: int, **last: float) -> tuple[Sample, ...]:
    quiet = [Sample(at=float(second)) for second in range(count - 1)]
    return (*quiet, Sample(at=float(count - 1), **last))


def ticks(graph: LiveGraph, side: str) -> list[str]:
    return [text for _, text in graph._plot.getAxis(side)._tickLevels[0]]


@pytest.mark.parametrize(
    ("highest", "floor", "top"),
    [
        (0, 4, 4),
        (4, 4, 4),
        (5, 4, 8),
        (9, 4, 12),
        (13, 4, 20),
        (21, 4, 40),
        (81, 4, 120),
        (0, 80, 80),
        (4.1e6, 80, 8e6),
    ],
)
def test_the_scale_ends_at_a_round_number(highest: float, floor: float, top: float) -> None:
    assert scale_top(highest, floor) == pytest.approx(top)


def test_two_scales_stand_beside_one_another(graph: LiveGraph) -> None:
    graph.show_samples(samples(10, output_tokens_per_s=150, input_tokens_per_s=15_000))
    assert ticks(graph, "left") == ["0", "50", "100", "150", "200"]
    assert ticks(graph, "right") == ["0", "5k", "10k", "15k", "20k"]
    assert [line.yData[-1] for line in graph._lines] == [pytest.approx(0.75), pytest.approx(0.75)]


@pytest.mark.parametrize(
    ("count", "labels"),
    [
        (0, ["now", "−30 s", "−1 min", "−90 s", "−2 min"]),
        (120, ["now", "−30 s", "−1 min", "−90 s", "−2 min"]),
        (121, ["now", "−1 min", "−2 min", "−3 min", "−4 min", "−5 min"]),
        (600, ["now", "−2 min", "−4 min", "−6 min", "−8 min", "−10 min"]),
    ],
)
def test_it_reaches_back_as_far_as_there_is_something(graph: LiveGraph, count: int, labels: list[str]) -> None:
    graph.show_samples(samples(count) if count else ())
    assert ticks(graph, "bottom") == labels


def test_the_newest_values_are_told_and_those_at_the_pointer(graph: LiveGraph) -> None:
    graph.show_samples((Sample(at=1.0, output_tokens_per_s=7.0), Sample(at=2.0, output_tokens_per_s=42.0)))
    assert "<b>42</b>" in graph._legend.text()
    graph._point(graph._plot.getViewBox().mapViewToScene(QPointF(-1.0, 0.5)))
    assert "<b>7</b>" in graph._legend.text()
    graph._leave()
    assert "<b>42</b>" in graph._legend.text()


def test_less_than_none_stays_on_the_floor_and_is_told(graph: LiveGraph) -> None:
    graph.show_samples((Sample(at=1.0, output_tokens_per_s=-30.0),))
    assert graph._lines[0].yData[-1] == 0
    assert "<b>-30</b>" in graph._legend.text()


def test_the_colours_follow_the_look(graph: LiveGraph) -> None:
    graph.set_colours(DARK)
    assert graph._lines[0].opts["pen"].color().name() == DARK.tokens_out
    assert DARK.tokens_out in graph._legend.text()


def test_a_narrow_card_has_fewer_times_and_its_values_below_the_title(graph: LiveGraph) -> None:
    graph.show()
    graph.resize(600, 200)
    wide = (ticks(graph, "bottom"), graph._legend.y() > graph._title.y() + graph._title.height() // 2)
    graph.resize(260, 200)
    graph.layout().activate()
    narrow = (ticks(graph, "bottom"), graph._legend.y() > graph._title.y() + graph._title.height() // 2)
    assert wide == (["now", "−30 s", "−1 min", "−90 s", "−2 min"], False)
    assert narrow == (["now", "−1 min", "−2 min"], True)
