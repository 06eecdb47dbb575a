"""Probes of keys and of the place where they are kept."""

from __future__ import annotations

import asyncio
import time

from app.control.client import ControlError
from app.doctor.ground import Finding, Ground, fail, ok, skip, warn
from app.runtime.importing import found_keys, import_keys
from app.runtime.keychain import KeyChain, KeySource, given_keys
from app.secrets import KeyringStore
from proxy_core.upstream.client import UpstreamClient
from proxy_core.upstream.trial import try_key

_WITHIN_S = 10.0


def _chain(ground: Ground) -> tuple[KeyChain, KeyringStore]:
    store = KeyringStore(within_s=_WITHIN_S)
    return KeyChain(store, given_keys(ground.loaded), found_keys(ground.loaded), time.monotonic), store


def keyring(ground: Ground) -> Finding:
    """Keys can be kept."""
    chain, store = _chain(ground)
    asyncio.run(chain.stored(ground.server.name))
    if not store.problem:
        return ok("The system keyring keeps keys.")
    return warn(store.problem.split(". ")[0] + ".", "Install and unlock a keyring, or set SERVER_API_KEY(_FILE).")


def key(ground: Ground) -> Finding:
    """There is a key for the current server."""
    name = ground.server.name
    if ground.is_demo:
        return ok("The built-in server needs none.")
    if ground.client is not None:
        source = _told_source(ground, name)
    else:
        source = asyncio.run(_chain(ground)[0].find(name))[1].value
    if source:
        return ok(f"The key for {name} is {source}.")
    if ground.loaded.settings.forward_client_key:
        return warn(f"There is no key for {name}; each client must send its own.", f"proxy-cli keys set {name}")
    return fail(f"There is no key for {name}.", f"proxy-cli keys set {name}")


def _told_source(ground: Ground, name: str) -> str:
    """As the running instance says. Raises ControlError."""
    rows = ground.client.servers()["servers"] if ground.client is not None else []
    found = next((row["key"] for row in rows if row["name"] == name), "") if isinstance(rows, list) else ""
    return "" if found == "none" else str(found)


def accepted(ground: Ground) -> Finding:
    """The server takes the key, on this plan."""
    if not ground.online:
        return skip("Not asked (--offline).")
    try:
        is_ok, said = _try(ground)
    except ControlError as error:
        return skip(str(error))
    if is_ok is None:
        return skip("There is no key to try.")
    remedy = f"Which region and plan is it for? proxy-cli keys examine {ground.server.name}"
    return ok(said) if is_ok else fail(said, remedy)


def _try(ground: Ground) -> tuple[bool | None, str]:
    """Whether it is accepted and what was said; None where there is no key. Raises ControlError."""
    if ground.client is not None:
        name = "demo" if ground.is_demo else ground.server.name
        told = ground.client.test_key(name)
        return (None if "There is no key" in str(told["message"]) else bool(told["ok"])), str(told["message"])
    return asyncio.run(_try_here(ground))


async def _try_here(ground: Ground) -> tuple[bool | None, str]:
    used, _ = await _chain(ground)[0].find(ground.server.name)
    if used is None:
        return None, ""
    client = UpstreamClient()
    await client.open()
    try:
        trial = await try_key(client, ground.loaded.settings, ground.server, used)
    finally:
        await client.close()
    return trial.ok, trial.message


def in_clear(ground: Ground) -> Finding:
    """No key stands in a file."""
    found = ground.loaded.found_keys
    if not found:
        return ok("No key stands in clear in a file.")

    def move() -> str:
        chain, store = _chain(ground)
        report = asyncio.run(import_keys(chain, store, found))
        return "Moved into the keyring: " + (", ".join(report.imported) or "none") + ". " + " ".join(report.reasons)

    sources = ", ".join(sorted({str(item.source) for item in found}))
    return warn(f"Keys stand in clear in {sources}.", "proxy-cli keys import", move)


def access_key(ground: Ground) -> Finding:
    """A demanded access key can be told again."""
    if not ground.loaded.settings.require_access_key:
        return ok("Clients of this computer need no access key.")
    if ground.loaded.secrets.proxy_access_key is not None:
        return ok("PROXY_ACCESS_KEY is set.")
    chain, store = _chain(ground)
    _, source = asyncio.run(chain.find("proxy-access-key"))
    if source is KeySource.STORED:
        return ok("The access key is in the keyring.")
    reason = store.problem.split(". ")[0] or "None was made yet"
    return warn(f"{reason}: the access key changes with every start.", "Set PROXY_ACCESS_KEY.")
