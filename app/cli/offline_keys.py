"""Keys where nothing runs: straight from and to the keyring, and tried at their server by a request of our own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from app.cli.exits import EXIT_USAGE, CommandError
from app.runtime.importing import ImportReport, found_keys, import_keys
from app.runtime.keychain import KeyChain, given_keys
from app.runtime.setup import current_server
from app.secrets import KeyringStore
from app.settings.book import ServerBook, UnknownServerError
from app.settings.keys import is_sendable
from app.settings.load import Loaded
from proxy_core.settings import Server
from proxy_core.upstream.client import UpstreamClient
from proxy_core.upstream.doctor import Examination, examine_key, is_vendors
from proxy_core.upstream.trial import KeyTrial, try_key


def _chain(loaded: Loaded) -> tuple[KeyChain, KeyringStore]:
    store = KeyringStore()
    return KeyChain(store, given_keys(loaded), found_keys(loaded), time.monotonic), store


def server_of(loaded: Loaded, name: str) -> Server:
    """The server as requests see it. Raises CommandError."""
    book = ServerBook(loaded.home, loaded.servers)
    try:
        server = book.get(name)
    except UnknownServerError as error:
        raise CommandError(str(error), exit_code=EXIT_USAGE) from error
    is_current = server.name == book.get(loaded.settings.current_server).name
    return current_server(loaded.settings, book) if is_current else server


async def key_sources(loaded: Loaded, names: Iterable[str]) -> tuple[dict[str, str], str]:
    """Where each server's key comes from ("" for nowhere), and why the keyring cannot be used ("" if it can)."""
    chain, store = _chain(loaded)
    found = {name: (await chain.find(name))[1].value for name in names}
    return found, store.problem


async def put_key(loaded: Loaded, name: str, key: str) -> None:
    """Keep a key in the keyring. Raises CommandError where there is none."""
    if not key or not is_sendable(key):
        raise CommandError("This is not a key: ASCII without spaces.", exit_code=EXIT_USAGE)
    chain, store = _chain(loaded)
    if not await chain.put(server_of(loaded, name).name, key):
        raise CommandError(store.problem.replace("Keys are held in memory for this run only. ", ""))


async def delete_key(loaded: Loaded, name: str) -> None:
    """Forget a key. Raises CommandError."""
    chain, store = _chain(loaded)
    if not await chain.delete(server_of(loaded, name).name):
        raise CommandError(store.problem)


async def try_stored(loaded: Loaded, name: str, key: str) -> KeyTrial:
    """Ask the server about a key; "": the stored one."""
    server = server_of(loaded, name)
    used = key or await _chain(loaded)[0].key_of(server.name)
    if not used:
        return KeyTrial(ok=False, status=0, message=f"There is no key for {server.name}.", latency_ms=0.0)
    client = UpstreamClient()
    await client.open()
    try:
        return await try_key(client, loaded.settings, server, used)
    finally:
        await client.close()


async def examine(loaded: Loaded, name: str, key: str) -> Examination | None:
    """Which region and plan a key is for; None where there is no key, or it must not travel."""
    server = server_of(loaded, name)
    used = key or await _chain(loaded)[0].key_of(server.name)
    if not used or not is_vendors(server):
        return None
    client = UpstreamClient()
    await client.open()
    try:
        return await examine_key(client, loaded.settings, used)
    finally:
        await client.close()


async def import_found(loaded: Loaded) -> ImportReport:
    """Move keys that stand in clear in files into the keyring."""
    chain, store = _chain(loaded)
    return await import_keys(chain, store, loaded.found_keys)


def run_sources(loaded: Loaded, names: Iterable[str]) -> tuple[dict[str, str], str]:
    """As key_sources, from code without a loop."""
    return asyncio.run(key_sources(loaded, names))
