"""doctor: what is wrong around the proxy, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from app.cli.desk import AsJson, Desk, Home
from app.cli.exits import EXIT_FAILED
from app.cli.tables import colored, table
from app.doctor.examine import Line, examine
from app.doctor.ground import Grade, survey


def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Do what is safe to do about it, then look again.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Look for what may be wrong: pass, warn or fail, each with its remedy. Nothing secret stands in the report."""
    desk = Desk.open(home, as_json)
    lines = examine(survey(desk.home, online=not offline))
    done = _fix(lines) if fix else []
    if done:
        lines = examine(survey(desk.home, online=not offline))
    counts = {grade.value: sum(line.finding.grade is grade for line in lines) for grade in Grade}
    facts = {"probes": [_facts(line) for line in lines], "counts": counts, "fixed": done}
    summary = f"{counts['pass']} pass, {counts['warn']} warn, {counts['fail']} fail, {counts['skip']} skipped."
    desk.tell(facts, *done, lambda: _table(lines), "\n" + summary)
    raise typer.Exit(EXIT_FAILED if counts["fail"] else 0)


def _fix(lines: Sequence[Line]) -> list[str]:
    """What was done, a sentence each."""
    done = []
    for line in lines:
        if line.finding.fix is None:
            continue
        try:
            done.append(line.finding.fix())
        except OSError as error:
            done.append(f"{line.probe} could not be fixed: {error}.")
    return done


def _facts(line: Line) -> dict[str, object]:
    found = line.finding
    said = {"probe": line.probe, "grade": found.grade.value, "said": found.said, "remedy": found.remedy}
    return {**said, "fixable": found.fix is not None}


def _table(lines: Sequence[Line]) -> Table:
    rows = []
    for line in lines:
        remedy = f" → {line.finding.remedy}" if line.finding.remedy else ""
        fixable = " (--fix does it)" if line.finding.fix is not None else ""
        rows.append((colored(line.finding.grade.value), line.probe, line.finding.said + remedy + fixable))
    return table(("", "Probe", "Finding~"), rows)
