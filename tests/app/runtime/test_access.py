from __future__ import annotations

import pytest

from app.runtime.access import choose_access_key, keep_access_key
from app.runtime.keychain import KeyChain
from app.secrets import MemoryStore
from app.settings.keys import ACCESS_KEY_USER
from tests.app.runtimes import BrokenStore


def chain(store, given=None) -> KeyChain:
    return KeyChain(store, {ACCESS_KEY_USER: given} if given else {}, {}, lambda: 1000.0)


@pytest.mark.parametrize(
    ("given", "stored", "demanded", "expected"),
    [
        (None, None, False, None),
        ("g", None, False, "g"),
        ("g", "s", True, "g"),
        (None, "s", False, None),
        (None, "s", True, "s"),
    ],
)
async def test_which_access_key_counts(given, stored, demanded, expected):
    store = MemoryStore({ACCESS_KEY_USER: stored} if stored else {})
    assert await choose_access_key(chain(store, given), is_demanded=demanded) == (expected, False)


async def test_a_demanded_key_that_is_not_there_is_made_and_kept():
    store = MemoryStore()
    keys = chain(store)
    key, is_made = await choose_access_key(keys, is_demanded=True)
    assert (len(key or "") >= 32, is_made, await store.get(ACCESS_KEY_USER)) == (True, True, None)
    assert "stored in the keyring" in await keep_access_key(keys, store, key)
    assert await store.get(ACCESS_KEY_USER) == key


async def test_a_keyring_that_cannot_be_read_does_not_open_the_door_nor_lose_its_key():
    store = BrokenStore({ACCESS_KEY_USER: "s"})
    store.put = lambda user, key: MemoryStore.put(store, user, key)  # unlocked just after the look
    keys = chain(store)
    key, _ = await choose_access_key(keys, is_demanded=True)
    notice = await keep_access_key(keys, store, key)
    store.is_broken = False
    assert await store.get(ACCESS_KEY_USER) == "s"
    assert key not in (None, "s")
    assert "PROXY_ACCESS_KEY" in notice
    assert await choose_access_key(keys, is_demanded=True) == (key, False)


async def test_a_key_made_for_this_run_is_not_asked_for_once_none_is_demanded():
    store = BrokenStore()
    keys = chain(store)
    await keep_access_key(keys, store, "made")
    assert await choose_access_key(keys, is_demanded=False) == (None, False)
