"""status, start, stop, restart, switch, show."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.table import Table

from app.cli.choices import complete_server
from app.cli.desk import AsJson, Desk, Home, number, text
from app.cli.exits import EXIT_FAILED, EXIT_NOT_RUNNING, CommandError
from app.cli.offline import switch_in_files
from app.cli.running import program_command, start_in_background, wait_for_end
from app.cli.tables import colored, pairs
from app.cli.watching import run_watching, source_folders
from app.cli.words import clipped, count, duration, percent
from app.control.client import ControlClient
from app.control.lock import is_held
from app.settings.load import DEMO_SERVER
from proxy_core.jsontypes import JsonObject

_ENDING_S = 10.0
"""What an end takes at most beside the grace for running streams."""

Server = Annotated[
    str | None,
    typer.Option("--server", help="Switch to this server, as `switch` does.", autocompletion=complete_server),
]
Tray = Annotated[bool, typer.Option("--tray", help="Start the tray program instead of the one without a window.")]
Demo = Annotated[bool, typer.Option("--demo", help="Add the built-in server: no key, no network needed.")]
Foreground = Annotated[bool, typer.Option("--foreground", "-f", help="Stay in this terminal until interrupted.")]
Watch = Annotated[bool, typer.Option("--watch", help="Stay here and start again when the source changes.")]
Now = Annotated[bool, typer.Option("--now", help="Cut running streams instead of waiting for them.")]


def status(as_json: AsJson = False, home: Home = None) -> None:
    """Say whether the proxy runs, where, and what it did."""
    desk = Desk.open(home, as_json)
    client = desk.find()
    if client is None:
        facts = {"running": False, "home": str(desk.home)}
        desk.tell(facts, "The proxy is not running. Start it with: proxy-cli start")
        raise typer.Exit(EXIT_NOT_RUNNING)
    found = client.status()
    desk.tell({"running": True} | found, lambda: _status_table(found))


def _status_table(found: JsonObject) -> Table:
    requests, failures = number(found, "requests"), number(found, "failures")
    address = text(found, "address")
    url = f"http://{address}" if address else "it does not listen"
    notices = found.get("notices")
    return pairs(
        [
            ("Status", colored("paused" if found.get("paused") else "running")),
            ("Address", url),
            ("For clients", f"OpenAI {url}/v1   Anthropic {url}" if address else ""),
            ("Server", text(found, "server")),
            ("Kind", f"{text(found, 'kind')}, process {text(found, 'pid')}, version {text(found, 'version')}"),
            ("Up for", duration(max(0.0, time.time() - number(found, "started_at")))),
            ("Requests", f"{count(requests)} ended, {text(found, 'in_flight')} running, {count(failures)} failed"),
            ("Success", percent(requests - failures, requests) if requests else ""),
            ("Tokens", _tokens(found) if requests else ""),
            ("Last error", clipped(text(found, "last_error"), 300)),
            ("Notices", "\n".join(map(str, notices)) if isinstance(notices, list) else ""),
        ]
    )


def _tokens(found: JsonObject) -> str:
    names = ("input_tokens", "cached_tokens", "output_tokens", "saved_tokens")
    fresh, cached, output, saved = (count(number(found, name)) for name in names)
    return f"{fresh} in, {cached} cached, {output} out, {saved} saved"


def start(
    server: Server = None,
    tray: Tray = False,
    demo: Demo = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on, for this run.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, for this run.")] = None,
    log_level: Annotated[str | None, typer.Option(help="DEBUG, INFO, WARNING, ERROR or CRITICAL.")] = None,
    foreground: Foreground = False,
    watch: Watch = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Start the proxy in the background. Waits until it answers, and says where."""
    desk = Desk.open(home, as_json)
    flags = {"--host": host, "--port": port, "--log-level": log_level}
    running = _running(desk)
    if running is not None:
        asked = {"--tray": tray, "--demo": demo, "--foreground": foreground, "--watch": watch}
        _already_runs(desk, running, server, flags | {flag: True for flag, given in asked.items() if given})
        return
    arguments = _arguments(flags | {"--server": _chosen(desk, server)}, tray=tray, demo=demo)
    if foreground or watch:
        raise typer.Exit(_run_here(desk, arguments, watch=watch))
    _report_start(desk, start_in_background(desk.home, arguments), "Started")


def _chosen(desk: Desk, server: str | None) -> str | None:
    """Remember the server as `switch` does; the flag that is needed all the same, where something else decides."""
    if server is None or server == DEMO_SERVER:
        return server
    name, fixed = switch_in_files(desk.loaded(), server)
    return name if fixed else None


def _running(desk: Desk) -> ControlClient | None:
    """Who runs; one that is just ending is waited for."""
    found = desk.find()
    if found is None and is_held(desk.home) and not wait_for_end(desk.home, _ENDING_S):
        found = desk.find()
        if found is None:
            raise CommandError(
                f"Another instance holds {desk.home}, but does not answer.",
                "It may be ending still: try again, or end its process.",
            )
    return found


def _arguments(flags: Mapping[str, object], *, tray: bool, demo: bool) -> list[str]:
    given = [part for flag, value in flags.items() if value is not None for part in (flag, str(value))]
    return ([] if tray else ["--headless"]) + (["--demo"] if demo else []) + given


