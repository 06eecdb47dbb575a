"""One life of the tray program on a real desktop; run by test_desktop.py inside session.sh, in this order."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.desktop.screen import click, colours_at, places, press, run, take_picture, type_text, wait_for
from tests.desktop.tray_program import TrayProgram

KEY = "sk-desktop-0123456789abcdef"
PICTURES = Path(os.environ["DESKTOP_PICTURES"])


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrayProgram]:
    home = tmp_path_factory.mktemp("home")
    (home / "config.yaml").write_text("port: 0\nlanguage: en\ntheme: light\n")
    program = TrayProgram(home)
    yield program
    if program.process.poll() is None:
        program.process.kill()
        program.process.wait()


def test_the_icon_is_drawn_in_the_tray(program: TrayProgram) -> None:
    icon = program.icon()
    panel = wait_for(lambda: places("--onlyvisible", "--class", "^trayer$"), "panel")
    assert any(place.holds(icon) for place in panel)
    wait_for(lambda: colours_at(program.icon()) > 1, "a drawn icon")


def test_the_first_start_shows_the_window(program: TrayProgram) -> None:
    window = wait_for(lambda: program.titled("^Anthropic Proxy$"), "window")
    assert (window.width, window.height) > (800, 500)
    wait_for(lambda: colours_at(window) > 50, "a drawn window")


def test_a_server_is_switched_from_the_menu(program: TrayProgram) -> None:
    assert program.facts()["server"] == "demo"
    program.choose_server("cn")
    wait_for(lambda: program.facts()["server"] == "cn", "the switch")


def test_a_key_typed_into_the_dialog_lies_in_the_secret_service(program: TrayProgram) -> None:
    program.choose("Up", "Up", "Return")
    dialog = wait_for(lambda: program.titled("^Settings"), "settings dialog")
    run("xdotool", "windowactivate", "--sync", dialog.window)
    type_text(KEY)
    take_picture(PICTURES / "settings.png")
    press("Return")
    lookup = ("secret-tool", "lookup", "service", "anthropic-proxy", "username", "cn")
    assert wait_for(lambda: run(*lookup), "the stored key") == KEY
    wait_for(lambda: not program.titled("^Settings"), "the end of the dialog")
    kept = [path for path in program.home.rglob("*") if path.is_file() and KEY in path.read_text(errors="replace")]
    assert kept == []


def test_a_request_is_answered_while_the_window_draws(program: TrayProgram) -> None:
    program.choose_server("demo")
    wait_for(lambda: program.facts()["server"] == "demo", "the switch back")
    answers: list[tuple[int, str]] = []
    asking = [threading.Thread(target=lambda: answers.append(program.ask("Tell a story."))) for _ in range(5)]
    for thread in asking:
        thread.start()
    wait_for(lambda: program.facts()["in_flight"], "requests in flight")
    take_picture(PICTURES / "window.png")
    for thread in asking:
        thread.join()
    assert [status for status, _ in answers] == [200] * 5
    assert all("event: message_stop" in text for _, text in answers)


def test_closing_the_window_leaves_the_proxy_and_a_click_brings_it_back(program: TrayProgram) -> None:
    window = wait_for(lambda: program.titled("^Anthropic Proxy$"), "window")
    run("xdotool", "windowactivate", "--sync", window.window)
    press("ctrl+w")
    wait_for(lambda: not program.titled("^Anthropic Proxy$"), "a closed window")
    assert program.facts()["status"] == "ok"
    click(program.icon(), 1)
    wait_for(lambda: program.titled("^Anthropic Proxy$"), "window again")


def test_a_second_start_raises_the_window_of_the_first(program: TrayProgram) -> None:
    press("ctrl+w")
    wait_for(lambda: not program.titled("^Anthropic Proxy$"), "a closed window")
    assert program.start_again() == 0
    wait_for(lambda: program.titled("^Anthropic Proxy$"), "the first one's window")


def test_quit_ends_with_zero_and_leaves_nothing(program: TrayProgram) -> None:
    children = psutil.Process(program.process.pid).children(recursive=True)
    program.choose("Up", "Return", picture=PICTURES / "menu.png")
    _, complaints = program.process.communicate(timeout=30)
    assert program.process.returncode == 0, complaints
    assert not [child for child in children if child.is_running()]
    assert not (program.home / "runtime.json").exists()
    assert "Traceback" not in complaints and KEY not in complaints


def test_the_keyring_gave_the_key_to_nobody_else() -> None:
    done = subprocess.run(
        ["secret-tool", "search", "--all", "service", "anthropic-proxy"], capture_output=True, text=True
    )
    assert done.stdout.count("secret = ") == 1
