from __future__ import annotations

from tests.app.tui.fakes import DONE, ROW, FakeInstance, expect_words, shown, text_of


async def test_a_running_request_is_cancelled_after_a_question(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        await pilot.press("3")
        await expect_words(pilot, "12.0 s")
        await pilot.press("x")
        await expect_words(pilot, "Cancel the request for claude-sonnet-4")
        await pilot.press("n", "x", "y")
        await expect_words(pilot, "Cancelled.")
        assert instance.verbs.heard == [("cancel", "req_1")]


async def test_an_ended_one_cannot_be_cancelled(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        await pilot.press("3")
        await expect_words(pilot, "12.0 s")
        await pilot.press("down", "x")
        await expect_words(pilot, "Only a running request can be cancelled.")
        assert instance.verbs.heard == []


async def test_the_mark_stays_on_its_request_as_others_come(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        await pilot.press("3")
        await expect_words(pilot, "12.0 s")
        await pilot.press("down", "down")
        fresh = [DONE | {"id": f"new_{number}", "served_model": f"new-{number}"} for number in range(5)]
        instance.tell(recent=fresh)
        await expect_words(pilot, "new-4")
        await pilot.press("enter")
        await expect_words(pilot, "Too many requests at once.")


async def test_the_detail_follows_the_request(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        await pilot.press("3")
        await expect_words(pilot, "12.0 s")
        await pilot.press("enter")
        await expect_words(pilot, "running 200", "claude-sonnet-4 → glm-4.6", "(estimated)")
        instance.tell(running=[], recent=[ROW | {"outcome": "done", "is_estimate": False, "output_tokens": 777}])
        await expect_words(pilot, "done 200", "777 out")
        await pilot.press("escape")
        assert "Dialects" not in text_of(pilot.app)


async def test_a_list_of_none_bears_all_keys(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        instance.tell(running=[])
        await pilot.press("3", "enter", "x", "down", "up")
        assert pilot.app.is_running
