"""Each source on its own: what it says about which setting, and what in it nobody understands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from app.paths import CONFIG_FILE, DOTENV_FILE
from app.settings.dotenv import DotenvFile, read_dotenv
from app.settings.keys import FoundKey
from app.settings.legacy import RETIRED_KEYS, RETIRED_NAMES, is_key_in_config, retired
from app.settings.problems import SettingProblem, unknown_key
from app.settings.schema import Settings, environment_names
from app.settings.yamlfile import BrokenFileError, put_aside, read_or_set_aside
from proxy_core.jsontypes import JsonObject

HOME_NAME = "ANTHROPIC_PROXY_HOME"
KEY_NAMES = ("SERVER_API_KEY", "PROXY_ACCESS_KEY", "SHARED_STORE")
"""Secrets, or what may hold one: the address of the shared store has its password in it."""
KEY_FILE_NAMES = tuple(f"{name}_FILE" for name in KEY_NAMES)
NAMES_OF_FIELD: Mapping[str, tuple[str, ...]] = {name: environment_names(name) for name in Settings.model_fields}
KNOWN_NAMES = frozenset(name for names in NAMES_OF_FIELD.values() for name in names).union(
    KEY_NAMES, KEY_FILE_NAMES, {HOME_NAME}
)
FLAGS: Mapping[str, str] = {
    "host": "--host",
    "port": "--port",
    "current_server": "--server",
    "log_level": "--log-level",
}
_OTHER_TOOLS = ("COMPOSE_", "DOCKER_")

SourceKind: TypeAlias = Literal["file", "dotenv", "environment", "flag"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from. where: the file, "environment" or "command line"; key: its name there."""

    kind: SourceKind
    where: str
    key: str

    def __str__(self) -> str:
        return f"{self.key} ({self.where})"

    @property
    def is_fixed(self) -> bool:
        """Whether the value stands above config.yaml at the next start too, so that a change there has no effect.

        A flag does not: it was said for one run, and who changes the setting in that run means it for good.
        """
        return self.kind in ("dotenv", "environment")


@dataclass(frozen=True, slots=True)
class Written:
    """A value as somebody wrote it for a field."""

    field: str
    value: object
    origin: Origin


@dataclass(slots=True)
class Findings:
    """What the sources gave, lowest rank first, and what there is to say about them."""

    written: list[Written] = field(default_factory=list)
    problems: list[SettingProblem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    keys: list[FoundKey] = field(default_factory=list)


def read_config(home: Path, findings: Findings) -> JsonObject:
    """config.yaml; its whole content is returned for whoever looks for keys in it."""
    path = home / CONFIG_FILE
    try:
        data = read_or_set_aside(path, findings.notices)
    except OSError as error:
        findings.problems.append(SettingProblem(str(path), "file", f"cannot be read: {error.strerror}"))
        return {}
    old = [key for key in data if key in RETIRED_KEYS]
    if old:
        findings.notices.append(retired(str(path), old))
    for key, value in data.items():
        if key in Settings.model_fields and value is not None:
            findings.written.append(Written(key, value, Origin("file", str(path), key)))
        elif key not in Settings.model_fields and not is_key_in_config(key) and key not in RETIRED_KEYS:
            findings.problems.append(unknown_key(str(path), key, Settings.model_fields))
    return data


def find_dotenv(home: Path, cwd: Path) -> Path | None:
    """The .env that counts: the current folder's, or else the data folder's."""
    return next((path for path in (cwd / DOTENV_FILE, home / DOTENV_FILE) if path.is_file()), None)


def read_dotenv_source(path: Path, home: Path, environ: Mapping[str, str], findings: Findings) -> Mapping[str, str]:
    """A .env file. One that names nothing of ours belongs to another program and is left alone, which is said."""
    try:
        file = read_dotenv(path, environ)
    except (BrokenFileError, OSError) as error:
        _refuse_dotenv(path, home, error, findings)
        return {}
    if file.values and not any(name in KNOWN_NAMES | RETIRED_NAMES for name in file.values):
        findings.notices.append(f"{path} names no setting of this program and is not used.")
        return {}
    _check_dotenv(file, findings)
    findings.written += read_names(file.values, "dotenv", str(path))
    return file.values


def _refuse_dotenv(path: Path, home: Path, error: BrokenFileError | OSError, findings: Findings) -> None:
    reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    if isinstance(error, BrokenFileError) and path.parent == home:
        findings.notices.append(put_aside(path, reason))
    else:  # not ours to rename
        findings.problems.append(SettingProblem(str(path), "file", f"cannot be read: {reason}"))


def _check_dotenv(file: DotenvFile, findings: Findings) -> None:
    where = str(file.path)
    findings.problems += [
        SettingProblem(where, f"line {line}", "not understood", "NAME=value") for line in file.bad_lines
    ]
    old = [name for name in file.values if name in RETIRED_NAMES]
    if old:
        findings.notices.append(retired(where, old))
    for name in file.values:
        if name not in KNOWN_NAMES and name not in RETIRED_NAMES and not name.startswith(_OTHER_TOOLS):
            findings.problems.append(unknown_key(where, name, KNOWN_NAMES))


def read_names(values: Mapping[str, str], kind: SourceKind, where: str) -> list[Written]:
    """The settings among environment names; an empty value counts as not set, the first name of a field wins."""
    found = []
    for name, names in NAMES_OF_FIELD.items():
        key = next((alias for alias in names if values.get(alias, "").strip()), None)
        if key is not None:
            found.append(Written(name, values[key], Origin(kind, where, key)))
    return found


def read_flags(flags: Mapping[str, object], *, demo: bool) -> list[Written]:
    """The command line. --demo makes its server the current one unless another was asked for."""
    found = [
        Written(name, value, Origin("flag", "command line", FLAGS.get(name, f"--{name.replace('_', '-')}")))
        for name, value in flags.items()
        if value is not None
    ]
    if demo and flags.get("current_server") is None:
        found.append(Written("current_server", "demo", Origin("flag", "command line", "--demo")))
    return found
