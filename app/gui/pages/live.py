"""The live page: how it goes right now, in numbers, in plots and in the last few requests."""

from __future__ import annotations

from statistics import median

from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.gui.bridge import Bridge
from app.gui.commands import Commands
from app.gui.models.exchange_table import SHORT_COLUMNS, ExchangeTable
from app.gui.theme import Theme
from app.gui.widgets.empty_state import EmptyState
from app.gui.widgets.exchange_list import ExchangeList
from app.gui.widgets.figure import Figure
from app.gui.widgets.live_graph import Curve, LiveGraph
from app.gui.words import compact, money, rate, seconds, signed
from app.i18n import tr
from app.state import Snapshot
from proxy_core.telemetry.rows import ExchangeRow
from proxy_core.telemetry.series import Sample
from proxy_core.telemetry.totals import Totals

MEDIAN_OF = 50


class LivePage(QWidget):
    """Numbers, plots, last requests; while there was no request yet, what to do about that."""

    def __init__(self, bridge: Bridge, commands: Commands, theme: Theme, table: ExchangeTable) -> None:
        super().__init__()
        self._bridge = bridge
        self._theme = theme
        self._output_per_s = 0.0
        self.figures = {name: Figure(title) for name, title in _figure_titles().items()}
        self.graphs = (_requests_graph(), _output_graph(), _prompts_graph())
        self.below = QStackedWidget()
        self.empty = EmptyState(bridge.snapshot, commands)
        self.below.addWidget(self.empty)
        self.below.addWidget(_card(ExchangeList(table, SHORT_COLUMNS)))
        self._arrange()
        self._recolour()
        theme.changed.connect(self._recolour)
        bridge.changed.connect(self._show_facts)
        bridge.sampled.connect(self._show_samples)
        bridge.listed.connect(self._show_rows)
        self._show_facts(bridge.snapshot)

    def _arrange(self) -> None:
        numbers, plots = QHBoxLayout(), QHBoxLayout()
        for figure in self.figures.values():
            numbers.addWidget(figure, 1)
        for graph in self.graphs:
            plots.addWidget(graph, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        for row in (numbers, plots, layout):
            row.setSpacing(12)
        layout.addLayout(numbers)
        layout.addLayout(plots, 5)
        layout.addWidget(self.below, 4)

    def _recolour(self) -> None:
        for graph in self.graphs:
            graph.set_colours(self._theme.colours)

    def _show_facts(self, snapshot: Snapshot) -> None:
        totals = self._bridge.snapshot.totals
        cached = tr("{tokens} cached", tokens=compact(totals.cached_tokens))
        running = tr("paused") if snapshot.paused else tr("{count} in flight", count=snapshot.in_flight)
        self.figures["requests"].tell(compact(totals.requests), running)
        self.figures["failed"].tell(compact(totals.failures), tr("{count} cancelled", count=totals.cancelled))
        self.figures["input"].tell(compact(totals.input_tokens), cached)
        self.figures["saved"].tell(signed(totals.saved_tokens), _saved_money(totals))
        self._show_output()
        self.empty.tell(snapshot)

    def _show_output(self) -> None:
        total = compact(self._bridge.snapshot.totals.output_tokens)
        self.figures["output"].tell(total, tr("{rate} per second", rate=rate(self._output_per_s)))

    def _show_samples(self, samples: tuple[Sample, ...]) -> None:
        for graph in self.graphs:
            graph.show_samples(samples)
        self._output_per_s = samples[-1].output_tokens_per_s
        self._show_output()

    def _show_rows(self, rows: tuple[ExchangeRow, ...]) -> None:
        self.below.setCurrentIndex(1 if rows else 0)
        waits = [row.first_token_s for row in rows if row.first_token_s is not None][:MEDIAN_OF]
        remark = tr("median of {count}", count=len(waits)) if waits else ""
        self.figures["first_token"].tell(seconds(median(waits) if waits else None), remark)


def _card(content: QWidget) -> QFrame:
    card = QFrame()
    card.setObjectName("card")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(1, 6, 1, 6)
    layout.addWidget(content)
    return card


def _figure_titles() -> dict[str, str]:
    return {
        "requests": tr("Requests"),
        "failed": tr("Failed"),
        "input": tr("Input tokens"),
        "saved": tr("Tokens saved"),
        "output": tr("Output tokens"),
        "first_token": tr("First token"),
    }


def _requests_graph() -> LiveGraph:
    curves = (
        Curve(tr("per second"), "requests", lambda sample: sample.requests_per_s, floor=4),
        Curve(tr("in flight"), "in_flight", lambda sample: sample.in_flight, floor=4, is_dashed=True),
    )
    return LiveGraph(tr("Requests"), curves)


def _output_graph() -> LiveGraph:
    curves = (Curve(tr("per second"), "tokens_out", lambda sample: sample.output_tokens_per_s, floor=80),)
    return LiveGraph(tr("Output tokens"), curves)


def _prompts_graph() -> LiveGraph:
    """Both on one scale, so that what was saved is seen as a share of what would have been sent."""
    curves = (
        Curve(tr("sent"), "tokens_in", lambda sample: sample.input_tokens_per_s, floor=800),
        Curve(tr("saved"), "tokens_saved", lambda sample: sample.saved_tokens_per_s, floor=800, is_dashed=True),
    )
    return LiveGraph(tr("Prompt tokens/s"), curves)


def _saved_money(totals: Totals) -> str:
    """By currency, since servers bill in two."""
    return " + ".join(money(amount, currency) for currency, amount in totals.saved_money.items())
