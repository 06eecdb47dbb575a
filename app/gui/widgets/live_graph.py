"""A card with one live plot over the last ten minutes; the only module that knows pyqtgraph.

Drawn when new samples come (once a second, and only while the window shows, see the bridge), never by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.gui.theme import Colours
from app.gui.words import compact, rate
from app.i18n import tr
from proxy_core.telemetry.series import CAPACITY, Sample

SPANS_S = (120, 300, CAPACITY)
"""How far back the plot reaches: not much further than there is something to see."""
NARROW = 330
STEPS = 4
TOPS = (1.2, 2.0, 4.0, 8.0)
"""Upper ends of the scale, times powers of ten: each can be cut in STEPS."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot. colour: a field of Colours. The second of two is dashed: not by colour alone.

    floor: its scale never ends below it. has_own_scale: read off at the right, where the figures differ much in size
    from those of the other curve.
    """

    name: str
    colour: str
    value: Callable[[Sample], float]
    floor: float
    is_dashed: bool = False
    has_own_scale: bool = False


def scale_top(highest: float, floor: float) -> float:
    """Where the scale ends: the first round number at or above both."""
    need = max(highest, floor)
    power = 0.01
    while power < inf:
        for top in TOPS:
            if top * power >= need * 0.999:
                return top * power
        power *= 10
    return need


class LiveGraph(QFrame):
    """Title, curves with their newest (or pointed-at) values, plot."""

    def __init__(self, title: str, curves: Sequence[Curve], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._curves = tuple(curves)
        self._samples: tuple[Sample, ...] = ()
        self._colours: Colours | None = None
        self._tops: dict[str, float] = {}
        self._span_s = 0
        self._title = QLabel(title)
        self._title.setObjectName("section")
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._plot = pg.PlotWidget()
        self._lines = [self._plot.plot() for _ in self._curves]
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._rules = [pg.InfiniteLine(angle=0, movable=False) for _ in range(STEPS + 1)]
        self._prepare_plot()
        self._arrange()
        self.show_samples(())

    def _arrange(self) -> None:
        # Cards in a row are of one width, whatever they say.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        head = self._head
        head.setSpacing(4)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._legend)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 10)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self._plot, 1)

    def _prepare_plot(self) -> None:
        plot = self._plot
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        plot.hideButtons()
        plot.setFrameShape(QFrame.Shape.NoFrame)
        plot.setMinimumHeight(120)
        plot.getViewBox().setDefaultPadding(0.0)
        plot.getPlotItem().layout.setContentsMargins(0, 6, 4 if len(self._sides()) > 1 else 20, 0)
        plot.setYRange(0, 1.03, padding=0)
        for side in self._sides():
            plot.showAxis(side)
            plot.getAxis(side).setWidth(46)
        for number, rule in enumerate(self._rules):
            rule.setPos(number / STEPS)
        for line in (*self._rules, self._cursor):
            line.setZValue(-1)  # behind the curves
            plot.addItem(line)
        self._cursor.hide()
        plot.scene().sigMouseMoved.connect(self._point)
        plot.viewport().installEventFilter(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow card tells its values below the title, and fewer times below the plot."""
        super().resizeEvent(event)
        directions = QBoxLayout.Direction
        self._head.setDirection(directions.TopToBottom if self._is_narrow() else directions.LeftToRight)
        self._label_times()

    def _is_narrow(self) -> bool:
        return self.width() < NARROW

    def set_colours(self, colours: Colours) -> None:
        """Take the colours that are in force."""
        self._colours = colours
        self._plot.setBackground(colours.card)
        for line, curve in zip(self._lines, self._curves, strict=True):
            self._paint_line(line, curve, getattr(colours, curve.colour))
        for side in (*self._sides(), "bottom"):
            axis = self._plot.getAxis(side)
            axis.setPen(None)
            axis.setTextPen(pg.mkPen(self._scale_colour(side, colours)))
            axis.setStyle(tickLength=0, tickTextOffset=6, hideOverlappingLabels=40)  # px that labels may stand out
        for rule in self._rules:
            rule.setPen(pg.mkPen(colours.grid))
        self._cursor.setPen(pg.mkPen(colours.faint))
        self._tell(self._samples[-1] if self._samples else None)

    def _scale_colour(self, side: str, colours: Colours) -> str:
        """Where there are two scales, each has the colour of its curve."""
        names = [curve.colour for curve in self._curves if _side(curve) == side]
        is_shared = len(self._sides()) == 1 or len(names) != 1
        return colours.muted if is_shared else getattr(colours, names[0])

    def _paint_line(self, line: pg.PlotDataItem, curve: Curve, colour: str) -> None:
        style = Qt.PenStyle.DashLine if curve.is_dashed else Qt.PenStyle.SolidLine
        line.setPen(pg.mkPen(colour, width=1.6, style=style))
        line.opts["antialias"] = True
        if not curve.is_dashed:
            ground = QColor(colour)
            ground.setAlpha(28)
            line.setFillLevel(0)
            line.setFillBrush(ground)

    def show_samples(self, samples: tuple[Sample, ...]) -> None:
        """Draw these, oldest first; the newest stands at the right edge."""
        self._samples = samples
        now = samples[-1].at if samples else 0.0
        ages = [sample.at - now for sample in samples]
        heights = [[curve.value(sample) for sample in samples] for curve in self._curves]
        for side in self._sides():
            self._scale(side, heights)
        for line, curve, values in zip(self._lines, self._curves, heights, strict=True):
            top = self._tops[_side(curve)]
            line.setData(ages, [max(value, 0.0) / top for value in values])  # less than none is told in the legend only
        self._reach(len(samples))
        if not self._cursor.isVisible():
            self._tell(samples[-1] if samples else None)

    def _sides(self) -> list[str]:
        return sorted({_side(curve) for curve in self._curves})

    def _scale(self, side: str, heights: Sequence[Sequence[float]]) -> None:
        """Curves are drawn as shares of their scale's top, so that two scales can stand beside one another."""
        pairs = [(curve, values) for curve, values in zip(self._curves, heights, strict=True) if _side(curve) == side]
        highest = max((max(values, default=0.0) for _, values in pairs), default=0.0)
        top = scale_top(highest, max(curve.floor for curve, _ in pairs))
        if top != self._tops.get(side):
            self._tops[side] = top
            shares = [part / STEPS for part in range(STEPS + 1)]
            self._plot.getAxis(side).setTicks([[(share, _figure(share * top)) for share in shares]])

    def _reach(self, count: int) -> None:
        span_s = next((span for span in SPANS_S if span >= count), SPANS_S[-1])
        if span_s == self._span_s:
            return
        self._span_s = span_s
        self._plot.setXRange(-span_s, 0, padding=0)
        self._label_times()

    def _label_times(self) -> None:
        ticks = _time_ticks(self._span_s)
        self._plot.getAxis("bottom").setTicks([ticks[:: 2 if self._is_narrow() else 1]])

    def _point(self, place: QPointF) -> None:
        age = self._plot.getViewBox().mapSceneToView(place).x()
        if not self._samples or not -self._span_s <= age <= 0:
            self._leave()
            return
        newest = self._samples[-1].at
        sample = min(self._samples, key=lambda sample: abs(sample.at - newest - age))
        self._cursor.setPos(sample.at - newest)
        self._cursor.show()
        self._tell(sample)

    def _leave(self) -> None:
        self._cursor.hide()
        self._tell(self._samples[-1] if self._samples else None)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Back to the newest values when the pointer leaves the plot."""
        if event.type() is QEvent.Type.Leave:
            self._leave()
        return False

    def _tell(self, sample: Sample | None) -> None:
        if self._colours is None:
            return
        parts = [self._legend_entry(curve, self._colours, sample) for curve in self._curves]
        self._legend.setText("&nbsp;&nbsp;&nbsp;&nbsp;".join(parts))

    def _legend_entry(self, curve: Curve, colours: Colours, sample: Sample | None) -> str:
        mark = "╍╍" if curve.is_dashed else "━━"
        value = rate(curve.value(sample)) if sample else "–"
        colour = getattr(colours, curve.colour)
        return (
            f'<span style="color:{colour}">{mark}</span>'
            f'&nbsp;<span style="color:{colours.muted}">{curve.name}</span>&nbsp;<b>{value}</b>'
        )


def _time_ticks(span_s: int) -> list[tuple[float, str]]:
    return [(-age, _age(age)) for age in range(0, span_s + 1, span_s // 5 if span_s > SPANS_S[0] else span_s // 4)]


def _age(age_s: int) -> str:
    if not age_s:
        return tr("now")
    minutes, rest = divmod(age_s, 60)
    return tr("−{seconds} s", seconds=age_s) if rest else tr("−{minutes} min", minutes=minutes)


def _side(curve: Curve) -> str:
    return "right" if curve.has_own_scale else "left"


def _figure(value: float) -> str:
    return compact(value).replace(".0", "") if value >= 10 or value == int(value) else f"{value:g}"
