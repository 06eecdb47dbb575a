from __future__ import annotations

import asyncio
import logging
import os

import pytest

from app.control.client import ControlError, find_instance
from app.settings.schema import Settings


async def test_every_setting_is_told_with_its_declaration(ask):
    found = (await ask(lambda client: client.settings()))["settings"]
    level = next(row for row in found if row["field"] == "log_level")
    assert [row["field"] for row in found] == list(Settings.model_fields)
    assert (level["value"], level["live"], "DEBUG" in level["choices"]) == ("INFO", True, True)


async def test_a_change_holds_at_once_and_is_kept(host, ask):
    told = await ask(lambda client: client.change({"max_retries": "4", "theme": "dark"}))
    assert (told["applied"], told["rebound"], told["unsaved"]) == (["max_retries", "theme"], False, {})
    assert host.runtime.store.current.max_retries == 4
    assert "max_retries: 4" in (host.home / "config.yaml").read_text()


async def test_a_new_port_answers_the_caller_and_then_there(host, ask):
    before = host.runtime.proxy.address
    told = await ask(lambda client: client.change({"host": "localhost"}))
    found = await asyncio.to_thread(find_instance, host.home)
    assert (told["rebound"], host.runtime.proxy.address == before) == (True, False)
    assert (found.record.host, found.record.pid) == ("localhost", os.getpid())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"log_level": "LOUD"}, "one of DEBUG"),
        ({"log_levle": "DEBUG"}, "did you mean log_level?"),
        ({"host": "0.0.0.0"}, "PROXY_ACCESS_KEY"),
        ({"current_server": "mars"}, "no server 'mars'"),
        ({}, "Say what to change"),
    ],
)
async def test_bad_changes_are_refused_in_words_and_change_nothing(host, ask, changes, words):
    before = host.runtime.store.current
    with pytest.raises(ControlError, match=r".") as refused:
        await ask(lambda client: client.change(changes))
    assert words in str(refused.value)
    assert (refused.value.status >= 400, host.runtime.store.current) == (True, before)


async def test_the_log_level_holds_for_this_run_only(host, ask):
    before = logging.getLogger("app").level
    try:
        await ask(lambda client: client.log_level("error"))
        assert logging.getLogger("app").level == logging.ERROR
        with pytest.raises(ControlError, match="must be one of"):
            await ask(lambda client: client.log_level("loud"))
    finally:
        logging.getLogger("app").setLevel(before)
    assert host.runtime.store.current.log_level == "INFO"
