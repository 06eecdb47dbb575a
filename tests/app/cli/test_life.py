from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from app.settings.yamlfile import read_mapping
from tests.app.programs import environment
from tests.app.runtimes import free_port, taken_port
from tests.app.test_headless import stream


@pytest.fixture
def home(tmp_path):
    """A data folder whose instance, if a test started one, is gone afterwards."""
    folder = tmp_path / "home"
    yield folder
    with suppress(OSError, ValueError, KeyError):
        os.kill(json.loads((folder / "runtime.json").read_text())["pid"], signal.SIGKILL)


def test_status_of_what_runs(say, running):
    shown, facts = say("status", home=running), say("status", "--json", home=running)
    assert (shown.code, facts.code, facts.facts["server"], facts.facts["requests"]) == (0, 0, "demo", 1)
    assert re.search(r"Status +running\nAddress +http://127\.0\.0\.1:\d+", shown.out)
    assert ("1 ended, 0 running, 0 failed" in shown.out, "\x1b" in shown.out) == (True, False)


STALE = {"port": 9, "host": "127.0.0.1", "token": "t", "version": "0", "started_at": 0, "kind": "headless"}


@pytest.mark.parametrize("record", [None, "", "{", json.dumps(STALE | {"pid": 1}), json.dumps(STALE | {"pid": 2**22})])
@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("status", 4, "not running"),
        ("stop", 0, "not running"),
        ("show", 4, "not running"),
    ],
)
def test_where_nothing_runs_it_is_said(say, home, record, command, code, words):
    home.mkdir()
    if record is not None:
        (home / "runtime.json").write_text(record)
    answer = say(command, home=home)
    assert (answer.code, words in answer.out + answer.err, "Traceback" in answer.err) == (code, True, False)
    assert say(command, "--json", home=home).out.startswith("{")


def test_from_start_to_stop(say, home):
    started = say("start", "--demo", "--port", "0", "--json", home=home)
    again = say("start", "--server", "cn", home=home)
    assert "Not used, as it runs already: --port 1, --tray." in say("start", "--port=1", "--tray", home=home).err
    switched = say("switch", "international", "--json", home=home)
    restarted = say("restart", "--json", home=home)
    assert (started.code, started.facts["server"], started.facts["started"]) == (0, "demo", True)
    assert (again.code, "runs already" in again.out, "(server cn)" in again.out) == (0, True, True)
    assert (switched.code, switched.facts["server"]) == (0, "international")
    assert (restarted.code, restarted.facts["demo"], restarted.facts["server"]) == (0, True, "international")
    assert restarted.facts["pid"] != started.facts["pid"]
    assert say("stop", home=home).out == "Stopped.\n"
    assert say("status", home=home).code == 4


def test_what_is_set_after_a_flag_is_kept_and_a_restart_minds_it(say, home):
    say("start", "--port", "0", "--log-level", "ERROR", home=home)
    port = free_port()
    changed = say("config", "--set", "port", str(port), "--json", home=home)
    listed = say("config", "--json", home=home).facts["settings"]
    restarted = say("restart", "--json", home=home).facts
    say("stop", home=home)
    assert (changed.code, changed.facts["unsaved"], changed.err) == (0, {}, "")
    assert {row["field"]: row["origin"].split(" ")[0] for row in listed} == {"port": "port", "log_level": "--log-level"}
    assert (restarted["address"], restarted["flags"]) == (f"127.0.0.1:{port}", {"--log-level": "ERROR"})


def test_one_without_a_window_says_how_to_get_one(say, running):
    answer = say("show", home=running)
    assert (answer.code, "proxy-cli start --tray" in answer.err) == (1, True)


def test_a_switch_where_nothing_runs_is_remembered(say, home):
    answer = say("switch", "cn", home=home)
    assert (answer.code, "next start" in answer.out) == (0, True)
    assert read_mapping(home / "config.yaml")["current_server"] == "cn"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("start", "--server", "cnn"), 2, "Did you mean cn?"),
        (("start", "--log-level", "LOUD"), 2, "one of DEBUG"),
        (("start", "--host", "0.0.0.0", "--port", "0"), 2, "PROXY_ACCESS_KEY"),
        (("switch", "cnn"), 2, "Did you mean cn?"),
        (("switch",), 2, "Missing argument"),
        (("stat",), 2, "No such command"),
    ],
)
def test_what_cannot_be_done_says_why(say, home, arguments, code, words):
    answer = say(*arguments, home=home)
    assert (answer.code, words in answer.err, "Traceback" in answer.err) == (code, True, False)


def test_a_taken_port_is_named(say, home):
    holder, port = taken_port()
    with holder:
        answer = say("start", "--port", str(port), home=home)
    assert (answer.code, f"Port {port} on 127.0.0.1 is already in use" in answer.err) == (3, True)


def test_in_the_foreground_signals_reach_the_program(tmp_path):
    command = [sys.executable, "-m", "app.cli.main", "start", "--foreground", "--demo", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline().startswith("Listening on http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_environment_decides_and_it_is_said(say, home, monkeypatch):
    monkeypatch.setenv("CURRENT_SERVER", "international")
    answer = say("switch", "cn", home=home)
    assert (answer.code, "CURRENT_SERVER (environment) decides" in answer.err) == (1, True)


def test_two_starts_at_once_are_one_instance(say, tmp_path, home):
    command = [sys.executable, "-m", "app.cli.main", "start", "--demo", "--port", "0", "--json", "--home", str(home)]
    pair = [
        subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [json.loads(process.communicate(timeout=60)[0]) for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert told[0]["pid"] == told[1]["pid"] == say("status", "--json", home=home).facts["pid"]
    assert say("stop", "--now", home=home).code == 0


def test_after_a_kill_it_starts_again(say, home):
    killed = say("start", "--demo", "--port", "0", "--json", home=home).facts["pid"]
    os.kill(killed, signal.SIGKILL)
    os.waitpid(killed, 0)
    assert say("status", home=home).code == 4
    assert say("start", "--demo", "--port", "0", "--json", home=home).facts["pid"] != killed
    assert say("stop", home=home).code == 0


def test_running_streams_are_cut_where_nobody_waits(say, home):
    port = int(say("start", "--demo", "--port", "0", "--json", home=home).facts["address"].split(":")[1])
    say("config", "--set", "shutdown_grace", "600", home=home)
    with stream(port, "demo error stall"):
        assert "1 running" in say("status", home=home).out
        assert say("stop", "--now", home=home).out == "Stopped.\n"
    assert say("status", home=home).code == 4


def test_running_streams_may_end(say, home):
    port = int(say("start", "--demo", "--port", "0", "--json", home=home).facts["address"].split(":")[1])
    say("config", "--set", "shutdown_grace", "0.2", home=home)
    with stream(port, "demo error stall"):
        answer = say("stop", home=home)
    assert answer.out == "Waiting up to 200 ms for 1 running request(s).\nStopped.\n"


def test_a_folder_that_cannot_be_had_is_named(say, tmp_path):
    (tmp_path / "file").write_text("")
    for command in (("start",), ("switch", "cn"), ("config", "--set", "port", "1")):
        answer = say(*command, home=tmp_path / "file")
        assert (answer.code in (1, 2), "Traceback" in answer.err, bool(answer.err)) == (True, False, True)
