"""The tray program on a real desktop: X server, window manager, tray host, session bus, keyring, all started here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import psutil
import pytest

HERE = Path(__file__).parent
PACKAGES = {
    "Xvfb": "xvfb",
    "openbox": "openbox",
    "trayer": "trayer",
    "dbus-run-session": "dbus",
    "dbus-daemon": "dbus",
    "gnome-keyring-daemon": "gnome-keyring",
    "secret-tool": "libsecret-tools",
    "xdotool": "xdotool",
    "import": "imagemagick",
}
MARK = "DESKTOP_TEST_RUN"
# The bus would start a keyring of its own accord, locked, whose password dialog nobody here answers.
BARE = {"SESSION_TRAY": "no", "SESSION_KEYRING": "no", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def missing_packages() -> list[str]:
    return sorted({package for command, package in PACKAGES.items() if shutil.which(command) is None})


def left_running(mark: str) -> list[str]:
    """The commands of living processes that were started under this mark."""
    left = []
    for process in psutil.process_iter():
        try:
            is_ours = process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE
            left += [process.name()] if is_ours else []
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return left


@pytest.mark.desktop
@pytest.mark.parametrize(
    ("scenes", "desktop"),
    [("inside.py", {}), ("inside_late.py", BARE)],
    ids=["usual", "no keyring, late tray"],
)
def test_a_life_in_the_tray(tmp_path: Path, scenes: str, desktop: dict[str, str]) -> None:
    if missing := missing_packages():
        pytest.skip(f"needs: sudo apt-get install -y --no-install-recommends {' '.join(missing)}")
    mark = uuid.uuid4().hex
    pictures = os.environ.get("DESKTOP_PICTURES", str(tmp_path))
    command = [HERE / "session.sh", sys.executable, "-m", "pytest", "-x", HERE / scenes]
    environment = os.environ | desktop | {MARK: mark, "DESKTOP_PICTURES": pictures, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, cwd=HERE.parents[1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert left_running(mark) == []
