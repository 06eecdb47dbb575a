"""What probes look at, and what they find."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from app.control.client import ControlClient, ControlError, find_instance
from app.settings.book import ServerBook
from app.settings.load import Loaded, load, surroundings
from proxy_core.jsontypes import JsonObject
from proxy_core.settings import Server


class Grade(StrEnum):
    """How bad it is. skip: could not be looked at, or does not apply."""

    PASS = "pass"
    SKIP = "skip"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One probe's word. remedy: what to do, "" where all is well. fix: does it, safely; says what was done."""

    grade: Grade
    said: str
    remedy: str = ""
    fix: Callable[[], str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything around one data folder at one moment. status: of the running instance, {} without one.

    online: whether servers may be asked. user_home: where other programs keep their settings.
    """

    home: Path
    loaded: Loaded
    client: ControlClient | None = None
    status: JsonObject = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    online: bool = True
    user_home: Path = field(default_factory=Path.home)
    platform: str = sys.platform

    @property
    def server(self) -> Server:
        """The server that requests go to."""
        book = ServerBook(self.home, self.loaded.servers)
        name = str(self.status.get("server") or self.loaded.settings.current_server)
        return book.get(name) if name in book.names() else book.all()[0]

    @property
    def is_demo(self) -> bool:
        """Whether requests go nowhere but to the built-in server."""
        return self.status.get("server") == "demo"

    @property
    def port(self) -> int:
        """Where the instance listens, or would."""
        return self.loaded.settings.port if self.client is None else self.client.record.port


Probe: TypeAlias = Callable[[Ground], Finding]


def ok(said: str) -> Finding:
    """All is well."""
    return Finding(Grade.PASS, said)


def skip(said: str) -> Finding:
    """Nothing to say."""
    return Finding(Grade.SKIP, said)


def warn(said: str, remedy: str, fix: Callable[[], str] | None = None) -> Finding:
    """It works, but may surprise."""
    return Finding(Grade.WARN, said, remedy, fix)


def fail(said: str, remedy: str, fix: Callable[[], str] | None = None) -> Finding:
    """It does not work."""
    return Finding(Grade.FAIL, said, remedy, fix)


def survey(home: Path, *, online: bool = True) -> Ground:
    """Look around."""
    client = find_instance(home)
    status: JsonObject = {}
    if client is not None:
        try:
            status = client.status()
        except ControlError:
            client = None
    return Ground(home, load(home), client, status, surroundings(), online)
