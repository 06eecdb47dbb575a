"""Which key is used for a server, and where it comes from. The keyring is asked once per server, never per request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from enum import StrEnum

from app.logs import hide
from app.secrets import KeyringUnusableError, SecretStore
from app.settings.keys import ACCESS_KEY_USER
from app.settings.load import DEMO_SERVER, Loaded

RETRY_S = 300.0
"""After a failed look the keyring is left in peace so long: each look may raise a password dialog."""


class KeySource(StrEnum):
    """Where the key that is used comes from."""

    NONE = ""
    GIVEN = "given"
    """SERVER_API_KEY, a mounted file, or a built-in key."""
    HELD = "held"
    """Entered in this run, and no keyring would take it."""
    STORED = "stored"
    """The keyring."""
    FOUND = "found"
    """In clear in an old file."""


class KeyChain:
    """Keys by user (a server's name, or the access key's). What was given for this run beats what is stored.

    given: from environment or command. found: from files, used only where nothing else is there.
    clock: seconds, monotonic.
    """

    def __init__(
        self, store: SecretStore, given: Mapping[str, str], found: Mapping[str, str], clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._given = dict(given)
        self._held: dict[str, str] = {}
        self._found = dict(found)
        self._clock = clock
        self._stored: dict[str, str | None] = {}
        self._look_again_at = 0.0
        self._look = asyncio.Lock()

    def hold(self, user: str, key: str) -> None:
        """Use this key for this run, unless another was given."""
        self._held[user] = key

    def given(self, user: str) -> str | None:
        """The key that was given for this run."""
        return self._given.get(user)

    async def key_of(self, user: str) -> str | None:
        """The key to use; None where there is none. Never raises: a broken keyring has told its `problem`."""
        key, _ = await self.find(user)
        hide(key)
        return key

    async def find(self, user: str) -> tuple[str | None, KeySource]:
        """The key to use and where it comes from."""
        if (key := self._given.get(user)) is not None:
            return key, KeySource.GIVEN
        if (key := self._held.get(user)) is not None:
            return key, KeySource.HELD
        if (key := await self.stored(user)) is not None:
            return key, KeySource.STORED
        key = self._found.get(user)
        return key, KeySource.NONE if key is None else KeySource.FOUND

    async def stored(self, user: str) -> str | None:
        """What the keyring holds; None also where it cannot be asked."""
        if user in self._stored:
            return self._stored[user]
        async with self._look:  # whoever waited here finds the answer of the one before
            if user in self._stored or self._clock() < self._look_again_at:
                return self._stored.get(user)
            try:
                found = await self._store.get(user)
                self._stored.setdefault(user, found)  # a key that was put or deleted meanwhile counts
            except KeyringUnusableError:
                self._look_again_at = self._clock() + RETRY_S
            return self._stored.get(user)

    async def put(self, user: str, key: str) -> bool:
        """Keep a key. False: the keyring would not, so it is held for this run only."""
        try:
            await self._store.put(user, key)
        except KeyringUnusableError:
            self._held[user] = key
            return False
        self._stored[user] = key
        self._held.pop(user, None)
        self._look_again_at = 0.0
        return True

    async def delete(self, user: str) -> bool:
        """Forget a key. False: the keyring would not let go of it, so it is only unused in this run."""
        self._held.pop(user, None)
        self._found.pop(user, None)
        self._stored[user] = None
        try:
            await self._store.delete(user)
        except KeyringUnusableError:
            return False
        return True


def given_keys(loaded: Loaded) -> dict[str, str]:
    """The keys that hold for this run only: from environment or command, and the demo's own."""
    given = {DEMO_SERVER: "demo"}
    if loaded.secrets.proxy_access_key is not None:
        given[ACCESS_KEY_USER] = loaded.secrets.proxy_access_key
    if loaded.secrets.server_api_key is not None:
        given[loaded.key_server] = loaded.secrets.server_api_key
    return given
