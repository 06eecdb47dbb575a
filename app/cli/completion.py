"""completion: the script for a shell, put where the shell finds it, and taken away again without a trace.

The scripts ask `proxy-cli` itself at every TAB, by the protocol of typer's completion: what is offered (commands,
options, servers, keys of settings) is then never out of date.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli.desk import AsJson, Desk, Home
from app.cli.exits import EXIT_USAGE, CommandError

_BEGIN, _END = "# >>> proxy-cli completion >>>", "# <<< proxy-cli completion <<<"
_BLOCK = re.compile(rf"\n?{re.escape(_BEGIN)}\n.*?{re.escape(_END)}\n", re.DOTALL)
_FOLDER = Path(".local") / "share" / "proxy-cli"


class Shell(StrEnum):
    """The shells there are scripts for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


_BASH = """\
_proxy_cli_completion() {
    local IFS=$'\\n' offered
    offered=$(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _PROXY_CLI_COMPLETE=complete_bash "$1" 2>/dev/null)
    COMPREPLY=($offered)
}
complete -o default -F _proxy_cli_completion proxy-cli
"""
_ZSH = """\
#compdef proxy-cli
_proxy_cli_completion() {
    eval "$(_TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _PROXY_CLI_COMPLETE=complete_zsh proxy-cli 2>/dev/null)"
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _proxy_cli_completion proxy-cli
"""
_FISH = """\
function __proxy_cli_complete
    set -lx _TYPER_COMPLETE_ARGS (commandline -cp)
    set -lx _TYPER_COMPLETE_FISH_ACTION $argv[1]
    set -lx _PROXY_CLI_COMPLETE complete_fish
    proxy-cli 2>/dev/null
end
complete --command proxy-cli --no-files --condition "__proxy_cli_complete is-args" \\
    --arguments "(__proxy_cli_complete get-args)"
"""
_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName proxy-cli -ScriptBlock {
    param($word, $line, $cursor)
    $env:_PROXY_CLI_COMPLETE = "complete_powershell"
    $env:_TYPER_COMPLETE_ARGS = $line.ToString()
    $env:_TYPER_COMPLETE_WORD_TO_COMPLETE = $word
    try {
        proxy-cli 2>$null | ForEach-Object {
            $value, $help = $_ -split ":::", 2
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, "ParameterValue", $help)
        }
    } finally {
        Remove-Item Env:_PROXY_CLI_COMPLETE, Env:_TYPER_COMPLETE_ARGS, Env:_TYPER_COMPLETE_WORD_TO_COMPLETE
    }
}
"""
SCRIPTS: Mapping[Shell, str] = {
    Shell.BASH: _BASH,
    Shell.ZSH: _ZSH,
    Shell.FISH: _FISH,
    Shell.POWERSHELL: _POWERSHELL,
}
_SUFFIXES = {Shell.BASH: "bash", Shell.ZSH: "zsh", Shell.POWERSHELL: "ps1"}


def completion(
    shell: Annotated[Shell, typer.Argument(help="bash, zsh, fish or powershell.")],
    install: Annotated[bool, typer.Option("--install", help="Put it where the shell finds it.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Take it away again.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Print the completion script of a shell, or install it; may be installed again and again."""
    desk = Desk.open(home, as_json)
    if install and uninstall:
        raise CommandError("Either --install or --uninstall.", exit_code=EXIT_USAGE)
    if install:
        touched = install_into(Path.home(), shell)
        desk.tell({"installed": True, "files": touched}, f"Installed ({', '.join(touched)}); open a new {shell.value}.")
    elif uninstall:
        touched = uninstall_from(Path.home(), shell)
        desk.tell({"installed": False, "files": touched}, "Removed." if touched else "It was not installed.")
    else:
        desk.tell({"shell": shell.value, "script": SCRIPTS[shell]}, SCRIPTS[shell].rstrip())


def install_into(user_home: Path, shell: Shell) -> list[str]:
    """The files that were written."""
    script, start = _places(user_home, shell)
    _write(script, SCRIPTS[shell])
    if start is None:
        return [str(script)]
    before = _read(start)
    line = f'. "{script}"' if shell is Shell.POWERSHELL else f'[ -r "{script}" ] && . "{script}"'
    base = _BLOCK.sub("", before)
    gap = "" if not base or base.endswith("\n") else "\n"
    _write(start, f"{base}{gap}\n{_BEGIN}\n{line}\n{_END}\n")
    return [str(script), str(start)]


def uninstall_from(user_home: Path, shell: Shell) -> list[str]:
    """The files that were removed or changed back."""
    script, start = _places(user_home, shell)
    touched = []
    if script.exists():
        script.unlink()
        touched.append(str(script))
    before = "" if start is None else _read(start)
    if start is not None and _BEGIN in before:
        after = _BLOCK.sub("", before)
        if after:
            _write(start, after)
        else:
            start.unlink()
        touched.append(str(start))
    return touched


def _places(user_home: Path, shell: Shell) -> tuple[Path, Path | None]:
    """The script's file, and the shell's start file that is to read it; fish finds it by itself."""
    if shell is Shell.FISH:
        return user_home / ".config" / "fish" / "completions" / "proxy-cli.fish", None
    script = user_home / _FOLDER / f"completion.{_SUFFIXES[shell]}"
    starts = {Shell.BASH: user_home / ".bashrc", Shell.ZSH: user_home / ".zshrc"}
    return script, starts.get(shell) or _profile(user_home)


def _profile(user_home: Path) -> Path:
    name = "Microsoft.PowerShell_profile.ps1"
    documents = user_home / "Documents"
    return documents / "PowerShell" / name if documents.is_dir() else user_home / ".config" / "powershell" / name


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 text, and is left alone.") from error


def _write(path: Path, text: str) -> None:
    """Whole or not at all; links are followed and modes kept. Raises OSError."""
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False, encoding="utf-8", newline="\n") as file:
        file.write(text)
    temporary = Path(file.name)
    try:
        if target.exists():
            shutil.copymode(target, temporary)
        else:
            temporary.chmod(0o644)
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
