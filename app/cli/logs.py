"""logs: the newest lines of the program's logs, by level and request, and what comes after."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from app.cli.desk import AsJson, Desk, Home
from app.cli.log_lines import STREAMS, Tail, Wanted, last_lines
from app.cli.words import moment
from app.paths import LOGS_FOLDER
from proxy_core.jsontypes import JsonObject

_PERIOD_S = 0.3
_STYLES = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red", "DEBUG": "dim"}
_HEAD = ("timestamp", "level", "logger", "event", "exception")


class Level(StrEnum):
    """The least that is shown."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class Stream(StrEnum):
    """Which log."""

    ALL = "all"
    APPLICATION = "application"
    ACCESS = "access"
    UPSTREAM = "upstream"


def logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")] = False,
    level: Annotated[Level, typer.Option(case_sensitive=False, help="The least that is shown.")] = Level.DEBUG,
    request: Annotated[str, typer.Option(metavar="ID", help="Only what belongs to this request.")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many lines at most.")] = 50,
    stream: Annotated[Stream, typer.Option(help="Which log.")] = Stream.ALL,
    seconds: Annotated[float, typer.Option(help="With --follow: end after so many seconds; 0 never.", min=0)] = 0,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Show the newest lines of the logs. --json prints each line as the JSON object that it is in its file."""
    desk = Desk.open(home, as_json)
    folder = desk.home / LOGS_FOLDER
    streams = STREAMS if stream is Stream.ALL else (stream.value,)
    wanted = Wanted(logging.getLevelNamesMapping()[level.value], request)
    tails = [Tail(folder / f"{name}.jsonl") for name in streams]
    shown = last_lines(folder, streams, wanted, lines)
    for line in shown:
        _show(desk, line)
    if not shown and not follow and not as_json:
        desk.print(f"There is nothing of this kind in {folder}.")
    if follow:
        _follow(desk, tails, wanted, time.monotonic() + seconds if seconds else None)


def _follow(desk: Desk, tails: list[Tail], wanted: Wanted, until: float | None) -> None:
    try:
        while until is None or time.monotonic() < until:
            fresh = [line for tail in tails for line in tail.fresh() if wanted.admits(line)]
            for line in sorted(fresh, key=lambda line: str(line.get("timestamp", ""))):
                _show(desk, line)
            sys.stdout.flush()
            time.sleep(_PERIOD_S)
    except KeyboardInterrupt:
        return


def _show(desk: Desk, line: JsonObject) -> None:
    if desk.as_json:
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        return
    level = str(line.get("level", "info")).upper()
    text = Text()
    text.append(f"{_time(line)} ")
    text.append(f"{level:<8} ", style=_STYLES.get(level, ""))
    text.append(_printable(str(line.get("event", ""))))
    rest = {key: value for key, value in line.items() if key not in _HEAD and value not in (None, "")}
    for key, value in rest.items():
        text.append(f" {key}={_printable(str(value))}", style="dim")
    if line.get("exception"):
        text.append("\n" + "\n".join(_printable(row) for row in str(line["exception"]).splitlines()))
    desk.out.print(text, soft_wrap=True)


def _time(line: JsonObject) -> str:
    stamp = str(line.get("timestamp", ""))
    try:
        return moment(datetime.fromisoformat(stamp).timestamp())
    except ValueError:
        return stamp


def _printable(text: str) -> str:
    """What clients and servers chose may stand in a log: no control character reaches this terminal."""
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    )
