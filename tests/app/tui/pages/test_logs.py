from __future__ import annotations

import json

import pytest

from tests.app.tui.fakes import FakeInstance, expect_words, shown, text_of


def write(home, *levels: str) -> None:
    path = home / "logs" / "application.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        for level in levels:
            stamp = "2026-09-21T14:13:01.000Z"
            file.write(json.dumps({"timestamp": stamp, "level": level, "event": f"[{level}] line"}) + "\n")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("app.tui.pages.logs._PERIOD_S", 0.02)


async def test_lines_appear_as_they_are_written(tmp_path):
    async with shown(tmp_path, FakeInstance()) as pilot:
        await pilot.press("5")
        await expect_words(pilot, "No lines yet")
        write(tmp_path, "warning")
        await expect_words(pilot, "14:13:01 WARNING  [warning] line", "1 of 1 lines")


async def test_the_level_is_chosen_by_key(tmp_path):
    write(tmp_path, "debug", "info", "error")
    async with shown(tmp_path, FakeInstance()) as pilot:
        await pilot.press("5")
        await expect_words(pilot, "From INFO on · 2 of 3 lines", "[info] line")
        await pilot.press("l", "l")
        await expect_words(pilot, "From ERROR on · 1 of 3 lines")
        assert "[info] line" not in text_of(pilot.app)
        await pilot.press("l", "l")
        await expect_words(pilot, "[debug] line")


async def test_whoever_scrolls_up_is_left_there_until_f(tmp_path):
    write(tmp_path, *["info"] * 100)
    async with shown(tmp_path, FakeInstance()) as pilot:
        await pilot.press("5")
        await expect_words(pilot, "100 of 100 lines")
        await pilot.pause()
        await pilot.press("home")
        write(tmp_path, "error")
        await expect_words(pilot, "101 of 101")
        assert "[error]" not in text_of(pilot.app)
        await pilot.press("f")
        await expect_words(pilot, "[error] line")


async def test_what_cannot_be_read_is_said(tmp_path):
    (tmp_path / "logs" / "application.jsonl").mkdir(parents=True)
    async with shown(tmp_path, FakeInstance()) as pilot:
        await pilot.press("5")
        await expect_words(pilot, "Cannot be read (Is a directory)")
