"""z.ai's bounds."""

from __future__ import annotations

import pytest

from proxy_core.dialects.openai.limits import clamp_max_tokens, clamp_temperature, clamp_top_p, split_stop
from proxy_core.facts import UpstreamQuirks
from tests.proxy_core.dialects.openai.builders import SEES, target


@pytest.mark.parametrize(("asked", "sent"), [(0, 1), (-5, 1), (1, 1), (32_768, 32_768), (10**9, 32_768)])
def test_max_tokens(asked: int, sent: int) -> None:
    assert clamp_max_tokens(asked, target(SEES)) == sent


@pytest.mark.parametrize(("asked", "sent"), [(0, 0), (0.7, 0.7), (1, 1), (1.9, 1.0)])
def test_temperature(asked: float, sent: float) -> None:
    assert clamp_temperature(asked, target()) == sent


@pytest.mark.parametrize(("asked", "sent"), [(0, 0.01), (0.5, 0.5), (1, 1)])
def test_top_p(asked: float, sent: float) -> None:
    assert clamp_top_p(asked) == sent


@pytest.mark.parametrize(
    ("limit", "kept", "left"),
    [(1, ["A"], ("B",)), (2, ["A", "B"], ()), (4, ["A", "B"], ()), (0, [], ("A", "B"))],
)
def test_stop(limit: int, kept: list[str], left: tuple[str, ...]) -> None:
    assert split_stop(("A", "B"), target(quirks=UpstreamQuirks(stop_limit=limit))) == (kept, left)
