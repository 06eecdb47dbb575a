from __future__ import annotations

import json
import subprocess
import sys

import pytest

from app.cli import life
from tests.app.programs import environment


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("oops with sk-0123456789abcdef0123")


@pytest.mark.parametrize("as_json", [False, True])
def test_nobody_sees_a_traceback(say, monkeypatch, as_json):
    monkeypatch.setattr(life.Desk, "find", broken)
    answer = say("status", *(["--json"] if as_json else []))
    said = json.loads(answer.out)["error"] if as_json else answer.err
    assert (answer.code, "proxy-cli itself failed (RuntimeError: oops" in said) == (1, True)
    assert ("Traceback" in answer.err, "0123456789" in said) == (False, False)


def test_an_interruption_is_quiet(say, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(life.Desk, "find", interrupt)
    answer = say("status")
    assert (answer.code, "Traceback" in answer.err) == (130, False)


COMMANDS = (
    "status start stop restart switch servers config stats logs tui interactive doctor keys images completion models"
)


@pytest.mark.parametrize("command", COMMANDS.split())
def test_every_command_explains_itself(say, command):
    answer = say(command, "--help")
    assert (answer.code, f"Usage: proxy-cli {command}" in answer.out, "--home" in answer.out) == (
        0,
        True,
        command not in ("images",),
    )


def test_the_help_names_all_commands_and_exit_codes(say):
    answer = say("--help")
    assert [name for name in COMMANDS.split() if f"\n  {name} " not in answer.out] == []
    assert "4 nothing runs" in " ".join(answer.out.split())
    assert say("--version").out.startswith("proxy-cli ")


def test_a_reader_who_leaves_is_no_fault(tmp_path):
    command = f"{sys.executable} -m app.cli.main models | head -1"
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.startswith("Model"), "Traceback" in done.stderr) == (True, False)


LEAVES = (
    *("status", "start", "stop", "restart", "switch", "servers", "config", "stats", "logs", "doctor", "keys", "models"),
    *("completion", "servers list", "servers add", "servers edit", "servers remove", "servers test", "stats export"),
    *(
        "keys set",
        "keys test",
        "keys delete",
        "images list",
        "images show",
        "images edit",
        "images pin",
        "images delete",
    ),
)


@pytest.mark.parametrize("command", LEAVES)
def test_facts_come_as_json_too(say, command):
    assert "--json" in say(*command.split(), "--help").out
