from __future__ import annotations

import asyncio

import pytest

from app.runtime.keychain import RETRY_S, KeyChain, KeySource
from app.secrets import MemoryStore
from tests.app.runtimes import BrokenStore


class CountingStore(MemoryStore):
    asked = 0

    async def get(self, user):
        self.asked += 1
        await asyncio.sleep(0)
        return await super().get(user)


def chain(store, given=None, found=None, clock=lambda: 1000.0) -> KeyChain:
    return KeyChain(store, given or {}, found or {}, clock)


@pytest.mark.parametrize(
    ("given", "stored", "found", "expected"),
    [
        ({}, {}, {}, (None, KeySource.NONE)),
        ({}, {}, {"cn": "f"}, ("f", KeySource.FOUND)),
        ({}, {"cn": "s"}, {"cn": "f"}, ("s", KeySource.STORED)),
        ({"cn": "g"}, {"cn": "s"}, {"cn": "f"}, ("g", KeySource.GIVEN)),
        ({"other": "g"}, {"other": "s"}, {"other": "f"}, (None, KeySource.NONE)),
    ],
)
async def test_which_key_is_used(given, stored, found, expected):
    assert await chain(MemoryStore(stored), given, found).find("cn") == expected


@pytest.mark.parametrize("stored", [{"cn": "s"}, {}])
async def test_the_keyring_is_asked_once_however_many_requests_wait(stored):
    store = CountingStore(stored)
    keys = chain(store)
    answers = await asyncio.gather(*(keys.key_of("cn") for _ in range(20)))
    assert (set(answers), store.asked) == ({stored.get("cn")}, 1)


async def test_a_changed_key_is_used_at_once():
    keys = chain(MemoryStore({"cn": "old"}))
    before = await keys.key_of("cn")
    assert await keys.put("cn", "new")
    after = await keys.key_of("cn")
    assert await keys.delete("cn")
    assert (before, after, await keys.key_of("cn")) == ("old", "new", None)


async def test_without_a_keyring_a_key_is_held_for_this_run():
    keys = chain(BrokenStore())
    assert not await keys.put("cn", "held")
    assert await keys.find("cn") == ("held", KeySource.HELD)
    assert not await keys.delete("cn")
    assert await keys.find("cn") == (None, KeySource.NONE)


async def test_a_broken_keyring_is_left_in_peace_for_a_while():
    now = 1000.0
    store = BrokenStore({"cn": "s"})
    keys = chain(store, clock=lambda: now)
    for _ in range(3):
        assert await keys.key_of("cn") is None
    assert store.asked == 1
    now += RETRY_S
    store.is_broken = False
    assert (await keys.key_of("cn"), store.asked) == ("s", 2)


async def test_a_deleted_key_is_not_taken_from_a_file_instead():
    keys = chain(MemoryStore({"cn": "s"}), found={"cn": "f"})
    await keys.delete("cn")
    assert await keys.key_of("cn") is None


@pytest.mark.parametrize(("new", "expected"), [("", None), ("new", "new")], ids=["deleted", "changed"])
async def test_what_is_done_to_a_key_during_the_first_look_counts(new, expected):
    keys = chain(store := MemoryStore({"cn": "old"}))
    gate = asyncio.Event()

    async def late(user):
        found = await MemoryStore.get(store, user)
        await gate.wait()
        return found

    store.get = late
    async with asyncio.TaskGroup() as group:
        group.create_task(keys.key_of("cn"))
        await asyncio.sleep(0)
        await (keys.put("cn", new) if new else keys.delete("cn"))
        gate.set()
    assert await keys.key_of("cn") == expected
