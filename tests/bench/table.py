"""From samples to lines: medians of the rounds, ratios to the bare pass-through of the same round, goals."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.measures import Measure

Samples = dict[str, list[float]]  # by target, one figure a round

COLUMNS = "{:36} {:>9} {:>9} {:>9} {:>9}   {:>18} {:>18}   {}"
HEADINGS = ("", "direct", "bare", "headless", "tray", "headless : bare", "tray : bare", "goal (tray)")


@dataclass(frozen=True)
class Line:
    """One line of the table. compared: the ratios (or plain figures) that the goal is about, one a round."""

    title: str
    unit: str
    samples: Samples
    compared: dict[str, list[float]]
    goal: str = ""
    missed: bool = False


def compare(measure: Measure, samples: Samples, name: str) -> list[float]:
    """What the goal is about, round by round; a round where the bare one adds nothing measurable is left out."""
    ours = samples[name]
    if measure.kind == "absolute":
        return ours
    bare = samples["bare"]
    if measure.kind == "ratio":
        return [mine / floor for mine, floor in zip(ours, bare, strict=True)]
    rounds = zip(ours, bare, samples["direct"], strict=True)
    return [(mine - none) / (floor - none) for mine, floor, none in rounds if floor > none]


def line(measure: Measure, samples: Samples) -> Line:
    """The line of one measure."""
    compared = {name: compare(measure, samples, name) for name in ("headless", "tray") if name in samples}
    goal, missed = "", False
    if measure.goal:
        sign = ">=" if measure.higher_is_better else "<="
        goal = f"{sign} {measure.goal:g}" + (f" {measure.unit}" if measure.kind == "absolute" else "x bare")
        missed = is_missed(compared.get("tray", []), measure.goal, measure.higher_is_better)
    return Line(measure.title, measure.unit, samples, {} if measure.kind == "absolute" else compared, goal, missed)


def is_missed(values: Sequence[float], goal: float, higher_is_better: bool = False) -> bool:
    if not values:
        return False
    middle = statistics.median(values)
    return middle < goal if higher_is_better else middle > goal


def spread(values: Sequence[float]) -> str:
    """Median, and the range of the rounds if there are several."""
    if not values:
        return ""
    middle = f"{statistics.median(values):.2f}"
    return middle if len(values) == 1 else f"{middle} [{min(values):.2f}-{max(values):.2f}]"


def figure(values: Sequence[float] | None) -> str:
    if not values:
        return ""
    middle = statistics.median(values)
    return f"{middle:.0f}" if middle >= 1000 else f"{middle:.3g}"


def render(lines: Sequence[Line]) -> str:
    """The table as text."""
    rows = [COLUMNS.format(*HEADINGS)]
    for one in lines:
        figures = [figure(one.samples.get(name)) for name in ("direct", "bare", "headless", "tray")]
        ratios = [spread(one.compared.get(name, ())) for name in ("headless", "tray")]
        verdict = f"{one.goal}{'  MISSED' if one.missed else ''}"
        rows.append(COLUMNS.format(f"{one.title}, {one.unit}", *figures, *ratios, verdict).rstrip())
    return "\n".join(rows)
