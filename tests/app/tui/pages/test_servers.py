from __future__ import annotations

from tests.app.tui.fakes import FakeInstance, expect_words, shown


async def test_enter_switches(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        await pilot.press("4")
        await expect_words(pilot, "no answer within 3 s")
        await pilot.press("down", "enter")
        await expect_words(pilot, "Requests now go to cn", "●  cn", "42 ms")
        assert instance.verbs.heard == [("switch", "cn")]


async def test_t_tests_the_key(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        await pilot.press("4")
        await expect_words(pilot, "42 ms")
        await pilot.press("t")
        await expect_words(pilot, "international · The key works. · 321 ms")


async def test_a_switch_by_somebody_else_is_seen(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        await pilot.press("4")
        await expect_words(pilot, "●  international")
        instance.verbs.state["server"] = "cn"
        instance.tell()
        await expect_words(pilot, "●  cn")
