"""The program as its user starts it: a process of its own, with nothing in its environment but what a test gives."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT_S = 30


def environment(home: Path, **further: str) -> dict[str, str]:
    """No keyring, no display, no proxy; the program's own folder below `home`."""
    base = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    return base | further


def run_program(home: Path, *arguments: str, **further: str) -> subprocess.CompletedProcess[str]:
    """Start it and wait for its end."""
    command = [sys.executable, "-m", "app", *arguments]
    return subprocess.run(
        command, cwd=home, env=environment(home, **further), capture_output=True, text=True, timeout=LIMIT_S
    )


@contextmanager
def program(home: Path, *arguments: str, **further: str) -> Iterator[subprocess.Popen[str]]:
    """Start it; whatever the test does, it is gone afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        cwd=home,
        env=environment(home, **further),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