def _already_runs(desk: Desk, client: ControlClient, server: str | None, flags: Mapping[str, object]) -> None:
    found = before = client.status()
    if server is not None and server != before.get("server"):
        found = client.switch(server)
    unused = [flag if given is True else f"{flag} {given}" for flag, given in _unmet(found, flags).items()]
    switched = text(found, "server") != text(before, "server")
    desk.tell(
        {"running": True, "started": False, "unused": unused} | found,
        f"It runs already at http://{text(found, 'address')} (server {text(found, 'server')}).",
        *(["Requests now go to that server; streams that run finish where they began."] if switched else []),
    )
    if unused:
        desk.warn(f"Not used, as it runs already: {', '.join(unused)}. For that: proxy-cli stop, then start again.")


def _unmet(found: JsonObject, flags: Mapping[str, object]) -> dict[str, object]:
    """The flags that ask for something else than what runs. A level cannot be seen from here: it always counts."""
    host, _, port = text(found, "address").rpartition(":")
    met = {"--tray": text(found, "kind") == "tray", "--demo": found.get("demo"), "--host": host, "--port": port}
    return {flag: value for flag, value in flags.items() if value is not None and str(met.get(flag, "")) != str(value)}


def _report_start(desk: Desk, client: ControlClient, word: str) -> None:
    found = client.status()
    url = f"http://{text(found, 'address')}"
    desk.tell(
        {"running": True, "started": True} | found,
        f"{word}: {url} (server {text(found, 'server')}, {text(found, 'kind')}, process {text(found, 'pid')})",
        f"Base URL for OpenAI clients: {url}/v1",
        f"Base URL for Anthropic clients: {url}",
    )
    notices = found.get("notices")
    for notice in notices if isinstance(notices, list) and not desk.as_json else []:
        desk.warn(str(notice))


def _run_here(desk: Desk, arguments: list[str], *, watch: bool) -> int:
    command = [*program_command(), "--home", str(desk.home), *arguments]
    if watch:
        return run_watching(command, desk.out, source_folders())
    sys.stdout.flush()
    if sys.platform == "win32":
        return subprocess.call(command)
    return os.execv(command[0], command)  # signals then reach the program itself


def stop(now: Now = False, as_json: AsJson = False, home: Home = None) -> None:
    """Stop the proxy; running streams may end within their grace."""
    desk = Desk.open(home, as_json)
    client = desk.find()
    if client is None:
        wait_for_end(desk.home, _ENDING_S)
        desk.tell({"stopped": False, "running": False}, "The proxy is not running.")
        return
    found = _stop(desk, client, now=now)
    desk.tell({"stopped": True, "running": False, "pid": found.get("pid")}, "Stopped.")


def _stop(desk: Desk, client: ControlClient, *, now: bool) -> JsonObject:
    """Its last status. Raises CommandError if it does not end."""
    found = client.status()
    waiting = int(number(found, "in_flight"))
    if waiting and not now and not desk.as_json:
        desk.print(f"Waiting up to {duration(number(found, 'shutdown_grace'))} for {waiting} running request(s).")
    client.stop(now=now)
    if not wait_for_end(desk.home, number(found, "shutdown_grace") + _ENDING_S):
        raise CommandError(f"Process {text(found, 'pid')} does not end.", "Try: proxy-cli stop --now")
    return found


def restart(now: Now = False, as_json: AsJson = False, home: Home = None) -> None:
    """Stop the proxy and start it as before. Where none runs, just start it."""
    desk = Desk.open(home, as_json)
    client = desk.find()
    arguments = ["--headless"]
    if client is not None:
        found = _stop(desk, client, now=now)
        flags = found.get("flags")
        given = dict(flags) if isinstance(flags, dict) else {}
        arguments = _arguments(given, tray=found.get("kind") == "tray", demo=bool(found.get("demo")))
    _report_start(desk, start_in_background(desk.home, arguments), "Restarted" if client else "Started")


def switch(
    server: Annotated[str, typer.Argument(help="The server's name.", autocompletion=complete_server)],
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Choose another server. It holds from the next request on, and is remembered."""
    desk = Desk.open(home, as_json)
    client = desk.find()
    if client is None:
        name, fixed = switch_in_files(desk.loaded(), server)
        said = f"Requests will go to {name} from the next start on."
    else:
        found = client.switch(server)
        name, fixed = text(found, "server"), text(found, "fixed_by")
        only = " for this run" if name == DEMO_SERVER else ""
        said = f"Requests now go to {name}{only}; streams that run finish where they began."
    desk.tell({"server": name, "running": client is not None, "fixed_by": fixed}, said)
    if fixed:
        desk.warn(f"{fixed} decides at the next start.")
        raise typer.Exit(EXIT_FAILED if client is None else 0)


def show(as_json: AsJson = False, home: Home = None) -> None:
    """Raise the window of the running tray program."""
    desk = Desk.open(home, as_json)
    client = desk.need()
    if text(client.status(), "kind") == "headless":
        raise CommandError("What runs has no window: it is headless.", "proxy-cli stop, then proxy-cli start --tray")
    client.show()
    desk.tell({"shown": True}, "The window is shown.")
