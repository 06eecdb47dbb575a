"""Probes of the data folder and of the instance that owns it."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import sys

from app.control.lock import is_held
from app.doctor.ground import Finding, Ground, fail, ok, skip, warn
from app.history.reading import History
from app.history.schema import FILE, HistoryTooNewError
from app.paths import LOGS_FOLDER, RUNTIME_FILE, STATS_FOLDER, resources
from proxy_core.server.access import is_loopback
from proxy_core.version import __version__

_MIB = 2**20
_FEW_BYTES, _SOME_BYTES = 100 * _MIB, 1024 * _MIB
_MANY_LOG_BYTES = 2048 * _MIB
_FEW_FILES = 1024
_AIRPLAY = 5000


def version(ground: Ground) -> Finding:
    """The same program runs as is installed."""
    running = str(ground.status.get("version", ""))
    python = ".".join(map(str, sys.version_info[:3]))
    if running and running != __version__:
        return warn(f"Version {running} runs, {__version__} is installed.", "proxy-cli restart")
    return ok(f"Version {__version__}, Python {python}.")


def data_folder(ground: Ground) -> Finding:
    """It can be written, and read by its owner alone."""
    home = ground.home
    if not home.exists():
        return skip(f"{home} is not there yet; it is made at the first start.")
    if not os.access(home, os.W_OK | os.X_OK):
        return fail(f"{home} cannot be written.", "Change its owner, or choose another with --home.")
    mode = home.stat().st_mode & 0o777
    if ground.platform != "win32" and mode & 0o077:

        def close() -> str:
            home.chmod(0o700)
            return f"{home} is now readable by you alone."

        return warn(f"{home} can be read by others (mode {mode:o}).", f"chmod 700 {home}", close)
    return ok(str(home))


def settings(ground: Ground) -> Finding:
    """Files and environment say nothing wrong."""
    problems = ground.loaded.problems
    if problems:
        return fail("; ".join(str(problem) for problem in problems), "Correct it: headless does not start with it.")
    if ground.loaded.notices:
        return warn(" ".join(ground.loaded.notices), "Compare the file that was set aside.")
    return ok("All settings are in order.")


def overrides(ground: Ground) -> Finding:
    """Nothing stands above config.yaml by surprise."""
    fixed = [origin for origin in ground.loaded.origins.values() if origin.is_fixed]
    if fixed:
        names = ", ".join(sorted(str(origin) for origin in fixed))
        return warn(f"These stand above config.yaml: {names}.", "Unset them to change settings with proxy-cli config.")
    return ok("Neither the environment nor .env overrides a setting.")


def left_over(ground: Ground) -> Finding:
    """runtime.json is that of a living instance."""
    path = ground.home / RUNTIME_FILE
    if ground.client is not None or not path.exists() or is_held(ground.home):
        return ok("No left-over of an instance that was killed.")

    def remove() -> str:
        path.unlink(missing_ok=True)
        return f"{path} was removed."

    return warn(f"{path} is left over: nobody answers there.", "proxy-cli start replaces it.", remove)


def second_instance(ground: Ground) -> Finding:
    """Nobody holds the data folder without answering."""
    if ground.client is not None:
        return ok(f"One instance, process {ground.client.record.pid}, {ground.client.record.kind}.")
    if is_held(ground.home):
        return fail(f"A process holds {ground.home}, but does not answer.", "End that process, then proxy-cli start.")
    return ok("Nothing runs.")


def port(ground: Ground) -> Finding:
    """The port is ours, or free."""
    host, number = ground.loaded.settings.host, ground.port
    if ground.client is not None:
        return ok(f"The proxy listens on port {number}.")
    if number == 0:
        return ok("Any free port.")
    try:
        with socket.create_server((host, number), reuse_port=False):
            return ok(f"Port {number} on {host} is free.")
    except OSError as error:
        is_airplay = ground.platform == "darwin" and number == _AIRPLAY
        whose = " (AirPlay's receiver listens there)" if is_airplay else ""
        said = f"Port {number} on {host} cannot be had{whose}: {error.strerror or error}."
        return fail(said, "proxy-cli config --set port 5055")


def exposure(ground: Ground) -> Finding:
    """Other computers come in with a key only."""
    values = ground.loaded.settings
    if is_loopback(values.host):
        return ok("It listens for this computer alone.")
    if values.require_access_key or ground.loaded.secrets.proxy_access_key is not None:
        return ok(f"It listens on {values.host}, and asks for an access key.")
    said = f"It is to listen on {values.host} without an access key, which is refused."
    return fail(said, "Set PROXY_ACCESS_KEY, or: proxy-cli config --set require_access_key true")


def disk(ground: Ground) -> Finding:
    """There is room."""
    folder = next(path for path in (ground.home, *ground.home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    said = f"{free / _MIB:,.0f} MiB are free at {folder}."
    if free < _FEW_BYTES:
        return fail(said, "Make room: history, logs and descriptions cannot be written.")
    return warn(said, "Make some room.") if free < _SOME_BYTES else ok(said)


def history(ground: Ground) -> Finding:
    """The history can be read."""
    try:
        found = History(ground.home / STATS_FOLDER / FILE).sums(0.0)
    except FileNotFoundError:
        return ok("There is no history yet.")
    except HistoryTooNewError as error:
        return fail(str(error), "Use the newer version of this program again.")
    except sqlite3.Error as error:
        return fail(f"The history is damaged ({error}).", "proxy-cli restart sets it aside and begins a new one.")
    return ok(f"{found[0].requests if found else 0:,} requests in the history.")


def logs(ground: Ground) -> Finding:
    """They do not fill the disk."""
    folder = ground.home / LOGS_FOLDER
    used = sum(path.stat().st_size for path in folder.glob("*") if path.is_file()) if folder.is_dir() else 0
    said = f"{used / _MIB:,.1f} MiB of logs."
    return warn(said, f"Delete old ones in {folder}.") if used > _MANY_LOG_BYTES else ok(said)


def tables(_: Ground) -> Finding:
    """What is counted with is there."""
    folder = resources() / "tokenizers"
    if folder.is_dir() and any(folder.iterdir()):
        return ok("The token tables are there.")
    return fail(f"{folder} is missing.", "Install the program anew.")


def open_files(ground: Ground) -> Finding:
    """Every stream takes two."""
    if ground.platform == "win32":
        return skip("Windows has no such limit.")
    import resource  # not there on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    said = f"{soft:,} files may be open."
    return warn(said, "Raise it: ulimit -n 4096") if soft < _FEW_FILES else ok(said)
