from __future__ import annotations

import pytest

from app.runtime.access import settle_access_key
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
    assert await settle_access_key(chain(store, given), store, is_demanded=demanded) == (expected, [])


async def test_a_demanded_key_that_is_not_there_is_made_and_kept():
    store = MemoryStore()
    key, notices = await settle_access_key(chain(store), store, is_demanded=True)
    assert await store.get(ACCESS_KEY_USER) == key
    assert (len(key or "") >= 32, len(notices)) == (True, 1)


async def test_a_keyring_that_cannot_be_read_does_not_open_the_door_nor_lose_its_key():
    store = BrokenStore({ACCESS_KEY_USER: "s"})
    store.put = lambda user, key: MemoryStore.put(store, user, key)  # unlocked just after the look
    keys = chain(store)
    key, [notice] = await settle_access_key(keys, store, is_demanded=True)
    store.is_broken = False
    assert await store.get(ACCESS_KEY_USER) == "s"
    assert key not in (None, "s")
    assert "PROXY_ACCESS_KEY" in notice
    assert (await settle_access_key(keys, store, is_demanded=True))[0] == key
