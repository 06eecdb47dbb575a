"""config: show, get and set settings, checked by their declarations."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.table import Table

from app.cli.choices import complete_setting, complete_setting_or_value
from app.cli.desk import AsJson, Desk, Home, inner, objects, plain, text
from app.cli.exits import EXIT_FAILED, EXIT_USAGE, CommandError
from app.cli.offline import change_files
from app.cli.tables import table
from app.control.client import ControlClient
from app.control.facts import setting_object
from app.settings.describe import describe_settings
from app.settings.problems import unknown_key
from app.settings.schema import Settings
from app.settings.store import SettingsStore
from proxy_core.jsontypes import JsonObject
from proxy_core.redact import redact_text


def config(
    list_all: Annotated[bool, typer.Option("--list", "-l", help="Show every setting.")] = False,
    get: Annotated[
        str | None, typer.Option("--get", metavar="KEY", help="Print one value.", autocompletion=complete_setting)
    ] = None,
    change: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--set",
            metavar="KEY VALUE",
            help="Change a setting; further KEY VALUE pairs may follow.",
            autocompletion=complete_setting_or_value,
        ),
    ] = None,
    further: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY VALUE]...", autocompletion=complete_setting_or_value)
    ] = None,
    unset: Annotated[
        list[str] | None,
        typer.Option("--unset", metavar="KEY", help="Back to the default.", autocompletion=complete_setting),
    ] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Show settings, or change them. At once where the proxy runs, else from its next start on."""
    desk = Desk.open(home, as_json)
    wanted = _pairs(change, further or [])
    for key in [*([get] if get else []), *wanted, *(unset or [])]:
        _check_key(key)
    defaults = {row.field: row.default for row in describe_settings()}
    wanted |= {key: defaults[key] for key in unset or []}
    if wanted:
        _change(desk, wanted)
    elif get:
        _get(desk, get)
    else:
        _list(desk, list_all)


def _pairs(first: tuple[str, str] | None, further: list[str]) -> dict[str, object]:
    """What --set and the words after it say. Raises CommandError."""
    words = [*(first or ()), *further]
    if (further and first is None) or len(words) % 2:
        raise CommandError("Pairs of KEY and VALUE come after --set.", "Such as: --set log_level DEBUG", EXIT_USAGE)
    return dict(zip(words[::2], words[1::2], strict=True))


def _check_key(key: str) -> None:
    if key not in Settings.model_fields:
        problem = unknown_key("settings", key, Settings.model_fields)
        raise CommandError(str(problem), "See: proxy-cli config --list", EXIT_USAGE)


def read_settings(desk: Desk, client: ControlClient | None) -> list[JsonObject]:
    """Every setting as it holds in the running instance, or would at the next start."""
    if client is not None:
        return objects(client.settings(), "settings")
    loaded = desk.loaded()
    for problem in loaded.problems:
        desk.warn(str(problem))
    store = SettingsStore(loaded)
    return objects(plain({"settings": [setting_object(row, store) for row in describe_settings()]}), "settings")


def _get(desk: Desk, key: str) -> None:
    found = next(row for row in read_settings(desk, desk.find()) if row["field"] == key)
    desk.tell(found, text(found, "text"))


def _list(desk: Desk, list_all: bool) -> None:
    client = desk.find()
    found = read_settings(desk, client)
    shown = [row for row in found if list_all or text(row, "origin") != "default" or row["text"] != row["default"]]
    facts = {"home": str(desk.home), "running": client is not None, "settings": found if list_all else shown}
    rest = len(found) - len(shown)
    note = f"{rest} more at their defaults; all of them: proxy-cli config --list" if rest else ""
    desk.tell(facts, lambda: _table(shown, desk), f"\n{note}\nData folder: {desk.home}".replace("\n\n", "\n"))


def _table(rows: list[JsonObject], desk: Desk) -> Table | str:
    if not rows:
        return "Every setting is at its default."
    heads = ("Setting", "Value~", "From~")
    prefix = f"{desk.home}{os.sep}"
    # Masked: such a table is shown around, and the address of a proxy may hold a password.
    cells = ((text(row, "field"), redact_text(text(row, "text")) or "(empty)", text(row, "origin")) for row in rows)
    return table(heads, ((field, value, origin.replace(prefix, "")) for field, value, origin in cells))


def _change(desk: Desk, wanted: dict[str, object]) -> None:
    client = desk.find()
    if client is None:
        unsaved = change_files(desk.loaded(), wanted)
        facts: JsonObject = {"applied": [], "written": sorted(wanted.keys() - unsaved.keys()), "unsaved": unsaved}
        said = [
            f"{key} = {value}: holds from the next start on." for key, value in wanted.items() if key not in unsaved
        ]
    else:
        facts = client.change(wanted)
        unsaved = {key: str(value) for key, value in inner(facts, "unsaved").items()}
        said = [_applied(facts, key, value) for key, value in wanted.items()]
    desk.tell(facts | {"running": client is not None}, *said)
    for key, origin in unsaved.items():
        desk.warn(f"{key}: {origin} decides at the next start, so it was not written to config.yaml.")
    if unsaved and client is None:
        raise typer.Exit(EXIT_FAILED)


def _applied(facts: JsonObject, key: str, value: object) -> str:
    live = next(row.live for row in describe_settings() if row.field == key)
    if live:
        return f"{key} = {value}: applied at once, no restart needed."
    if facts.get("rebound"):
        return f"{key} = {value}: applied without a restart, the proxy now listens at http://{text(facts, 'address')}."
    return f"{key} = {value}: accepted; what listens already goes on, so restart with: proxy-cli restart"
