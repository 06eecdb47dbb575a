"""The verbs of a runtime that deal with servers' keys: keep, forget, try, examine, import."""

from __future__ import annotations

from collections.abc import Sequence

from app.runtime.importing import ImportReport, import_keys
from app.runtime.keychain import KeyChain, KeySource
from app.runtime.setup import current_server
from app.secrets import SecretStore
from app.settings.book import ServerBook
from app.settings.keys import FoundKey, is_sendable
from app.settings.load import DEMO_SERVER, Loaded
from app.settings.problems import SettingProblem, SettingsRefusedError
from app.settings.store import SettingsStore
from app.state import AppState
from proxy_core.server.proxy import Proxy
from proxy_core.settings import Server
from proxy_core.upstream.doctor import Examination, is_vendors
from proxy_core.upstream.trial import KeyTrial


class KeyVerbs:
    """What `Runtime` can do with keys; it lends what it is made of."""

    loaded: Loaded
    store: SettingsStore
    servers: ServerBook
    secrets: SecretStore
    keys: KeyChain
    state: AppState
    proxy: Proxy
    found_keys: Sequence[FoundKey]

    @property
    def key_problem(self) -> str | None:
        """Why keys cannot be kept for good, in plain words; None as long as they can."""
        return self.secrets.problem or None

    async def set_key(self, server: str, key: str) -> None:
        """Keep a server's key; where no keyring takes it, for this run. Raises SettingsRefusedError."""
        name, key = self.servers.get(server).name, key.strip()
        if not key or not is_sendable(key):
            raise SettingsRefusedError([SettingProblem("key", name, "this is not a key", "ASCII without spaces")])
        if not await self.keys.put(name, key):
            self.state.add_notice(self.secrets.problem)
        await self._say_if_given(name)

    async def delete_key(self, server: str) -> None:
        """Forget a server's key."""
        name = self.servers.get(server).name
        if not await self.keys.delete(name):
            self.state.add_notice(self.secrets.problem)
        await self._say_if_given(name)

    async def _say_if_given(self, name: str) -> None:
        if await self.key_source(name) is KeySource.GIVEN and name != DEMO_SERVER:
            origin = self.loaded.secrets.server_key_origin
            self.state.add_notice(f"{origin} is set and is used for {name} in this run, whatever is stored.")

    async def has_key(self, server: str) -> bool:
        """Whether there is a key for the server, from wherever."""
        return await self.keys.key_of(self.servers.get(server).name) is not None

    async def key_source(self, server: str) -> KeySource:
        """Where the key that is used for the server comes from."""
        _, source = await self.keys.find(self.servers.get(server).name)
        return source

    async def try_key(self, server: str, key: str | None) -> KeyTrial:
        """Ask the server about a key; None: the one that is used now. Never raises for upstream faults."""
        found = self._server_in_use(server)
        key = key or await self.keys.key_of(found.name)
        if key is None:
            return KeyTrial(ok=False, status=0, message=f"There is no key for {found.name}.", latency_ms=0.0)
        return await self.proxy.try_key(found, key)

    async def examine_key(self, server: str, key: str | None) -> Examination | None:
        """Which region and plan a key is for; None: the one that is used now.

        None for servers that are not the vendor's own: their keys must not travel to another host.
        """
        found = self._server_in_use(server)
        key = key or await self.keys.key_of(found.name)
        return await self.proxy.examine_key(key.strip()) if key and is_vendors(found) else None

    def _server_in_use(self, name: str) -> Server:
        """The server as requests see it."""
        found = self.servers.get(name)
        is_current = found.name == self.store.current.current_server
        return current_server(self.store.current, self.servers) if is_current else found

    async def import_found_keys(self) -> ImportReport:
        """Move the keys that stand in clear in files into the keyring, and blank them there."""
        report = await import_keys(self.keys, self.secrets, self.found_keys)
        self.found_keys = report.left
        return report
