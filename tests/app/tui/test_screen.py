"""The screen at 80×24, line by line, and turning its pages."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.app.tui.fakes import FakeInstance, expect_words, shown, text_of
from tests.app.tui.snapshots import FOLDER, SHOTS, take


@pytest.mark.parametrize("name", SHOTS)
async def test_the_screen_looks_as_before(name, tmp_path):
    seen = await take(name, tmp_path)
    wanted = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert seen == wanted, "a wanted change? python -m tests.app.tui.snapshots"


@pytest.mark.parametrize("name", SHOTS)
def test_nothing_is_cut_off_at_the_edge(name):
    width, height = SHOTS[name][3]
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) == height
    assert max(map(cell_len, lines)) <= width
    assert "…" not in lines[-1]


async def test_tab_turns_the_pages_round(tmp_path):
    async with shown(tmp_path, FakeInstance()) as pilot:
        await pilot.press("tab")
        await expect_words(pilot, "Tokens/s saved")
        await pilot.press("shift+tab", "shift+tab")
        await expect_words(pilot, "Log level")


@pytest.mark.parametrize("size", [(40, 10), (20, 5), (200, 60)])
async def test_it_stands_in_any_terminal(tmp_path, size):
    async with shown(tmp_path, FakeInstance(), size=size, word="") as pilot:
        for key in ("1", "2", "3", "enter", "escape", "4", "5", "6", "enter", "escape", "question_mark", "escape"):
            await pilot.press(key)
            await pilot.pause()
        assert pilot.app.is_running
        assert len(text_of(pilot.app).splitlines()) == size[1]


async def test_a_message_goes_away(tmp_path, monkeypatch):
    monkeypatch.setattr("app.tui.screen._MESSAGE_S", 0.05)
    async with shown(tmp_path, FakeInstance()) as pilot:
        pilot.app.say("[not] markup")
        await expect_words(pilot, "[not] markup")
        while "markup" in text_of(pilot.app):
            await pilot.pause(0.02)
