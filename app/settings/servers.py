"""servers.yaml: the servers that requests can go to, in the form people know, their comments kept.

    cn:
      name: "cn"
      endpoint: "https://open.bigmodel.cn"
      region: "China"
      latency_ms: 150.0        # accepted, not used
      plan: coding             # or payg
      anthropic_base: …        # only where the address does not follow from endpoint and plan
      openai_base: …

An `api_key` that stands there is a FoundKey: keys belong into the keyring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from app.paths import SERVERS_FILE
from app.settings.keys import ACCESS_KEY_USER, FoundKey, is_placeholder, is_sendable
from app.settings.problems import SettingProblem, shown, unknown_key
from app.settings.schema import parse_address
from app.settings.yamlfile import read_or_set_aside
from proxy_core.jsontypes import JsonObject
from proxy_core.settings import BUILTIN_SERVERS, Server

ALIASES: Mapping[str, str] = {"inter": "international"}
ADDRESSES = ("endpoint", "anthropic_base", "openai_base")
KNOWN_KEYS = (*Server.model_fields, "api_key", "latency_ms")
ALLOWED: Mapping[str, str] = {
    "name": "letters, digits, '.', '_' and '-', at most 64, and the same as the key above it",
    "plan": "one of coding, payg",
    "latency_ms": "a number",
} | dict.fromkeys(ADDRESSES, "an http:// or https:// address")


def canonical(name: str) -> str:
    """The name behind a name: the older command line said `inter`."""
    return ALIASES.get(name, name)


@dataclass(slots=True)
class ServersRead:
    """What servers.yaml said."""

    servers: list[Server] = field(default_factory=list)
    keys: list[FoundKey] = field(default_factory=list)
    problems: list[SettingProblem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def read_servers(home: Path) -> ServersRead:
    """The servers of servers.yaml; the built-in ones where it has none. Never raises: see `problems`."""
    path = home / SERVERS_FILE
    read = ServersRead()
    try:
        data = read_or_set_aside(path, read.notices)
    except OSError as error:
        read.problems.append(SettingProblem(str(path), "file", f"cannot be read: {error.strerror}"))
        data = {}
    for name, entry in data.items():
        _read_entry(read, path, name, entry)
    read.servers = read.servers or list(BUILTIN_SERVERS)
    return read


def _read_entry(read: ServersRead, path: Path, name: str, entry: object) -> None:
    if not isinstance(entry, dict):
        read.problems.append(SettingProblem(str(path), name, "not a server", "keys such as endpoint and region"))
        return
    written = {str(key): value for key, value in entry.items() if value is not None}
    known = [f"{name}.{key}" for key in KNOWN_KEYS]
    read.problems += [unknown_key(str(path), f"{name}.{key}", known) for key in written if key not in KNOWN_KEYS]
    _read_key(read, path, name, str(written.get("api_key", "")).strip())
    server = parse_server(name, written, str(path), read.problems)
    if server:
        read.servers.append(server)


def _read_key(read: ServersRead, path: Path, name: str, key: str) -> None:
    if is_placeholder(key):
        return
    if not is_sendable(key):
        read.problems.append(SettingProblem(str(path), f"{name}.api_key", "this is not a key", "letters and digits"))
        return
    read.keys.append(FoundKey(canonical(name), key, path, (name, "api_key")))


def parse_server(name: str, written: JsonObject, where: str, problems: list[SettingProblem]) -> Server | None:
    """A server from its entry. Bad values are added to `problems` and replaced by what the built-in server has."""
    known = {server.name: server for server in BUILTIN_SERVERS}.get(canonical(name))
    values: JsonObject = known.model_dump() if known else {"name": canonical(name)}
    for key in written.keys() & {*Server.model_fields, "latency_ms"}:
        try:
            _check_entry(name, key, written[key], values)
        except ValueError:
            said = f"{shown(written[key])} cannot be used"
            problems.append(SettingProblem(where, f"{name}.{key}", said, ALLOWED.get(key, "text")))
    return _build(name, values, where, problems)


def _check_entry(name: str, key: str, value: object, values: JsonObject) -> None:
    if key == "latency_ms":
        float(str(value))
        return
    if key == "name" and value not in {name, canonical(name)}:
        raise ValueError("another name than its key")
    if key != "name":
        text = parse_address(value) if key in ADDRESSES and isinstance(value, str) and value else value
        Server.model_validate({"name": "x", key: text})
        values[key] = text


def _build(name: str, values: JsonObject, where: str, problems: list[SettingProblem]) -> Server | None:
    try:
        server = Server.model_validate(values)
    except ValidationError:
        problems.append(SettingProblem(where, name, "cannot be the name of a server", ALLOWED["name"]))
        return None
    if server.name == ACCESS_KEY_USER:
        problems.append(SettingProblem(where, name, "this name is taken"))
        return None
    if not server.endpoint and not (server.anthropic_base and server.openai_base):
        problems.append(SettingProblem(where, f"{name}.endpoint", "missing", ALLOWED["endpoint"]))
        return None
    return server
