"""A desktop without a keyring, and without a tray host until late; run by test_desktop.py inside session.sh."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.desktop.screen import press, run, type_text, wait_for
from tests.desktop.tray_program import TrayProgram

KEY = "sk-desktop-0123456789abcdef"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrayProgram]:
    home = tmp_path_factory.mktemp("home")
    (home / "config.yaml").write_text("port: 0\nlanguage: en\ntheme: light\n")
    (home / "window.ini").write_text("[said]\nfirst%20start=yes\n")
    program = TrayProgram(home)
    yield program
    if program.process.poll() is None:
        program.process.kill()
        program.process.wait()


@pytest.fixture(scope="module")
def tray_host() -> Iterator[None]:
    host = subprocess.Popen(["trayer", "--edge", "top", "--align", "right", "--widthtype", "request"])
    yield
    host.kill()
    host.wait()


def activate(program: TrayProgram, title: str) -> None:
    window = wait_for(lambda: program.titled(title), title)
    run("xdotool", "windowactivate", "--sync", window.window)


def test_without_a_tray_the_window_comes_by_itself(program: TrayProgram) -> None:
    activate(program, "^Anthropic Proxy$")
    assert program.facts()["status"] == "ok"


def test_without_a_keyring_a_key_is_held_for_this_run(program: TrayProgram) -> None:
    press("ctrl+comma")
    activate(program, "^Settings")
    type_text(KEY)
    press("Return")
    wait_for(lambda: not program.titled("^Settings"), "the end of the dialog")
    assert any("for this run only" in str(notice) for notice in program.notices())
    kept = [path for path in program.home.rglob("*") if path.is_file() and KEY in path.read_text(errors="replace")]
    assert kept == []


def test_closing_asks_first_and_goes_on_if_that_was_a_mistake(program: TrayProgram) -> None:
    activate(program, "^Anthropic Proxy$")
    before = len(program.windows())
    press("ctrl+w")
    wait_for(lambda: len(program.windows()) > before, "the question")
    press("Escape")
    wait_for(lambda: len(program.windows()) == before, "its end")
    assert program.facts()["status"] == "ok"


@pytest.mark.usefixtures("tray_host")
def test_a_late_tray_host_gets_the_icon_and_quit_works_from_there(program: TrayProgram) -> None:
    program.choose("Up", "Return")
    _, complaints = program.process.communicate(timeout=30)
    assert (program.process.returncode, "Traceback" in complaints, KEY in complaints) == (0, False, False), complaints
