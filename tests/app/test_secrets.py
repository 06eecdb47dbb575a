from __future__ import annotations

import threading
import time

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked

from app.secrets import KeyringStore, KeyringUnusableError, MemoryStore

KEY = "0123456789abcdef.Secret"


class DictKeyring(KeyringBackend):
    """A keyring that works. threads: who called."""

    priority = -1

    def __init__(self):
        self.kept = {}
        self.threads = set()

    def get_password(self, service, username):
        self.threads.add(threading.current_thread())
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


class PlaintextKeyring(DictKeyring):
    """Named as the one of keyrings.alt."""


class FailingKeyring(DictKeyring):
    def __init__(self, fault):
        super().__init__()
        self.fault = fault

    def get_password(self, service, username):
        raise self.fault

    def set_password(self, service, username, password):
        raise self.fault


class SilentKeyring(DictKeyring):
    def __init__(self, until):
        super().__init__()
        self.until = until

    def get_password(self, service, username):
        self.until.wait(10)


@pytest.fixture
def chosen():
    """Make keyring choose a backend."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.mark.parametrize("make", [MemoryStore, lambda: KeyringStore(DictKeyring())])
async def test_a_key_is_kept_changed_and_forgotten(make):
    store = make()
    assert await store.get("cn") is None
    await store.put("cn", "one")
    await store.put("cn", KEY)
    assert (await store.get("cn"), await store.get("demo")) == (KEY, None)
    await store.delete("cn")
    await store.delete("cn")
    assert (await store.get("cn"), store.problem) == (None, "")


async def test_the_keyring_is_asked_by_service_and_user_off_the_loop():
    backend = DictKeyring()
    backend.kept["anthropic-proxy", "cn"] = KEY
    assert await KeyringStore(backend).get("cn") == KEY
    [thread] = backend.threads
    assert (thread is not threading.main_thread(), thread.daemon) == (True, True)


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        (fail.Keyring(), "There is no system keyring"),
        (null.Keyring(), "There is no system keyring"),
        (PlaintextKeyring(), "readable file"),
        (FailingKeyring(KeyringLocked("no")), "is locked"),
        (FailingKeyring(ConnectionError("bus")), "failed (ConnectionError)"),
        (FailingKeyring(ValueError(KEY)), "failed (ValueError)"),
    ],
)
async def test_a_keyring_that_cannot_be_used_is_explained(chosen, backend, words):
    chosen(backend)
    store = KeyringStore()
    for call in (store.get("cn"), store.put("cn", KEY)):
        with pytest.raises(KeyringUnusableError) as refused:
            await call
        assert str(refused.value) == store.problem
        assert words in store.problem
    assert all(word in store.problem for word in ("for this run only", "SERVER_API_KEY", "SERVER_API_KEY_FILE"))
    assert KEY not in store.problem


@pytest.mark.parametrize(
    ("parts", "usable"), [([PlaintextKeyring()], False), ([], False), ([PlaintextKeyring(), DictKeyring()], True)]
)
async def test_of_a_chain_only_a_safe_part_is_used(chosen, monkeypatch, parts, usable):
    monkeypatch.setattr(chainer.ChainerBackend, "backends", parts)
    chosen(chainer.ChainerBackend())
    if usable:
        await KeyringStore().put("cn", KEY)
        assert [bool(part.kept) for part in parts] == [False, True]
    else:
        with pytest.raises(KeyringUnusableError):
            await KeyringStore().put("cn", KEY)


async def test_a_keyring_that_does_not_answer_is_given_up_and_holds_nobody_up():
    until = threading.Event()
    store = KeyringStore(SilentKeyring(until), within_s=0.05)
    began = time.monotonic()
    with pytest.raises(KeyringUnusableError, match="did not answer"):
        await store.get("cn")
    assert time.monotonic() - began < 5
    until.set()


async def test_a_keyring_unlocked_later_is_no_problem_any_more():
    backend = FailingKeyring(KeyringLocked("no"))
    store = KeyringStore(backend)
    with pytest.raises(KeyringUnusableError):
        await store.get("cn")
    backend.get_password = lambda service, username: KEY
    assert (await store.get("cn"), store.problem) == (KEY, "")


@pytest.mark.parametrize("store", [MemoryStore({"cn": KEY}), KeyringStore(DictKeyring())])
def test_keys_show_in_no_representation(store):
    assert KEY not in repr(store) + str(store)
