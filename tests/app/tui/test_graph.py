from __future__ import annotations

import pytest

from app.tui.graph import bars


@pytest.mark.parametrize(
    ("values", "width", "height", "lines"),
    [
        ([], 3, 2, ["   ", "   "]),
        ([0, 0], 3, 2, ["   ", " ··"]),
        ([4, 8], 2, 1, ["▄█"]),
        ([4, 8], 4, 1, ["  ▄█"]),
        ([1, 2, 8, 4], 2, 1, ["█▄"]),
        ([8, 16, 4], 3, 2, [" █ ", "██▄"]),
        ([0.001, 1000], 2, 1, ["▁█"]),
        ([-5, 5], 2, 1, ["·█"]),
        ([1], 0, 1, [""]),
    ],
)
def test_bars_fill_their_room(values, width, height, lines):
    assert bars(values, width, height) == lines
