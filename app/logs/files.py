"""The one writer of the log files: a thread that takes entries from a queue and appends them as JSON lines.

Everything slow happens here and nothing of it on the loop: masking, rotation, compression, clearing out. A full or
unwritable disk costs lines, never a request; that is said once, and so is how many lines are missing.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TypeAlias

from app.logs.hidden import without_secrets
from app.logs.stream_file import StreamFile
from app.logs.tidying import tidy
from proxy_core.redact import redact_body

log = logging.getLogger(__name__)

STREAMS = ("application", "access", "upstream")
MOST_WAITING = 20_000
MOST_WAITING_BODIES = 500
"""A body holds much: behind so many lines none is kept."""
_BATCH = 500
_TIDY_EVERY_S = 3600.0
_MIB = 1_048_576
_LARGEST_FILE = 10 * _MIB
_PARTS = 6
"""A file may hold this part of all the room, so that there is always something old to clear out."""
_LONGEST_TEXT = 16_384
STEADY_S = 10.0
"""Without a failure for so long, the disk counts as mended: a full one takes a short line now and then."""
_PLAIN = (bool, int, float, type(None))

Facts: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class LogBounds:
    """How much is kept, of all streams together."""

    days: int = 14
    mib: int = 100

    @property
    def file_bytes(self) -> int:
        """A file of this size is put away."""
        return min(_LARGEST_FILE, self.mib * _MIB // _PARTS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line to be. created: unix seconds; facts: what it says, not yet masked; bytes among them are bodies, whose
    whole size is the fact "bytes"; "is_cut" where they are not all of it."""

    stream: str
    created: float
    facts: Facts


class LogFiles:
    """The files of one folder. `put` from any thread; bounds may be replaced at any time."""

    def __init__(self, folder: Path, bounds: LogBounds) -> None:
        self.folder = folder
        self.bounds = bounds
        self._say: Callable[[str], None] = log.warning
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._files = {stream: StreamFile(folder / f"{stream}.jsonl") for stream in STREAMS}
        self._lost = 0
        self._is_troubled = self._is_closed = False
        self._failed_at, self._reason = 0.0, ""
        self._thread = Thread(target=self._work, name="log files", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Write this, soon; in the face of a flood, or after the end, not at all."""
        waiting = self._queue.qsize()
        if self._is_closed or waiting >= MOST_WAITING:
            self._lost += 1
            return
        if waiting >= MOST_WAITING_BODIES and "body" in entry.facts:
            entry.facts["body"] = "(left out: too many lines wait)"
        self._queue.put(entry)

    def tell(self, say: Callable[[str], None]) -> None:
        """Who hears, in any thread, when the files cannot be written, as now perhaps, and when they can again."""
        self._say = say
        if self._is_troubled:
            say(self._trouble())

    def _trouble(self) -> str:
        return f"The log files in {self.folder} cannot be written ({self._reason}); lines go to the console only."

    def close(self, limit_s: float = 5.0) -> None:
        """Write what waits and end; blocks for so long at most. Idempotent."""
        self._is_closed = True
        self._queue.put(None)
        self._thread.join(limit_s)

    def _work(self) -> None:
        self._tidy()
        is_over = False
        while not is_over:
            entries, is_over = self._take()
            for stream, lines in _by_stream(entries).items():
                self._write(self._files[stream], lines)
            if not entries and not is_over:
                self._tidy()
        for file in self._files.values():
            file.close()

    def _take(self) -> tuple[list[Entry], bool]:
        """What waits, at least one unless it is time to tidy up; and whether that was the end."""
        entries: list[Entry] = []
        try:
            entry = self._queue.get(timeout=_TIDY_EVERY_S)
            while entry is not None and len(entries) < _BATCH:
                entries.append(entry)
                entry = self._queue.get_nowait()
        except Empty:
            return entries, False
        if entry is not None:
            entries.append(entry)
        return entries, entry is None

    def _write(self, file: StreamFile, lines: list[bytes]) -> None:
        try:
            if file.is_due(self.bounds.file_bytes):
                file.put_away()
                self._tidy()
            file.append(b"".join(lines))
        except OSError as error:
            self._suffer(error, len(lines))
        else:
            self._recover()

    def _tidy(self) -> None:
        try:
            tidy(self.folder, STREAMS, self.bounds.days, self.bounds.mib * _MIB)
        except OSError as error:
            self._suffer(error, 0)

    def _suffer(self, error: OSError, lines: int) -> None:
        self._lost += lines
        self._failed_at = monotonic()
        if not self._is_troubled:
            self._reason = error.strerror or type(error).__name__
            self._is_troubled = True
            self._say(self._trouble())

    def _recover(self) -> None:
        if self._is_troubled and monotonic() - self._failed_at >= STEADY_S:
            self._is_troubled = False
            self._say(f"The log files are written again; {self._lost} lines are missing in them.")
            self._lost = 0


def _by_stream(entries: list[Entry]) -> dict[str, list[bytes]]:
    lines: dict[str, list[bytes]] = defaultdict(list)
    for entry in entries:
        lines[entry.stream].append(render(entry))
    return lines


def render(entry: Entry) -> bytes:
    """The line, masked, with its line break."""
    moment = datetime.fromtimestamp(entry.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    facts = {name: _shown(value, entry.facts) for name, value in entry.facts.items()}
    line = json.dumps({"timestamp": moment, **facts}, ensure_ascii=False)
    return line.encode("utf-8", "backslashreplace") + b"\n"  # half a surrogate pair becomes its JSON escape


def _shown(value: object, facts: Facts) -> object:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, bytes):
        size = facts.get("bytes")
        shown = redact_body(value, size if isinstance(size, int) else len(value), is_cut=facts.get("is_cut") is True)
        return without_secrets(shown)
    text = str(value)
    return without_secrets(text) if len(text) <= _LONGEST_TEXT else without_secrets(text[:_LONGEST_TEXT]) + "…"
