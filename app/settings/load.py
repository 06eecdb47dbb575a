"""All sources into one value: defaults < config.yaml < .env < environment < command line.

The only module that reads the environment. Nothing here raises for what somebody wrote: a bad value becomes a
SettingProblem and the value of the next lower source holds, so that a face may start and show it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.paths import CONFIG_FILE, DOTENV_FILE, default_home
from app.settings.dotenv import read_dotenv
from app.settings.given import GivenKeys, read_given_keys
from app.settings.keys import FoundKey, is_placeholder, is_sendable
from app.settings.legacy import keys_in_config
from app.settings.problems import SettingProblem, closest
from app.settings.schema import Settings
from app.settings.servers import canonical, read_servers
from app.settings.sources import (
    HOME_NAME,
    KEY_NAMES,
    Findings,
    Origin,
    Written,
    find_dotenv,
    read_config,
    read_dotenv_source,
    read_flags,
    read_names,
)
from app.settings.values import bad_value, check_value
from app.settings.yamlfile import BrokenFileError
from proxy_core.settings import Server

DEMO_SERVER = "demo"
_SCREENLESS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")
"""Qt's own stand-ins for a display server."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
SURROUNDINGS = (*_PROXIES, *map(str.lower, _PROXIES), "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_BASE")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything that was read at start.

    origins: field → where its value came from; fields at their default are missing.
    key_server: the server that SERVER_API_KEY is for. found_keys: keys that stand in clear in files.
    notices: what must be said once but is nobody's mistake.
    """

    home: Path
    settings: Settings
    origins: Mapping[str, Origin]
    secrets: GivenKeys
    key_server: str
    servers: tuple[Server, ...]
    found_keys: tuple[FoundKey, ...] = ()
    problems: tuple[SettingProblem, ...] = ()
    notices: tuple[str, ...] = ()


def find_home(flag: str | None, cwd: Path, environ: Mapping[str, str] | None = None) -> Path:
    """The data folder: --home, else ANTHROPIC_PROXY_HOME in the environment or the current folder's .env."""
    environ = os.environ if environ is None else environ
    named = flag or environ.get(HOME_NAME, "").strip() or _home_in_dotenv(cwd, environ)
    return (cwd / Path(named).expanduser()) if named else default_home()


def _home_in_dotenv(cwd: Path, environ: Mapping[str, str]) -> str:
    try:
        return read_dotenv(cwd / DOTENV_FILE, environ).values.get(HOME_NAME, "").strip()
    except (BrokenFileError, OSError):
        return ""  # load() reads the same file again and says what is wrong with it


def surroundings(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the environment says to other programs that bears on us: HTTP proxies, and where clients send requests."""
    environ = os.environ if environ is None else environ
    return {name: environ[name] for name in SURROUNDINGS if environ.get(name, "").strip()}


def find_editor(environ: Mapping[str, str] | None = None) -> str:
    """The command of the user's text editor, "" where none was chosen."""
    environ = os.environ if environ is None else environ
    return environ.get("VISUAL", "").strip() or environ.get("EDITOR", "").strip()


def has_display(environ: Mapping[str, str] | None = None) -> bool:
    """Whether a window could be shown; on Linux that takes a display server (or Qt's own stand-in for one)."""
    environ = os.environ if environ is None else environ
    if not sys.platform.startswith("linux"):
        return True
    platform = environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    return platform in _SCREENLESS or any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def load(
    home: Path,
    flags: Mapping[str, object] | None = None,
    cwd: Path | None = None,
    *,
    demo: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read every source. flags: field → value as written (None: not given); demo: the built-in server is there too."""
    environ = os.environ if environ is None else environ
    findings = Findings()
    config = read_config(home, findings)
    dotenv = find_dotenv(home, cwd or Path.cwd())
    from_dotenv = read_dotenv_source(dotenv, home, environ, findings) if dotenv else {}
    findings.written += read_names(environ, "environment", "environment")
    findings.written += read_flags(flags or {}, demo=demo)
    read = read_servers(home)
    findings.problems += read.problems
    findings.notices += read.notices
    sources = {"environment": environ, str(dotenv): from_dotenv}
    secrets = read_given_keys(sources, findings.problems, findings.notices)
    values, origins = _merge(findings)
    own = [server.name for server in read.servers]
    _settle_servers(values, origins, [*own, DEMO_SERVER] if demo else own, findings)
    settings = Settings.model_validate(values)
    key_server = _key_server(settings.current_server, own, findings)
    findings.keys += [*read.keys, *keys_in_config(home / CONFIG_FILE, config, key_server)]
    findings.keys += _keys_in_dotenv(dotenv, from_dotenv, key_server)
    return Loaded(
        home=home,
        settings=settings,
        origins=origins,
        secrets=secrets,
        key_server=key_server,
        servers=tuple(read.servers),
        found_keys=tuple(findings.keys),
        problems=tuple(findings.problems),
        notices=tuple(findings.notices),
    )


def _key_server(current: str, own: list[str], findings: Findings) -> str:
    """Whose key a key without a server's name is: the current server's, or what --demo pushed aside."""
    if current != DEMO_SERVER or DEMO_SERVER in own:
        return current
    asked = [canonical(str(written.value)) for written in findings.written if written.field == "current_server"]
    return next((name for name in reversed(asked) if name in own), own[0])


def _keys_in_dotenv(path: Path | None, values: Mapping[str, str], server: str) -> list[FoundKey]:
    key = values.get(KEY_NAMES[0], "").strip()
    if path is None or is_placeholder(key) or not is_sendable(key):
        return []
    return [FoundKey(server, key, path, (KEY_NAMES[0],))]


def _merge(findings: Findings) -> tuple[dict[str, object], dict[str, Origin]]:
    values: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    for written in findings.written:
        try:
            values[written.field] = check_value(written.field, written.value)
        except ValueError:
            findings.problems.append(_problem(written))
        else:
            origins[written.field] = written.origin
    return values, origins


def _problem(written: Written) -> SettingProblem:
    return bad_value(written.origin.where, written.origin.key, written.field, written.value)


def _settle_servers(
    values: dict[str, object], origins: dict[str, Origin], names: list[str], findings: Findings
) -> None:
    """See that the servers named in settings exist; otherwise the first one is current, and none the other's help."""
    _settle_server("current_server", names[0], values, origins, names, findings)
    if values.get("failover_server"):
        _settle_server("failover_server", "", values, origins, names, findings)


def _settle_server(
    field: str,
    fallback: str,
    values: dict[str, object],
    origins: dict[str, Origin],
    names: list[str],
    findings: Findings,
) -> None:
    asked = str(values.get(field, Settings().current_server))
    name = canonical(asked)
    origin = origins.get(field)
    if name not in names and origin is not None:
        said = "is there only with --demo" if name == DEMO_SERVER else "is no server"
        allowed = "one of " + ", ".join(names)
        meant = closest(asked, names)
        findings.problems.append(SettingProblem(origin.where, origin.key, f"{asked!r} {said}", allowed, meant))
        del origins[field]
    values[field] = name if name in names else fallback
