"""Four graphs of the last seconds."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Grid

from app.i18n import tr
from app.tui.desk import Page
from app.tui.facts import Picture
from app.tui.graph import Graph
from app.tui.words import rate
from proxy_core.telemetry.series import Sample

_FIGURES: dict[str, Callable[[Sample], float]] = {
    "requests": lambda sample: sample.requests_per_s,
    "output": lambda sample: sample.output_tokens_per_s,
    "input": lambda sample: sample.input_tokens_per_s,
    "saved": lambda sample: sample.saved_tokens_per_s,
}


class LivePage(Page):
    """One below the other, or in two columns where there is room."""

    focus_on = "#graphs"

    def compose(self) -> ComposeResult:
        """Four graphs."""
        with Grid(id="graphs") as grid:
            grid.can_focus = True
            for name in _FIGURES:
                yield Graph(id=f"graph-{name}")

    def page_title(self) -> str:
        """Its name."""
        return tr("Live")

    def show(self, picture: Picture) -> None:
        """Draw the newest samples."""
        titles = {
            "requests": tr("Requests/s"),
            "output": tr("Tokens/s out"),
            "input": tr("Tokens/s in"),
            "saved": tr("Tokens/s saved"),
        }
        for name, figure in _FIGURES.items():
            values = [figure(sample) for sample in picture.samples]
            graph = self.query_one(f"#graph-{name}", Graph)
            shown = values[-max(1, graph.size.width) :]
            caption = tr(
                "now {now} · highest {top}", now=rate(values[-1] if values else 0), top=rate(max(shown, default=0))
            )
            graph.draw(titles[name], caption, values)
