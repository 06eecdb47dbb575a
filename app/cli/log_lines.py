"""The JSON lines that the program writes under logs/: read back, filtered, followed over rotation. No dependency on
who writes them but for names: `application.jsonl`, `access.jsonl`, `upstream.jsonl`, and rotated ones beside them."""

from __future__ import annotations

import gzip
import json
import logging
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from pathlib import Path

from proxy_core.jsontypes import JsonObject

STREAMS = ("application", "access", "upstream")
_BEGINNING = b""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is shown. level: the least, as a number of `logging`; request: an id, or the start of one; "" for any."""

    level: int = logging.NOTSET
    request: str = ""

    def admits(self, line: JsonObject) -> bool:
        """Whether this line is wanted."""
        if self.request and not str(line.get("request_id") or "").startswith(self.request):
            return False
        return level_of(line) >= self.level


def level_of(line: JsonObject) -> int:
    """The line's level as a number; lines without one count as INFO."""
    return logging.getLevelNamesMapping().get(str(line.get("level", "INFO")).upper(), logging.INFO)


def files_of(folder: Path, stream: str) -> list[Path]:
    """The files of one stream, the oldest first: rotated ones carry their time in their name."""
    rotated = [path for path in folder.glob(f"{stream}-*.jsonl*") if path.suffix in (".jsonl", ".gz")]
    current = folder / f"{stream}.jsonl"
    return sorted(rotated) + ([current] if current.exists() else [])


def read_lines(path: Path) -> Iterator[JsonObject]:
    """The objects of one file; half-written and foreign lines are left out. Raises OSError."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for raw in file:
                line = parse_line(raw)
                if line is not None:
                    yield line
    except (EOFError, zlib.error, gzip.BadGzipFile):  # still being packed
        return


def parse_line(raw: bytes) -> JsonObject | None:
    """One line as an object."""
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def last_lines(folder: Path, streams: tuple[str, ...], wanted: Wanted, count: int) -> list[JsonObject]:
    """The newest `count` wanted lines of all streams in the order of time."""
    found = [_last_of(folder, stream, wanted, count) for stream in streams]
    ordered = merge(*found, key=lambda line: str(line.get("timestamp", "")))
    return list(deque(ordered, maxlen=count))


def _last_of(folder: Path, stream: str, wanted: Wanted, count: int) -> list[JsonObject]:
    """From the newest file backwards, until there are enough."""
    found: deque[JsonObject] = deque()
    for path in reversed(files_of(folder, stream)):
        kept = deque((line for line in read_lines(path) if wanted.admits(line)), maxlen=count - len(found))
        found.extendleft(reversed(kept))
        if len(found) >= count:
            break
    return list(found)


class Tail:
    """What is added to one stream's current file, over rotation (another file of that name) and truncation."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode, self._offset = self._end()
        self._rest = _BEGINNING

    def _end(self) -> tuple[int, int]:
        try:
            stat = self._path.stat()
        except OSError:
            return 0, 0
        return stat.st_ino, stat.st_size

    def fresh(self) -> list[JsonObject]:
        """The lines since the last look."""
        inode, size = self._end()
        if inode != self._inode or size < self._offset:
            self._inode, self._offset, self._rest = inode, 0, _BEGINNING
        if size == self._offset:
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            raw = self._rest + file.read()
            self._offset = file.tell()
        *whole, self._rest = raw.split(b"\n")
        return [line for line in map(parse_line, whole) if line is not None]
