"""servers: list with latency and health, add, edit, remove, test."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from app.cli import offline_keys
from app.cli.choices import complete_server
from app.cli.desk import AsJson, Desk, Home, inner, number, objects, plain, text
from app.cli.exits import EXIT_FAILED, EXIT_USAGE, CommandError
from app.cli.tables import table
from app.cli.words import milliseconds
from app.control.facts import reaches, server_object
from app.errors import remedy
from app.settings.book import ServerBook, UnknownServerError
from app.settings.problems import SettingsRefusedError
from proxy_core.jsontypes import JsonObject
from proxy_core.settings import Server

servers = typer.Typer(help="The servers that requests can go to: list, add, edit, remove, test.")

Name = Annotated[str, typer.Argument(help="The server's name.", autocompletion=complete_server)]
Endpoint = Annotated[str | None, typer.Option(help="Its address, such as https://api.z.ai.")]
Plan = Annotated[str | None, typer.Option(help="coding (the coding plan) or payg (pay as you go).")]
Region = Annotated[str | None, typer.Option(help="A word for people.")]
AnthropicBase = Annotated[str | None, typer.Option(help="Anthropic-style address, if it does not follow.")]
OpenAIBase = Annotated[str | None, typer.Option("--openai-base", help="OpenAI-style address, if it does not follow.")]


@servers.callback(invoke_without_command=True)
def _servers(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="Do not knock at the servers.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """List the servers with latency and health. Nothing is sent to them, and no key is shown to them."""
    if context.invoked_subcommand is None:
        _list(Desk.open(home, as_json), quick)


@servers.command("list")
def list_command(
    quick: Annotated[bool, typer.Option("--quick", help="Do not knock at the servers.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """List the servers with latency and health."""
    _list(Desk.open(home, as_json), quick)


def _list(desk: Desk, quick: bool) -> None:
    found = list_servers(desk, reach=not quick)
    desk.tell(found, lambda: _table(objects(found, "servers")))


def list_servers(desk: Desk, *, reach: bool) -> JsonObject:
    """The servers as the running instance has them, or as the files say."""
    client = desk.find()
    if client is not None:
        return client.servers(reach=reach)
    loaded = desk.loaded()
    sources, problem = offline_keys.run_sources(loaded, [server.name for server in loaded.servers])
    current = loaded.settings.current_server
    rows = [server_object(server, current=current, key=sources[server.name]) for server in loaded.servers]
    if reach:
        for row, distance in zip(rows, asyncio.run(reaches(loaded.servers)), strict=True):
            row["reach"] = distance
    return plain({"servers": rows, "key_problem": problem})


def _table(rows: list[JsonObject]) -> Table:
    heads = ("", "Server", "Latency>", "Health", "Key", "Plan", "Address~")
    return table(heads, (_row(row) for row in rows))


def _row(row: JsonObject) -> tuple[str | Text, ...]:
    distance = inner(row, "reach")
    latency = milliseconds(number(distance, "latency_ms")) if distance.get("ok") else "–"
    address = text(row, "endpoint") or text(row, "openai_base")
    mark = "*" if row.get("current") else ""
    return (mark, text(row, "name"), latency, _health(row, distance), text(row, "key"), text(row, "plan"), address)


def _health(row: JsonObject, distance: JsonObject) -> Text:
    if distance and not distance.get("ok"):
        return Text("unreachable", style="red")
    breaker = text(row, "breaker")
    if breaker in ("open", "half_open"):
        return Text("failing" if breaker == "open" else "recovering", style="red" if breaker == "open" else "yellow")
    return Text("ok", style="green") if distance else Text("–")


@servers.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A new name.")],
    endpoint: Annotated[str, typer.Argument(help="Its address, such as https://api.z.ai.")],
    plan: Plan = None,
    region: Region = None,
    anthropic_base: AnthropicBase = None,
    openai_base: OpenAIBase = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Add a server. Its key is kept with: proxy-cli keys set NAME"""
    desk = Desk.open(home, as_json)
    if name in [row["name"] for row in objects(list_servers(desk, reach=False), "servers")]:
        raise CommandError(
            f"There is a server {name} already.", f"Change it: proxy-cli servers edit {name}", EXIT_USAGE
        )
    values = _given(endpoint, plan, region, anthropic_base, openai_base)
    desk.tell(_put(desk, name, values), f"{name} is added. Its key: proxy-cli keys set {name}")


