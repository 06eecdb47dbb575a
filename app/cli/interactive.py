"""interactive: the guided menu for who does not know the commands yet; and tui, the live view."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer
from rich.console import Console

from app.cli import config as config_room
from app.cli import life, servers
from app.cli.desk import Desk, Home
from app.cli.doctor import doctor
from app.cli.exits import EXIT_USAGE, CommandError
from app.cli.keys import set_key
from app.cli.logs import Level, Stream, logs
from app.cli.stats import Grouping, read_stats, show_stats
from app.control.client import ControlError


def tui(home: Home = None) -> None:
    """Show the live view in this terminal: status, rates, requests, servers, logs, settings."""
    desk = Desk.open(home)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError("The live view needs a terminal.", "For scripts: proxy-cli stats --realtime", EXIT_USAGE)
    from app.tui.main import run  # textual, which other commands need not wait for

    raise typer.Exit(run(desk.home))


def interactive(home: Home = None) -> None:
    """Choose from a menu what to do."""
    desk = Desk.open(home)
    try:
        while (chosen := _choose(desk.out)) is not None:
            _do(chosen, desk, home)
    except (EOFError, KeyboardInterrupt):
        desk.out.print()


def _choose(out: Console) -> Callable[[Desk, str | None], None] | None:
    out.print("\nWhat do you want to do?", style="bold")
    for number, (title, _) in enumerate(_MENU, 1):
        out.print(f"  {number:>2}  {title}")
    out.print("   0  Leave")
    while True:
        answer = input("> ").strip().lower()
        if answer in ("0", "q", "quit", "exit"):
            return None
        if answer.isdecimal() and 1 <= int(answer) <= len(_MENU):
            return _MENU[int(answer) - 1][1]
        out.print(f"A number from 0 to {len(_MENU)}, please.")


def _do(chosen: Callable[[Desk, str | None], None], desk: Desk, home: str | None) -> None:
    """One choice; what goes wrong is said, and the menu comes again."""
    try:
        chosen(desk, home)
    except typer.Exit:
        return
    except (CommandError, ControlError) as error:
        desk.warn(str(error))
        if error.hint:
            desk.warn(error.hint)


def _ask(question: str) -> str:
    answer = input(f"{question}: ").strip()
    if not answer:
        raise CommandError("Nothing was chosen.")
    return answer


def _switch(_: Desk, home: str | None) -> None:
    servers.list_command(quick=True, home=home)
    life.switch(_ask("Which server"), home=home)


def _stats(desk: Desk, _: str | None) -> None:
    show_stats(desk, read_stats(desk, 24, Grouping.MODEL), Grouping.MODEL)


def _setting(_: Desk, home: str | None) -> None:
    key = _ask("Which setting")
    config_room.config(get=key, home=home)
    config_room.config(change=(key, _ask("New value")), home=home)


_MENU: tuple[tuple[str, Callable[[Desk, str | None], None]], ...] = (
    ("Status", lambda _, home: life.status(home=home)),
    ("Start the proxy", lambda _, home: life.start(home=home)),
    ("Stop the proxy", lambda _, home: life.stop(home=home)),
    ("Switch to another server", _switch),
    ("Servers with latency and health", lambda _, home: servers.list_command(home=home)),
    ("Store a key", lambda _, home: set_key(_ask("For which server"), home=home)),
    ("Usage of the last 24 hours", _stats),
    ("Newest log lines", lambda _, home: logs(level=Level.INFO, stream=Stream.ALL, lines=20, home=home)),
    ("Settings", lambda _, home: config_room.config(home=home)),
    ("Change a setting", _setting),
    ("Look for what is wrong", lambda _, home: doctor(home=home)),
    ("Live view", lambda _, home: tui(home=home)),
)
