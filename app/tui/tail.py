"""The end of a log file, read on as it grows, over its rotation. Blocking: to be called in a thread."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

FIRST_BYTES = 256 * 1024
_MOST_BYTES = 4 * 1024 * 1024
LEVELS = ("debug", "info", "warning", "error", "critical")
_KNOWN = ("timestamp", "level", "logger", "event", "request_id", "exception")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. at: local time of day; level: one of LEVELS; text: the words, further facts and the exception."""

    at: str
    level: str
    text: str
    request_id: str = ""

    @property
    def rank(self) -> int:
        """How grave: the place of its level in LEVELS."""
        return LEVELS.index(self.level)


class Tail:
    """Reads one file on. A missing file is an empty one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode = 0
        self._offset = 0
        self._rest = b""

    def read(self) -> list[LogLine]:
        """What is new since the last call; the first time the last lines. Raises OSError."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return []
        if found.st_ino != self._inode or found.st_size < self._offset:
            first = self._inode == 0
            self._inode, self._rest = found.st_ino, b""
            self._offset = max(0, found.st_size - FIRST_BYTES) if first else 0
        with self._path.open("rb") as file:
            is_cut = self._offset > 0 and not self._rest and file.seek(self._offset - 1) >= 0 and file.read(1) != b"\n"
            file.seek(self._offset)
            data = file.read(_MOST_BYTES)
        self._offset += len(data)
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        return [line for line in map(parse, lines[is_cut:]) if line is not None]


def parse(raw: bytes) -> LogLine | None:
    """A line of the file; None for what is none."""
    try:
        facts = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(facts, dict):
        return None
    further = " ".join(f"{name}={value}" for name, value in facts.items() if name not in _KNOWN)
    parts = (str(facts.get("event", "")), further, str(facts.get("exception", "")))
    level = str(facts.get("level", "info")).lower()
    return LogLine(
        at=_time_of_day(str(facts.get("timestamp", ""))),
        level=level if level in LEVELS else "info",
        text=" ".join(part for part in parts if part),
        request_id=str(facts.get("request_id", "")),
    )


def _time_of_day(stamp: str) -> str:
    try:
        return datetime.fromisoformat(stamp).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return "--:--:--"