@servers.command("edit")
def edit(
    name: Name,
    endpoint: Endpoint = None,
    plan: Plan = None,
    region: Region = None,
    anthropic_base: AnthropicBase = None,
    openai_base: OpenAIBase = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Change a server; what is not given stays."""
    desk = Desk.open(home, as_json)
    values = _given(endpoint, plan, region, anthropic_base, openai_base)
    if not values:
        raise CommandError("Say what to change.", "See: proxy-cli servers edit --help", EXIT_USAGE)
    if name not in [row["name"] for row in objects(list_servers(desk, reach=False), "servers")]:
        raise CommandError(f"There is no server {name!r}.", f"Add it: proxy-cli servers add {name} URL", EXIT_USAGE)
    desk.tell(_put(desk, name, values), f"{name} is changed.")


def _given(
    endpoint: str | None, plan: str | None, region: str | None, anthropic_base: str | None, openai_base: str | None
) -> dict[str, object]:
    values = {"endpoint": endpoint, "plan": plan, "region": region}
    values |= {"anthropic_base": anthropic_base, "openai_base": openai_base}
    return {key: value for key, value in values.items() if value is not None}


def _put(desk: Desk, name: str, values: dict[str, object]) -> JsonObject:
    client = desk.find()
    if client is not None:
        return client.put_server(name, values)
    book = _book(desk)
    known = name in book.names()
    try:
        before: JsonObject = book.get(name).model_dump() if known else {"name": name}
        book.put(Server.model_validate(before | values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise CommandError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", exit_code=EXIT_USAGE) from error
    except SettingsRefusedError as error:
        raise CommandError(str(error), exit_code=EXIT_USAGE) from error
    except OSError as error:
        raise CommandError(f"servers.yaml cannot be written: {error.strerror}.", remedy(error)) from error
    return {"name": name, "added": not known}


def _book(desk: Desk) -> ServerBook:
    loaded = desk.loaded()
    return ServerBook(loaded.home, loaded.servers)


@servers.command("remove")
def remove(name: Name, as_json: AsJson = False, home: Home = None) -> None:
    """Forget a server that is not in use; its key stays in the keyring until it is deleted."""
    desk = Desk.open(home, as_json)
    client = desk.find()
    if client is not None:
        client.remove_server(name)
    else:
        _remove_in_files(desk, name)
    desk.tell({"removed": name}, f"{name} is removed.")


def _remove_in_files(desk: Desk, name: str) -> None:
    book, settings = _book(desk), desk.loaded().settings
    try:
        if book.get(name).name in (settings.current_server, settings.failover_server):
            raise CommandError(f"{name} is in use.", "Switch to another first: proxy-cli switch NAME", EXIT_USAGE)
        book.remove(name)
    except (UnknownServerError, SettingsRefusedError) as error:
        raise CommandError(str(error), exit_code=EXIT_USAGE) from error


@servers.command("test")
def test(name: Name, as_json: AsJson = False, home: Home = None) -> None:
    """Ask a server whether it takes its key: one tiny request."""
    desk = Desk.open(home, as_json)
    client = desk.find()
    if client is not None:
        found = client.test_key(name)
    else:
        found = plain(asyncio.run(offline_keys.try_stored(desk.loaded(), name, "")))
    desk.tell(found, f"{text(found, 'message')} ({milliseconds(number(found, 'latency_ms'))})")
    raise typer.Exit(0 if found.get("ok") else EXIT_FAILED)
