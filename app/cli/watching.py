"""`start --watch`, for developers: the program in the foreground, started anew whenever its source changes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console

_PERIOD_S = 0.5
_END_WITHIN_S = 15.0


def source_folders() -> tuple[Path, ...]:
    """Where the program's own source lies."""
    root = Path(__file__).parents[2]
    return (root / "app", root / "proxy_core")


def stamp(folders: Iterable[Path]) -> tuple[int, int]:
    """Number of source files and the time of the newest change; another pair means that something changed."""
    newest, files = 0, 0
    for folder in folders:
        for path in folder.rglob("*.py"):
            try:
                newest = max(newest, path.stat().st_mtime_ns)
            except FileNotFoundError:  # an editor replaces files
                continue
            files += 1
    return files, newest


def run_watching(command: Sequence[str], out: Console, folders: Sequence[Path]) -> int:
    """Until interrupted, or until the program ends by itself with success; its exit code."""
    while True:
        seen = stamp(folders)
        process = subprocess.Popen(command)
        try:
            code = _until_change(process, folders, seen)
        finally:
            _end(process)
        if code == 0:
            return 0
        if code is not None:
            out.print(f"It ended with code {code}; it is started again at the next change.", style="yellow")
            while stamp(folders) == seen:
                time.sleep(_PERIOD_S)
        out.print("The source changed: starting again.", style="bold")


def _until_change(process: subprocess.Popen[bytes], folders: Sequence[Path], seen: tuple[int, int]) -> int | None:
    """The exit code of a program that ended by itself; None when the source changed."""
    while stamp(folders) == seen:
        code = process.poll()
        if code is not None:
            return code
        time.sleep(_PERIOD_S)
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
