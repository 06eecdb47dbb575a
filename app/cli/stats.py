"""stats: sums, curves and groups of the history, live figures, and export."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from app.cli.desk import AsJson, Desk, Home, inner, number, objects, plain, text
from app.cli.exits import CommandError
from app.cli.exporting import as_csv, export_rows
from app.cli.realtime import watch
from app.cli.tables import pairs, table
from app.cli.words import clipped, count, duration, moment, money, percent, sparkline
from app.control.facts import LONGEST_HOURS, history_stats
from app.history.reading import History
from app.history.schema import FILE, HistoryTooNewError
from app.paths import STATS_FOLDER
from proxy_core.jsontypes import JsonObject

stats = typer.Typer(help="Usage: requests, tokens, costs and times, by model, server, client or day.")


class Grouping(StrEnum):
    """What --by takes."""

    NONE = "none"
    MODEL = "model"
    SERVER = "server"
    CLIENT = "client"
    DAY = "day"


class Format(StrEnum):
    """What can be exported."""

    CSV = "csv"
    JSON = "json"


Hours = Annotated[float, typer.Option(min=0.01, max=LONGEST_HOURS, help="How far back, in hours.")]


@stats.callback(invoke_without_command=True)
def _stats(
    context: typer.Context,
    hours: Hours = 24,
    by: Annotated[Grouping, typer.Option(help="One line for each of these.")] = Grouping.NONE,
    realtime: Annotated[bool, typer.Option("--realtime", "-r", help="Live figures until interrupted.")] = False,
    seconds: Annotated[int, typer.Option(help="With --realtime: end after so many seconds; 0 never.")] = 0,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Show the usage of the last 24 hours, or of --hours; costs are list prices at the time of each request."""
    if context.invoked_subcommand is not None:
        return
    desk = Desk.open(home, as_json)
    if realtime:
        watch(desk, seconds)
        return
    show_stats(desk, read_stats(desk, hours, by), by)


def show_stats(desk: Desk, found: JsonObject, by: Grouping) -> None:
    """What read_stats found."""
    groups = objects(found, "groups")
    desk.tell(found, lambda: _summary(found))
    if groups and not desk.as_json:
        desk.print("")
        desk.print(_groups(groups, by))


def read_stats(desk: Desk, hours: float, by: Grouping) -> JsonObject:
    """From the running instance, or from the history alone. Raises CommandError."""
    client = desk.find()
    if client is not None:
        return client.stats(hours, by.value)
    history = History(desk.home / STATS_FOLDER / FILE)
    try:
        return plain(history_stats(history, hours, by.value, time.time()))
    except (sqlite3.Error, HistoryTooNewError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> CommandError:
    return CommandError(f"The history cannot be read: {error}.", "See: proxy-cli doctor")


def _summary(found: JsonObject) -> Table:
    total = inner(found, "total")
    requests = number(total, "requests")
    if not requests:
        return _nothing(found)
    prompt, cached = number(total, "input_tokens"), number(total, "cached_tokens")
    failures = number(total, "failures")
    steps = found.get("steps")
    curves = [step for step in steps if isinstance(step, list)] if isinstance(steps, list) else []
    return pairs(
        [
            ("Since", f"{moment(number(found, 'since'))} ({number(found, 'hours'):g} hours)"),
            ("Requests", count(requests)),
            ("Success", percent(requests - failures - number(total, "cancelled"), requests)),
            ("Failed", f"{count(failures)}, cancelled {text(total, 'cancelled') or 0}"),
            ("Tokens in", f"{count(prompt)}, of these cached {count(cached)} ({percent(cached, prompt)})"),
            ("Tokens out", f"{count(number(total, 'output_tokens'))}, thinking {_of(total, 'thinking_tokens')}"),
            ("Saved", f"{_of(total, 'saved_tokens')} tokens by edits of prompts"),
            ("Cost", costs(total)),
            ("First token", duration(_seconds(total, "mean_first_token_s")) + " on average"),
            ("Whole answer", _times(total)),
            ("Requests curve", sparkline([float(step[0]) for step in curves])),
            ("Tokens curve", sparkline([float(step[1]) for step in curves])),
        ]
    )


def _nothing(found: JsonObject) -> Table:
    live = number(inner(found, "live"), "requests")
    since = f"{moment(number(found, 'since'))} ({number(found, 'hours'):g} hours)"
    run = f"{count(live)} requests since its start" if live else ""
    return pairs([("Since", since), ("Requests", "none in the history"), ("This run", run)])


def _of(body: JsonObject, name: str) -> str:
    return count(number(body, name))


def _seconds(body: JsonObject, name: str) -> float | None:
    value = body.get(name)
    return float(value) if isinstance(value, int | float) else None


def _times(total: JsonObject) -> str:
    mean, longest = _seconds(total, "mean_duration_s"), _seconds(total, "longest_s")
    return f"{duration(mean)} on average, the longest {duration(longest)}"


def costs(body: JsonObject) -> str:
    """Both currencies, as far as there is something."""
    found = {"USD": body.get("cost_usd"), "CNY": body.get("cost_cny")}
    return " + ".join(money(amount, currency) for currency, amount in found.items() if amount is not None) or "–"


def _groups(groups: list[JsonObject], by: Grouping) -> Table:
    heads = (by.value.capitalize(), "Requests>", "Failed>", "In>", "Cached>", "Out>", "Cost>", "1st token>")
    return table(heads, (_group(group) for group in groups))


def _group(group: JsonObject) -> tuple[str, ...]:
    prompt = number(group, "input_tokens")
    return (
        clipped(text(group, "key") or "(none)", 24),
        _of(group, "requests"),
        _of(group, "failures"),
        count(prompt),
        percent(number(group, "cached_tokens"), prompt),
        _of(group, "output_tokens"),
        costs(group),
        duration(_seconds(group, "mean_first_token_s")),
    )


@stats.command("export")
def export(
    form: Annotated[Format, typer.Argument(help="csv or json.")],
    hours: Hours = LONGEST_HOURS,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file instead of standard output.")] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Write every request of the history, one row each: figures and names, never what was said."""
    desk = Desk.open(home, as_json)
    history = History(desk.home / STATS_FOLDER / FILE)
    try:
        rows = list(export_rows(history, time.time() - hours * 3600))
    except (sqlite3.Error, HistoryTooNewError) as error:
        raise _unreadable(error) from error
    written = as_csv(rows) if form is Format.CSV else json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(written)
        return
    output.write_text(written, "utf-8")
    desk.tell({"rows": len(rows), "file": str(output)}, f"{count(len(rows))} rows written to {output}")
