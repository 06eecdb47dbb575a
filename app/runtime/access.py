"""Which access key callers must show, if any."""

from __future__ import annotations

import secrets as random_secrets

from app.runtime.keychain import KeyChain
from app.secrets import SecretStore
from app.settings.keys import ACCESS_KEY_USER


async def settle_access_key(keys: KeyChain, store: SecretStore, *, is_demanded: bool) -> tuple[str | None, list[str]]:
    """The access key (None: everybody may come in) and what must be said about it.

    PROXY_ACCESS_KEY always counts. Where the settings demand a key and there is none, one is made.
    """
    if not is_demanded:
        return keys.given(ACCESS_KEY_USER), []
    found = await keys.key_of(ACCESS_KEY_USER)
    if found is not None:
        return found, []
    made = random_secrets.token_urlsafe(24)
    if store.problem:
        # A keyring that cannot be read may hold one: neither overwrite that nor let everybody in.
        keys.give(ACCESS_KEY_USER, made)
    elif await keys.put(ACCESS_KEY_USER, made):
        return made, ["An access key was made and stored in the keyring."]
    return made, [f"An access key was made for this run only; set PROXY_ACCESS_KEY to choose it. {store.problem}"]
