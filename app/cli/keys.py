"""keys: set, test, delete, examine, import. A key is typed at a prompt or piped in, never an argument."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from app.cli import offline_keys
from app.cli.choices import complete_server
from app.cli.desk import AsJson, Desk, Home, number, objects, plain, text
from app.cli.exits import EXIT_FAILED, CommandError
from app.cli.servers import list_servers
from app.cli.tables import table
from app.cli.words import milliseconds
from app.settings.load import DEMO_SERVER
from proxy_core.jsontypes import JsonObject

keys = typer.Typer(help="Keep a server's key in the system keyring, test it, forget it.", no_args_is_help=False)

Name = Annotated[str, typer.Argument(metavar="SERVER", help="The server.", autocompletion=complete_server)]


@keys.callback(invoke_without_command=True)
def _keys(context: typer.Context, as_json: AsJson = False, home: Home = None) -> None:
    """Keep a server's key in the system keyring, test it, forget it. Alone: say which server has one."""
    if context.invoked_subcommand is not None:
        return
    desk = Desk.open(home, as_json)
    found = list_servers(desk, reach=False)
    rows = [{"server": row["name"], "key": row["key"]} for row in objects(found, "servers")]
    desk.tell(
        {"keys": rows, "problem": found.get("key_problem", "")},
        lambda: table(
            ("Server", "Key"), ((text(row, "server"), _where(text(row, "key"), text(row, "server"))) for row in rows)
        ),
    )
    if problem := text(found, "key_problem"):
        desk.warn(problem)


def _where(source: str, server: str) -> str:
    if server == DEMO_SERVER:
        return "needs none: it is built in"
    words = {
        "stored": "in the keyring",
        "given": "from the environment or a file, for this run",
        "held": "in memory, for this run",
        "found": "in clear in a file: proxy-cli keys import",
    }
    return words.get(source, f"none: proxy-cli keys set {server}")


@keys.command("set")
def set_key(
    server: Name,
    test: Annotated[bool, typer.Option("--test", help="Ask the server about it first.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Ask for a server's key and keep it in the keyring; it is used from the next request on."""
    desk = Desk.open(home, as_json)
    client = desk.find()
    if client is None:
        offline_keys.server_of(desk.loaded(), server)
    key = _read_key(server)
    if test:
        _require_ok(desk, _test(desk, server, key))
    if client is None:
        asyncio.run(offline_keys.put_key(desk.loaded(), server, key))
        found: JsonObject = {"server": server, "key": "stored", "problem": ""}
    else:
        found = client.put_key(server, key)
    if text(found, "key") == "held":
        desk.warn(text(found, "problem"))
    stored = text(found, "key") in ("stored", "given")
    desk.tell(found, "The key is kept in the keyring." if stored else "The key is held for this run only.")


def _read_key(server: str) -> str:
    """Typed without being shown, or the first line of what is piped in. Raises CommandError."""
    if sys.stdin.isatty():
        key = str(typer.prompt(f"Key for {server}", hide_input=True, err=True))
    else:
        key = sys.stdin.readline()
    if not key.strip():
        raise CommandError("No key was given.", "Type it at the prompt, or pipe it in.")
    return key.strip()


@keys.command("test")
def test_key(
    server: Name,
    prompt: Annotated[bool, typer.Option("--prompt", help="Ask for a key instead of using the stored one.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Ask a server whether it takes its key: one tiny request."""
    desk = Desk.open(home, as_json)
    found = _test(desk, server, _read_key(server) if prompt else "")
    tell_trial(desk, found)


def tell_trial(desk: Desk, found: JsonObject) -> None:
    """What the server said of a key, and how long that took where it was asked. Raises typer.Exit."""
    latency = number(found, "latency_ms")
    desk.tell(found, text(found, "message") + (f" ({milliseconds(latency)})" if latency else ""))
    raise typer.Exit(0 if found.get("ok") else EXIT_FAILED)


def _test(desk: Desk, server: str, key: str) -> JsonObject:
    client = desk.find()
    if client is not None:
        return client.test_key(server, key)
    return plain(asyncio.run(offline_keys.try_stored(desk.loaded(), server, key)))


def _require_ok(desk: Desk, trial: JsonObject) -> None:
    if not trial.get("ok"):
        raise CommandError(text(trial, "message"), "It was not kept.")
    if not desk.as_json:
        desk.print(text(trial, "message"))


@keys.command("delete")
def delete_key(server: Name, as_json: AsJson = False, home: Home = None) -> None:
    """Forget a server's key."""
    desk = Desk.open(home, as_json)
    client = desk.find()
    if client is None:
        asyncio.run(offline_keys.delete_key(desk.loaded(), server))
        found: JsonObject = {"server": server, "key": "none", "problem": ""}
    else:
        found = client.delete_key(server)
    left = text(found, "key")
    desk.tell(
        found, "The key is forgotten." if left == "none" else f"Forgotten; a key is still {_where(left, server)}."
    )


@keys.command("examine")
def examine_key(
    server: Annotated[str, typer.Argument(help="Whose key.", autocompletion=complete_server)] = "international",
    prompt: Annotated[bool, typer.Option("--prompt", help="Ask for a key instead of using the stored one.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Find out which region and plan a key is for: six tiny requests to the vendor."""
    desk = Desk.open(home, as_json)
    key = _read_key(server) if prompt else ""
    client = desk.find()
    if client is not None:
        found = client.examine_key(server, key)
    else:
        seen = asyncio.run(offline_keys.examine(desk.loaded(), server, key))
        if seen is None:
            raise CommandError("There is no key, or the server is not the vendor's own: its key must not travel.")
        rows = [{"server": row.server.name, "plan": row.plan, "finding": row.finding.value} for row in seen.rows]
        found = plain({"verdict": seen.verdict.kind.value, "words": seen.verdict.words, "rows": rows})
    desk.tell(found, text(found, "words"))


@keys.command("import")
def import_keys(as_json: AsJson = False, home: Home = None) -> None:
    """Move keys that stand in clear in files into the keyring, and blank them there."""
    desk = Desk.open(home, as_json)
    client = desk.find()
    if client is not None:
        found = client.import_keys()
    else:
        report = asyncio.run(offline_keys.import_found(desk.loaded()))
        found = plain({"imported": report.imported, "left": len(report.left), "reasons": report.reasons})
    names = found.get("imported")
    moved = ", ".join(map(str, names)) if isinstance(names, list) else ""
    desk.tell(found, f"Moved into the keyring: {moved}." if moved else "No key was moved.")
    reasons = found.get("reasons")
    for reason in reasons if isinstance(reasons, list) else []:
        desk.warn(str(reason))
    raise typer.Exit(EXIT_FAILED if reasons else 0)
