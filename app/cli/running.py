"""Starting the program in the background, waiting for it, and ending it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from app.cli.exits import EXIT_FAILED, CommandError
from app.control.client import ControlClient, ControlError, find_instance
from app.control.lock import is_held
from app.errors import EXIT_PORT, home_ending
from app.paths import LOGS_FOLDER, ensure_home

START_LOG = "start.log"
START_WITHIN_S = 30.0
_LEAST_BYTES = 16_384
_POLL_S = 0.1
_SHOWN_CHARS = 2000


def program_command() -> list[str]:
    """How the program itself is run: by this Python, or the executable beside this one in an installer's folder."""
    if getattr(sys, "frozen", False):
        own = Path(sys.executable)
        return [str(own.with_name("anthropic-proxy" + own.suffix))]
    return [sys.executable, "-P", "-m", "app"]


def start_in_background(home: Path, arguments: Sequence[str]) -> ControlClient:
    """Start it, detached, and wait until it answers. Raises CommandError with what it said, and its exit code."""
    log = _open_log(home)
    with os.fdopen(log[1], "wb") as console:
        process = _spawn([*program_command(), "--home", str(home), *arguments], console.fileno())
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        code = process.poll()
        client = find_instance(home)
        if client is not None:
            _part_from(process, client)
            return client
        if code is not None:
            hint = "Or for good: proxy-cli config --set port 5055" if code == EXIT_PORT else ""
            raise CommandError(_last_words(log[0]), hint or _hint(home), code or EXIT_FAILED)
        time.sleep(_POLL_S)
    process.terminate()
    raise CommandError(f"It did not answer within {START_WITHIN_S:.0f} s.", f"What it said: {log[0]}")


def _hint(home: Path) -> str:
    full = shutil.disk_usage(home).free < _LEAST_BYTES
    return f"The disk that {home} is on is full: make room." if full else ""


def _part_from(process: subprocess.Popen[bytes], client: ControlClient) -> None:
    """Let it go on without us; one that came second, as somebody else started another meanwhile, is ended."""
    if sys.platform != "win32" and client.record.pid != process.pid:  # on Windows a launcher stands between
        process.terminate()
        process.wait()
        return
    _leave_console(client)
    process.returncode = 0  # Popen need not warn that it still runs


def _leave_console(client: ControlClient) -> None:
    try:
        client.leave_console()
    except ControlError:  # an older version, or at its end already: its console is a file that nobody minds
        return


def _open_log(home: Path) -> tuple[Path, int]:
    path = home / LOGS_FOLDER / START_LOG
    try:
        ensure_home(home)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    except OSError as error:
        ending = home_ending(home, error)
        raise CommandError(ending.message, exit_code=ending.exit_code) from error


def _spawn(command: Sequence[str], console: int) -> subprocess.Popen[bytes]:
    """Outlives this terminal. Raises CommandError."""
    try:
        if sys.platform == "win32":
            flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, creationflags=flags
            )
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
        )
    except OSError as error:
        raise CommandError(f"{command[0]} cannot be started: {error.strerror}.") from error


def _last_words(log: Path) -> str:
    try:
        said = log.read_text("utf-8", "replace").strip()
    except OSError:
        said = ""
    return said[-_SHOWN_CHARS:] or "It ended without a word."


def wait_for_end(home: Path, limit_s: float) -> bool:
    """Whether the data folder is free within so many seconds: only then has an instance ended for good."""
    deadline = time.monotonic() + limit_s
    while is_held(home):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True
