"""Commands by keys, an instance that is lost and comes back, hosting, and leaving."""

from __future__ import annotations

import pytest

from app.control.client import ControlError
from app.errors import EndingError
from tests.app.tui.fakes import FakeHost, FakeInstance, expect_soon, expect_words, make_app, port_taken, shown, text_of


async def test_p_pauses_and_resumes(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        await pilot.press("p")
        await expect_words(pilot, "Paused: new requests are turned away")
        instance.tell()
        await expect_words(pilot, "· paused", "p Resume")
        await pilot.press("p")
        await expect_words(pilot, "Requests are taken again.")
        assert instance.verbs.heard == [("pause",), ("resume",)]


async def test_a_refusal_is_said_with_its_remedy(tmp_path):
    instance = FakeInstance()
    instance.verbs.refusal = ControlError("It refused.", 409, "Try later.")
    async with shown(tmp_path, instance) as pilot:
        await pilot.press("p")
        await expect_words(pilot, "It refused. Try later.")


async def test_a_lost_instance_is_shown_looked_for_and_found_again(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        instance.lose()
        await expect_words(
            pilot, "Lost; trying again. The running instance was lost: reset", "s Start here", "what is shown is old"
        )
        await pilot.press("p")
        await expect_words(pilot, "There is no proxy to ask.")
        instance.tell()
        await expect_words(pilot, "127.0.0.1:5000 · international")


async def test_an_instance_of_another_version_is_lost_in_words(tmp_path):
    instance = FakeInstance()
    async with shown(tmp_path, instance) as pilot:
        instance.tell(status={"started_at": "when?"})
        await expect_words(pilot, "speaks another version")


async def test_where_none_runs_it_hosts_and_says_so(tmp_path):
    host = FakeHost(FakeInstance())
    async with shown(tmp_path, None, host) as pilot:
        await expect_words(pilot, "hosted here", "so this window runs one, until you quit")
        await pilot.press("s")
        await expect_words(pilot, "A proxy runs already.")
        assert host.heard == ["begin"]


async def test_a_host_that_ended_can_be_started_again(tmp_path):
    instance = FakeInstance()
    host = FakeHost(FakeInstance())
    async with shown(tmp_path, instance, host) as pilot:
        instance.lose("gone")
        await expect_words(pilot, "Lost")
        await pilot.press("s")
        await expect_words(pilot, "hosted here")


async def test_a_taken_port_is_left_to_its_owner_if_the_user_likes(tmp_path):
    host = FakeHost(FakeInstance(), port_taken())
    async with shown(tmp_path, None, host) as pilot:
        await expect_words(pilot, "Port 5000 is used by another program.")
        await pilot.press("y")
        await expect_words(pilot, "hosted here")
        assert host.heard == ["begin", "elsewhere"]


async def test_what_keeps_it_from_hosting_is_said(tmp_path):
    host = FakeHost(None, EndingError("Settings", "config.yaml: port 99999 cannot be used", 2))
    async with shown(tmp_path, None, host) as pilot:
        await expect_words(pilot, "port 99999 cannot be used", "No proxy runs (press s to start one here)")


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_a_visitor_leaves_at_once(tmp_path, key):
    host = FakeHost()
    async with shown(tmp_path, FakeInstance(), host) as pilot:
        await pilot.press(key)
        await expect_soon(pilot, lambda: not pilot.app.is_running)
    assert (pilot.app.return_value, "cut" in host.heard) == (0, False)


async def test_a_host_asks_before_requests_end(tmp_path):
    host = FakeHost(FakeInstance())
    async with shown(tmp_path, None, host) as pilot:
        await expect_words(pilot, "hosted here")
        await pilot.press("q")
        await expect_words(pilot, "1 requests run in the proxy of this window")
        await pilot.press("ctrl+c", "q", "n", "q", "y")
        await expect_soon(pilot, lambda: not pilot.app.is_running)
    assert host.heard == ["begin", "end"]


async def test_a_host_that_another_program_stops_leaves_with_words(tmp_path):
    host = FakeHost(FakeInstance())
    async with shown(tmp_path, None, host) as pilot:
        await expect_words(pilot, "hosted here")
        pilot.app.end_as_told()
        await expect_soon(pilot, lambda: not pilot.app.is_running)
    assert host.heard == ["begin", "end"]


async def test_asked_twice_it_waits_no_longer(tmp_path):
    host = FakeHost(FakeInstance())
    async with shown(tmp_path, None, host) as pilot:
        await expect_words(pilot, "hosted here")
        pilot.app._is_ending = True
        await pilot.press("q")
        assert host.heard == ["begin", "cut"]


async def test_its_own_fault_is_a_sentence_and_no_traceback(tmp_path, capsys):
    app = make_app(tmp_path, FakeInstance())
    with pytest.raises(ZeroDivisionError):
        async with app.run_test() as pilot:
            app.call_later(lambda: 1 // 0)
            await expect_soon(pilot, lambda: not app.is_running)
    said = capsys.readouterr().err
    assert ("The screen failed (ZeroDivisionError" in said, "Traceback" in said, app.return_code) == (True, False, 1)


async def test_the_help_names_every_key(tmp_path):
    async with shown(tmp_path, FakeInstance(), size=(80, 40)) as pilot:
        await pilot.press("question_mark")
        await expect_words(pilot, "Shift+Tab", "Cancel request", "Test key", "Follow", "Esc: back")
        await pilot.press("escape")
        assert "Esc: back" not in text_of(pilot.app)
