from __future__ import annotations

import pytest

from app.control.client import ControlError
from tests.app.tui.fakes import FakeInstance, expect_words, shown, text_of


async def write_port(pilot, port: str) -> None:
    await pilot.press("6")
    await expect_words(pilot, "config.yaml")
    await pilot.press("enter")
    await expect_words(pilot, "Enter: save")
    await pilot.press(*["backspace"] * 4, *port, "enter")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"rebound": True, "address": "127.0.0.1:5001"}, "Port changed: the proxy listens on 127.0.0.1:5001 now."),
        ({}, "Port changed; it holds from now on."),
        ({"unsaved": {"port": "PORT (environment)"}}, "from now on. PORT (environment) decides"),
    ],
)
async def test_a_change_is_made_and_its_effect_told(tmp_path, answer, words):
    instance = FakeInstance()
    instance.verbs.change_answer |= answer
    async with shown(tmp_path, instance) as pilot:
        await write_port(pilot, "5001")
        await expect_words(pilot, words)
        assert instance.verbs.heard == [("change", ("port", "5001"))]


async def test_a_bad_value_is_said_in_the_dialog_which_stays(tmp_path):
    instance = FakeInstance()
    instance.verbs.refusal = ControlError("port: 99999 cannot be used", 400)
    async with shown(tmp_path, instance) as pilot:
        await write_port(pilot, "99999")
        await expect_words(pilot, "port: 99999 cannot be used", "Enter: save")
        await pilot.press("escape")
        assert "Enter: save" not in text_of(pilot.app)


async def test_words_are_chosen_from(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        await pilot.press("6")
        await expect_words(pilot, "config.yaml")
        await pilot.press("down", "enter")
        await expect_words(pilot, "CRITICAL")
        await pilot.press("up", "enter")
        await expect_words(pilot, "Log level changed")
        assert instance.verbs.heard == [("change", ("log_level", "DEBUG"))]
