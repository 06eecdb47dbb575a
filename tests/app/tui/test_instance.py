"""Against a real instance: the whole screen once, and its end and return."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest_asyncio

from app.tui.app import ProxyTui
from app.tui.instance import find_live
from tests.app.control.hosts import Host
from tests.app.runtimes import ask
from tests.app.tui.fakes import FakeHost, expect_soon, expect_words


@pytest_asyncio.fixture
async def host(tmp_path):
    host = Host(tmp_path)
    await host.runtime.start()
    yield host
    await host.stop()


async def test_none_is_found_where_none_runs(tmp_path):
    assert await find_live(tmp_path) is None


async def test_the_screen_shows_and_commands_a_real_instance(host):
    app = ProxyTui(host.home, partial(find_live, host.home), FakeHost())
    async with app.run_test(size=(80, 24)) as pilot:
        await expect_words(pilot, host.runtime.state.snapshot().address, "demo", "tray program")
        assert (await ask(host.runtime))[0] == 200
        await pilot.press("3")
        await expect_words(pilot, "done", "glm-4.6")
        await pilot.press("enter")
        await expect_words(pilot, "200", "/v1/chat/completions")
        await pilot.press("escape", "4")
        await expect_words(pilot, "international", "cn", "●  demo")
        await pilot.press("6")
        await expect_words(pilot, "Port")
        await pilot.press("p")
        await expect_words(pilot, "Paused", "p Resume")
        assert host.runtime.state.snapshot().paused
        await pilot.press("q")
        await expect_soon(pilot, lambda: not app.is_running)


async def test_a_real_change_is_checked_and_holds(host):
    app = ProxyTui(host.home, partial(find_live, host.home), FakeHost())
    async with app.run_test(size=(80, 24)) as pilot:
        await expect_words(pilot, "tray program")
        await pilot.press("6")
        await expect_words(pilot, "Port")
        await pilot.press("down", "enter")
        await expect_words(pilot, "Enter: save")
        await pilot.press(*"99999", "enter")
        await expect_words(pilot, "from 0 to 65535", "cannot be used")
        await pilot.press(*["backspace"] * 6, *"0", "enter")
        await expect_words(pilot, "from now on")


async def test_an_end_is_shown_and_a_return_is_seen(host, monkeypatch):
    monkeypatch.setattr("app.tui.instance.RETRY_S", 0.05)
    app = ProxyTui(host.home, partial(find_live, host.home), FakeHost())
    async with app.run_test(size=(80, 24)) as pilot:
        await expect_words(pilot, "tray program")
        await host.stop()
        await expect_words(pilot, "No proxy runs")
        other = Host(host.home.parent)
        await other.runtime.start()
        await expect_words(pilot, other.runtime.state.snapshot().address)
        await other.stop()
        await asyncio.sleep(0)
