from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys

import pytest

from app.cli.completion import SCRIPTS, Shell
from tests.app.programs import environment

OWN = "own-server:\n  endpoint: http://127.0.0.1:9\n"


@pytest.fixture
def user(tmp_path):
    """Somebody with a server of their own and `proxy-cli` on their path; their environment."""
    program = tmp_path / "bin" / "proxy-cli"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m app.cli.main "$@"\n')
    program.chmod(0o755)
    home = tmp_path / ".anthropic-proxy"
    home.mkdir()
    (home / "servers.yaml").write_text(OWN)
    found = environment(tmp_path)
    return found | {"PATH": f"{program.parent}:{found['PATH']}"}


ASK_BASH = """
COMP_WORDS=({words} {last!r}); COMP_CWORD={count}
_proxy_cli_completion proxy-cli
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "last", "offered"),
    [
        ("", "sw", ["switch"]),
        ("switch", "", ["own-server"]),
        ("config --get", "log_le", ["log_level"]),
        ("keys set", "o", ["own-server"]),
    ],
)
def test_bash_offers_commands_servers_and_settings(tmp_path, user, words, last, offered):
    asked = ASK_BASH.format(words=f"proxy-cli {words}", last=last, count=len(words.split()) + 1)
    command = ["bash", "--norc", "-c", SCRIPTS[Shell.BASH] + asked]
    done = subprocess.run(command, env=user, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (offered, "")


@pytest.mark.parametrize(
    ("shell", "variables", "offered"),
    [
        ("zsh", {"_TYPER_COMPLETE_ARGS": "proxy-cli switch o"}, '"own-server":'),
        (
            "fish",
            {"_TYPER_COMPLETE_ARGS": "proxy-cli switch o", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
            "own-server\t",
        ),
        (
            "powershell",
            {"_TYPER_COMPLETE_ARGS": "proxy-cli switch o", "_TYPER_COMPLETE_WORD_TO_COMPLETE": "o"},
            "own-server:::",
        ),
    ],
)
def test_what_the_other_shells_ask_is_answered(tmp_path, user, shell, variables, offered):
    asked = user | variables | {"_PROXY_CLI_COMPLETE": f"complete_{shell}"}
    done = subprocess.run(["proxy-cli"], env=asked, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (offered in done.stdout, all(name in SCRIPTS[Shell(shell)] for name in variables)) == (True, True)


def read_until(terminal, word):
    """What a terminal shows until the word is there, or nothing more comes for half a minute."""
    shown = ""
    while word not in shown and select.select([terminal], [], [], 30)[0]:
        shown += os.read(terminal, 4096).decode("utf-8", "replace")
    return shown


@pytest.fixture
def zsh(tmp_path, user):
    """The terminal of a zsh that has read the script."""
    (tmp_path / "script.zsh").write_text(SCRIPTS[Shell.ZSH])
    terminal, inside = os.openpty()
    shell = subprocess.Popen(
        ["zsh", "-f", "-i"],
        env=user | {"TERM": "dumb"},
        cwd=tmp_path,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    os.close(inside)
    os.write(terminal, b". ./script.zsh; print rea''dy\r")
    assert "ready" in read_until(terminal, "ready")
    yield terminal
    shell.kill()
    shell.wait()
    os.close(terminal)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("proxy-cli switch o", "proxy-cli switch own-server"),
        ("proxy-cli config --get log_le", "proxy-cli config --get log_level"),
        ("proxy-cli sw", "proxy-cli switch"),
    ],
)
def test_zsh_completes_servers_settings_and_commands(zsh, line, whole):
    os.write(zsh, f"{line}\t".encode())
    assert whole in read_until(zsh, whole)


STARTS = {
    "bash": ".bashrc",
    "zsh": ".zshrc",
    "fish": ".config/fish/completions/proxy-cli.fish",
    "powershell": ".config/powershell/Microsoft.PowerShell_profile.ps1",
}


@pytest.mark.parametrize("before", [None, "alias x=y\n", "alias x=y"])
@pytest.mark.parametrize("shell", list(STARTS))
def test_it_is_installed_once_and_goes_without_a_trace(say, tmp_path, shell, before):
    start = tmp_path / STARTS[shell]
    if before is not None and shell != "fish":
        start.parent.mkdir(parents=True, exist_ok=True)
        start.write_text(before)
    assert say("completion", shell, "--install").code == 0
    once = start.read_text()
    again = say("completion", shell, "--install", "--json")
    assert (start.read_text(), again.facts["installed"], once.count("proxy-cli completion >>>")) == (
        once,
        True,
        0 if shell == "fish" else 1,
    )
    assert say("completion", shell, "--uninstall").code == 0
    assert (start.read_text().rstrip() if start.exists() else None) == (
        (before and shell != "fish" and before.rstrip()) or None
    )
    assert "not installed" in say("completion", shell, "--uninstall").out


def test_the_script_is_printed(say):
    assert say("completion", "bash").out == SCRIPTS[Shell.BASH]


@pytest.mark.parametrize("arguments", [("tcsh",), (), ("bash", "--install", "--uninstall")])
def test_what_is_wrong_is_said(say, arguments):
    assert say("completion", *arguments).code == 2
