"""The servers that can be chosen now, and the edits to servers.yaml that keep its comments."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path

from app.paths import SERVERS_FILE, write_private
from app.settings.problems import SettingProblem, SettingsRefusedError, closest
from app.settings.servers import canonical, parse_server
from app.settings.yamlfile import BrokenFileError, Edit, edit_mapping, put_aside
from proxy_core.settings import Server

FIRST_TEXT = """\
# Servers that requests can go to. Add your own below; keys do not belong here, they are kept in the keyring.
# plan: coding (the coding plan, default) or payg (pay as you go).
# anthropic_base and openai_base: only where the addresses do not follow from endpoint and plan.

international:
  name: "international"
  endpoint: "https://api.z.ai"
  region: "International"
  plan: coding

cn:
  name: "cn"
  endpoint: "https://open.bigmodel.cn"
  region: "China"
  plan: coding
"""


class UnknownServerError(Exception):
    """No server has this name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        meant = closest(name, known)
        hint = f" Did you mean {meant}?" if meant else ""
        super().__init__(f"There is no server {name!r}; there are {', '.join(known)}.{hint}")
        self.name = name


class ServerBook:
    """The servers there are, in order. Changes go to servers.yaml at once; `extra` ones live in memory only."""

    def __init__(self, home: Path, servers: tuple[Server, ...]) -> None:
        self._path = home / SERVERS_FILE
        self._servers = {server.name: server for server in servers}
        self._extra: dict[str, Server] = {}

    def all(self) -> tuple[Server, ...]:
        """Every server, those of the file first."""
        return (*self._servers.values(), *self._extra.values())

    def names(self) -> tuple[str, ...]:
        """Their names, in the same order."""
        return tuple(server.name for server in self.all())

    def get(self, name: str) -> Server:
        """The server of this name or alias. Raises UnknownServerError."""
        found = self._extra.get(name) or self._servers.get(canonical(name))
        if found is None:
            raise UnknownServerError(name, self.names())
        return found

    def is_extra(self, name: str) -> bool:
        """Whether this server is in memory only (the demo)."""
        return name in self._extra

    def add_extra(self, server: Server) -> None:
        """A server for this run."""
        self._extra[server.name] = server

    def write_first(self) -> None:
        """Write servers.yaml with its explanations if there is none. Raises OSError."""
        if not self._path.exists():
            write_private(self._path, FIRST_TEXT)

    def put(self, server: Server) -> None:
        """Add or change a server, in the file too. Raises SettingsRefusedError and OSError; then nothing changed."""
        problems: list[SettingProblem] = []
        checked = parse_server(server.name, server.model_dump(), "servers", problems)
        if checked is None or problems:
            raise SettingsRefusedError(problems)
        servers = self._servers | {checked.name: checked}
        self._edit(lambda data: _write_entries(data, servers, checked.name))
        self._servers = servers

    def remove(self, name: str) -> None:
        """Forget a server, in the file too. Raises UnknownServerError and OSError."""
        server = self.get(name)
        if self.is_extra(server.name) or len(self._servers) == 1:
            raise SettingsRefusedError([SettingProblem("servers", name, "cannot be removed")])
        self._edit(lambda data: _drop_entry(data, server.name))
        del self._servers[server.name]

    def _edit(self, change: Edit) -> None:
        self.write_first()
        try:
            edit_mapping(self._path, change)
        except BrokenFileError as error:
            put_aside(self._path, str(error))
            self.write_first()
            edit_mapping(self._path, change)


def _write_entries(data: MutableMapping[str, object], servers: Mapping[str, Server], changed: str) -> None:
    for name, server in servers.items():
        if name == changed or _key_of(data, name) not in data:
            _write_entry(data, server)


def _write_entry(data: MutableMapping[str, object], server: Server) -> None:
    entry = data.setdefault(_key_of(data, server.name), {})
    if not isinstance(entry, MutableMapping):
        entry = data[server.name] = {}
    for key, value in server.model_dump().items():
        if value or key in entry:
            entry[key] = value


def _drop_entry(data: MutableMapping[str, object], name: str) -> None:
    data.pop(_key_of(data, name), None)


def _key_of(data: Mapping[str, object], name: str) -> str:
    return next((key for key in data if canonical(str(key)) == name), name)
