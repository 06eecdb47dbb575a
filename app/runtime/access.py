"""Which access key callers must show, if any."""

from __future__ import annotations

import secrets as random_secrets

from app.runtime.keychain import KeyChain
from app.secrets import SecretStore
from app.settings.keys import ACCESS_KEY_USER


async def choose_access_key(keys: KeyChain, *, is_demanded: bool) -> tuple[str | None, bool]:
    """The access key (None: everybody may come in), and whether it was made just now and is kept nowhere yet.

    PROXY_ACCESS_KEY always counts. Where the settings demand a key and there is none, one is made.
    """
    if not is_demanded:
        return keys.given(ACCESS_KEY_USER), False
    found = await keys.key_of(ACCESS_KEY_USER)
    return (found, False) if found is not None else (random_secrets.token_urlsafe(24), True)


async def keep_access_key(keys: KeyChain, store: SecretStore, made: str) -> str:
    """Keep a key that was made; what must be said about it. It counts in this run, whatever the keyring does."""
    # A keyring that cannot be read may hold one: that is not overwritten.
    is_readable = not store.problem
    keys.hold(ACCESS_KEY_USER, made)
    if is_readable and await keys.put(ACCESS_KEY_USER, made):
        return "An access key was made and stored in the keyring."
    return f"An access key was made for this run only; set PROXY_ACCESS_KEY to choose it. {store.problem}"
