"""Starting it: the language, the terminal it needs, no Qt; and once in a real terminal of 80×24."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest

from app.errors import EndingError
from app.i18n import current_language
from app.tui.main import run, speak
from tests.app.programs import ROOT, environment
from tests.app.runtimes import free_port

LIMIT_S = 30
TMUX = shutil.which("tmux")


@pytest.mark.parametrize(
    ("environ", "config", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "", "zh_CN"),
        ({"LANG": "en_GB.UTF-8"}, "", "en"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "", "en"),
        ({"LANG": "en_GB.UTF-8"}, "language: zh_CN\n", "zh_CN"),
        ({"LANG": "zh_CN.UTF-8"}, "language: en\n", "en"),
    ],
)
def test_it_speaks_the_language_of_setting_or_terminal(tmp_path, monkeypatch, environ, config, language):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "config.yaml").write_text(config)
    speak(tmp_path)
    assert current_language() == language


def test_without_a_terminal_it_says_so(tmp_path):
    with pytest.raises(EndingError, match="needs a terminal"):
        run(tmp_path)


def test_it_brings_no_qt():
    code = "import app.tui.main, sys; sys.exit(any(name.startswith(('PySide6', 'qasync')) for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=LIMIT_S).returncode == 0


@contextmanager
def terminal(folder, *command: str):
    """A tmux of our own, 80×24, in which the command runs; a function that reads the screen, one that presses keys."""
    tmux = [TMUX, "-S", str(folder / "tmux"), "-f", "/dev/null"]
    started = [*tmux, "new-session", "-d", "-x", "80", "-y", "24", *command]
    subprocess.run(started, cwd=folder, env=environment(folder, LANG="C.UTF-8"), check=True, timeout=LIMIT_S)

    def screen() -> str:
        shot = subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, timeout=LIMIT_S)
        return shot.stdout

    def press(*keys: str) -> None:
        subprocess.run([*tmux, "send-keys", *keys], check=True, timeout=LIMIT_S)

    try:
        yield screen, press
    finally:
        subprocess.run([*tmux, "kill-server"], capture_output=True, timeout=LIMIT_S)


def wait_for(screen, *words: str) -> str:
    deadline = time.monotonic() + LIMIT_S
    while not all(word in (seen := screen()) for word in words):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    return seen


@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
def test_in_a_real_terminal_it_hosts_shows_and_ends(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.yaml").write_text(f"port: {free_port()}\n")
    code = f"from pathlib import Path; from app.tui.main import run; print('code', run(Path({str(home)!r})))"
    with terminal(tmp_path, "sh", "-c", f'{sys.executable} -c "{code}"; sleep 30') as (screen, press):
        seen = wait_for(screen, "hosted here", "takes requests", "q Quit")
        assert len(seen.splitlines()) == 24
        press("5")
        wait_for(screen, "There is no system keyring", "of 1 lines")
        press("?")
        wait_for(screen, "Esc: back")
        press("Escape")
        wait_for(screen, "of 1 lines")  # Esc and a key at once would be Alt and that key
        press("q")
        wait_for(screen, "code 0")
    assert not (home / "runtime.json").exists()


@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
def test_a_lost_terminal_ends_it_and_its_proxy(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.yaml").write_text(f"port: {free_port()}\n")
    code = f"from pathlib import Path; from app.tui.main import run; run(Path({str(home)!r}))"
    with terminal(tmp_path, sys.executable, "-c", code) as (screen, _):
        wait_for(screen, "hosted here")
        process = psutil.Process(json.loads((home / "runtime.json").read_text())["pid"])
    process.wait(LIMIT_S)
    assert not (home / "runtime.json").exists()
