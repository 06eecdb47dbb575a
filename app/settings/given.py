"""Secrets that were handed over for this run: in the environment, in .env, or as a mounted secret file.

Keys, and the address of the shared store, in which a password may stand.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.settings.keys import is_placeholder, is_sendable
from app.settings.problems import SettingProblem
from app.settings.sources import KEY_NAMES
from proxy_core.stores.shared_link import check_url

_ALLOWED = "printable ASCII without spaces"


@dataclass(frozen=True, slots=True)
class GivenKeys:
    """Held in memory only, never a setting. server_key_origin: "SERVER_API_KEY (environment)" and the like."""

    server_api_key: str | None = field(default=None, repr=False)
    server_key_origin: str = ""
    proxy_access_key: str | None = field(default=None, repr=False)
    access_key_origin: str = ""
    shared_store: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Given:
    value: str | None = field(default=None, repr=False)
    origin: str = ""


def read_given_keys(
    sources: Mapping[str, Mapping[str, str]], problems: list[SettingProblem], notices: list[str]
) -> GivenKeys:
    """The keys of all sources (where → names and values), highest rank first."""
    server_name, access_name, store_name = KEY_NAMES
    server = _find(server_name, sources, problems)
    if server.value is not None and is_placeholder(server.value):
        notices.append(f"{server.origin} holds a placeholder, not a key; it is not used.")
        server = _Given()
    before = len(problems)
    access = _find(access_name, sources, problems)
    if len(problems) > before:
        # Somebody wanted the door locked: until the mistake is mended nobody comes in.
        access = _Given(secrets.token_urlsafe(32), access_name)
    store = _checked_address(_find(store_name, sources, problems), problems)
    return GivenKeys(server.value, server.origin, access.value, access.origin, store)


def _checked_address(given: _Given, problems: list[SettingProblem]) -> str:
    """The address of the shared store; "" where none is given, or what is given is none."""
    try:
        if given.value is not None:
            check_url(given.value)
    except ValueError as error:
        problems.append(SettingProblem(given.origin, "SHARED_STORE", str(error), "redis://host:port/db"))
        return ""
    return given.value or ""


def _find(name: str, sources: Mapping[str, Mapping[str, str]], problems: list[SettingProblem]) -> _Given:
    for where, values in sources.items():
        value = values.get(name, "").strip()
        if value:
            return _checked(value, where, name, problems)
        path = values.get(f"{name}_FILE", "").strip()
        if path:
            return _read_file(path, where, f"{name}_FILE", problems)
    return _Given()


def _read_file(path: str, where: str, name: str, problems: list[SettingProblem]) -> _Given:
    try:
        value = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        problems.append(SettingProblem(where, name, f"the file {path} cannot be read: {reason}", "a file with the key"))
        return _Given()
    if not value:
        problems.append(SettingProblem(where, name, f"the file {path} is empty", "a file with the key"))
        return _Given()
    return _checked(value, where, name, problems)


def _checked(value: str, where: str, name: str, problems: list[SettingProblem]) -> _Given:
    if not is_sendable(value):
        problems.append(SettingProblem(where, name, "this cannot be a key", _ALLOWED))
        return _Given()
    return _Given(value, f"{name} ({where})")
