"""A graph of the last seconds, as high as its room: one column a second, the newest at the right."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_ZERO = "·"
_STEPS = 8


def bars(values: Sequence[float], width: int, height: int) -> list[str]:
    """Lines from top to bottom, each `width` cells. The highest value seen fills them; whatever is not 0
    shows, and 0 is a dot: it was measured.
    """
    shown = [max(0.0, value) for value in list(values)[-width:]] if width > 0 else []
    top = max(shown, default=0.0)
    levels = [_level(value, top, height) for value in shown]
    rows = ["".join(_EIGHTHS[min(max(level - row * _STEPS, 0), _STEPS)] for level in levels) for row in range(height)]
    rows[:1] = [row.replace(" ", _ZERO) for row in rows[:1]]
    return [row.rjust(width) for row in reversed(rows)]


def _level(value: float, top: float, height: int) -> int:
    return 0 if value <= 0 else max(1, round(value / top * height * _STEPS))


class Graph(Widget):
    """A title line with the figure of now, and bars below. Takes the room it is given."""

    DEFAULT_CSS = """
    Graph { height: 1fr; min-height: 2; padding: 0 1; }
    Graph > .graph--bars { color: ansi_cyan; }
    """
    COMPONENT_CLASSES = {"graph--bars"}  # noqa: RUF012  # textual declares it so

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.title = ""
        self.caption = ""
        self._values: tuple[float, ...] = ()

    def draw(self, title: str, caption: str, values: Sequence[float]) -> None:
        """Show these from now on. caption: what stands at the right of the title."""
        self.title, self.caption, self._values = title, caption, tuple(values)
        self.refresh()

    def render(self) -> Text:
        """Title and bars, as large as there is room."""
        width, height = self.size.width, max(1, self.size.height - 1)
        title = Text(self.title, style="bold")
        gap = width - title.cell_len - Text(self.caption).cell_len
        title.append(" " * max(1, gap) + self.caption, style="not bold")
        style = self.get_component_rich_style("graph--bars", partial=True)
        lines = [Text(line, style=style) for line in bars(self._values, width, height)]
        return Text("\n", no_wrap=True).join([title, *lines])
