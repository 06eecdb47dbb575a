"""A text in the user's own editor, or as it is piped in."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app.cli.exits import CommandError
from app.settings.load import find_editor

_USUAL = ("sensible-editor", "nano", "vim", "vi", "notepad")


def edited(before: str) -> str:
    """The text after editing. Raises CommandError where nothing was changed or no editor is there."""
    if not sys.stdin.isatty():
        return sys.stdin.read().strip()
    handle, name = tempfile.mkstemp(suffix=".txt")
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(before)
        _run([*_command(), name])
        after = path.read_text("utf-8", "replace").strip()
    finally:
        path.unlink(missing_ok=True)
    if after == before.strip():
        raise CommandError("Nothing was changed.")
    return after


def _command() -> list[str]:
    chosen = find_editor()
    if chosen:
        return shlex.split(chosen, posix=sys.platform != "win32")
    found = next((name for name in _USUAL if shutil.which(name)), None)
    if found is None:
        raise CommandError("There is no editor.", "Set EDITOR, or give the words with --text.")
    return [found]


def _run(command: list[str]) -> None:
    try:
        code = subprocess.call(command)
    except OSError as error:
        raise CommandError(f"{command[0]} cannot be started: {error.strerror}.") from error
    if code:
        raise CommandError(f"{command[0]} ended with code {code}; nothing was changed.")
