"""What every command works with: the data folder, the running instance if there is one, and where answers go."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import orjson
import typer
from rich.console import Console, RenderableType

from app.cli.exits import EXIT_USAGE, CommandError, not_running
from app.cli.words import harmless
from app.control.client import ControlClient, find_instance
from app.settings.load import Loaded, find_home, load
from proxy_core.jsontypes import JsonObject

_PIPED_WIDTH = 160

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Home: TypeAlias = Annotated[
    str | None, typer.Option("--home", help="Data folder; default ~/.anthropic-proxy or ANTHROPIC_PROXY_HOME.")
]


def make_console(*, to_stderr: bool = False) -> Console:
    """Colours on a terminal only; a pipe gets wide lines, so that nothing is cut."""
    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False, soft_wrap=False)


@dataclass(frozen=True, slots=True)
class Desk:
    """One command's surroundings. as_json: facts go out as one JSON object and nothing else does."""

    home: Path
    as_json: bool
    out: Console

    @classmethod
    def open(cls, home: str | None, as_json: bool = False) -> Desk:
        """As the options say."""
        return cls(find_home(home, Path.cwd()).absolute(), as_json, make_console())

    def find(self) -> ControlClient | None:
        """The instance that owns the data folder; None if none does (left-over files do not count)."""
        return find_instance(self.home)

    def need(self) -> ControlClient:
        """The instance. Raises CommandError if there is none."""
        found = self.find()
        if found is None:
            raise not_running()
        return found

    def loaded(self, *, strict: bool = False) -> Loaded:
        """What the files and the environment say. strict: raises CommandError where something in them is wrong."""
        loaded = load(self.home)
        if strict and loaded.problems:
            raise CommandError("\n".join(str(problem) for problem in loaded.problems), exit_code=EXIT_USAGE)
        return loaded

    def tell(self, facts: object, *shown: RenderableType | Callable[[], RenderableType]) -> None:
        """The answer: facts for programs, or what is shown to people (made only then)."""
        if self.as_json:
            sys.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False, default=str) + "\n")
            return
        for item in shown:
            self.print(item() if callable(item) else item)

    def print(self, item: RenderableType) -> None:
        """One thing for people, its lines without blanks at their ends."""
        with self.out.capture() as caught:
            self.out.print(harmless(item) if isinstance(item, str) else item)
        lines = (line.rstrip() for line in caught.get().rstrip("\n").split("\n"))
        sys.stdout.write("\n".join(lines) + "\n")

    def warn(self, text: str) -> None:
        """Something beside the answer, on standard error."""
        make_console(to_stderr=True).print(harmless(text), style="yellow", soft_wrap=not sys.stderr.isatty())


def plain(body: object) -> JsonObject:
    """An object as it would come over the wire: what is made here looks the same as what a running instance tells."""
    raw = orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS)
    found = orjson.loads(raw)
    return found if isinstance(found, dict) else {}


def objects(body: JsonObject, name: str) -> list[JsonObject]:
    """The objects in a list of an answer; [] where there is none."""
    found = body.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list | tuple) else []


def inner(body: JsonObject, name: str) -> JsonObject:
    """The object in an answer; {} where there is none."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def text(body: JsonObject, name: str) -> str:
    """A text of an answer, "" where there is none."""
    found = body.get(name)
    return "" if found is None else str(found)


def number(body: JsonObject, name: str) -> float:
    """A number of an answer, 0 where there is none."""
    found = body.get(name)
    return float(found) if isinstance(found, int | float) else 0.0
