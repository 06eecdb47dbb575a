"""The one writer of the history: a thread that takes rows from a queue and commits them in batches.

A full or unwritable disk costs no request: rows wait, bounded, and are written once it works again; the loss, if there
is any, is said once.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TypeAlias

from app.history.legacy import LEGACY_FILE, import_legacy
from app.history.rows import COLUMNS, HistoryRow
from app.history.schema import HistoryTooNewError, open_for_writing, put_damaged_aside

log = logging.getLogger(__name__)

Say: TypeAlias = Callable[[str], None]
BATCH_S = 0.25
"""How long a row may wait for others."""
RETRY_S = 2.0
MOST_WAITING = 50_000
_BATCH_ROWS = 500
_PRUNE_EVERY = 2_000
_PRUNED_AT_ONCE = 5_000
_DAY_S = 86_400.0
_MIB = 1_048_576
_INSERT = f"INSERT INTO exchanges ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept."""

    days: int
    mib: int


class HistoryWriter:
    """Rows in, from any thread; `say` hears sentences for people, from the writer's thread. clock: unix seconds.

    bounds: asked at each pruning, so that a change of settings holds at once.
    """

    def __init__(self, path: Path, bounds: Callable[[], Bounds], say: Say, clock: Callable[[], float]) -> None:
        self._path = path
        self._bounds = bounds
        self._say = say
        self._clock = clock
        self._queue: SimpleQueue[HistoryRow | None] = SimpleQueue()
        self._waiting: deque[HistoryRow] = deque(maxlen=MOST_WAITING)
        self._connection: sqlite3.Connection | None = None
        self._lost = 0
        self._since_prune = _PRUNE_EVERY
        self._is_troubled = self._is_over = self._is_off = False
        self._thread = Thread(target=self._work, name="history", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def add(self, row: HistoryRow) -> None:
        """Keep this row, soon."""
        self._queue.put(row)

    def close(self, limit_s: float = 5.0) -> None:
        """Write what waits and end; blocks for so long at most."""
        self._queue.put(None)
        self._thread.join(limit_s)

    def _work(self) -> None:
        while not self._is_over:
            self._take(RETRY_S if self._is_troubled else None)
            left = len(self._waiting) + 1
            while 0 < len(self._waiting) < left and not self._is_off:
                left = len(self._waiting)
                self._try_to_write()
        if self._connection is not None:
            self._connection.close()

    def _take(self, patience_s: float | None) -> None:
        """Wait for the next row, and then a moment for those right behind it."""
        deadline = None if patience_s is None else monotonic() + patience_s
        while len(self._waiting) < _BATCH_ROWS or self._is_troubled:
            try:
                row = self._queue.get(timeout=None if deadline is None else max(deadline - monotonic(), 0.0))
            except Empty:
                return
            if row is None:
                self._is_over = True
                return
            self._lost += len(self._waiting) == MOST_WAITING
            self._waiting.append(row)
            deadline = deadline or monotonic() + BATCH_S

    def _try_to_write(self) -> None:
        try:
            self._write()
        except HistoryTooNewError as error:
            self._is_off = True
            self._say(f"{self._path.name} is left alone: {error}. Nothing is added to the history.")
        except (sqlite3.IntegrityError, sqlite3.InterfaceError, ValueError, OverflowError) as error:
            self._drop_first(error)
        except sqlite3.OperationalError as error:
            self._suffer(str(error))
        except OSError as error:
            self._suffer(error.strerror or type(error).__name__)
        except sqlite3.DatabaseError as error:
            self._replace(str(error))

    def _write(self) -> None:
        if self._connection is None:
            self._connection = open_for_writing(self._path)
            if import_legacy(self._connection, self._path.parent):
                self._say(f"The totals of {LEGACY_FILE} were taken over into the history.")
        connection, batch = self._connection, list(self._waiting)
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(_INSERT, [row.values() for row in batch])
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._waiting.clear()
        self._recover()
        self._since_prune += len(batch)
        if self._since_prune >= _PRUNE_EVERY:
            self._since_prune = 0
            prune(connection, self._bounds(), self._clock())

    def _drop_first(self, error: Exception) -> None:
        """One of these rows cannot be kept. They are tried anew from the one that was waiting longest, alone."""
        connection, row = self._connection, self._waiting.popleft()
        if connection is None:
            return
        try:
            connection.execute(_INSERT, row.values())
        except (sqlite3.Error, ValueError, OverflowError):
            log.warning("A request cannot be kept in the history: %s.", error)

    def _recover(self) -> None:
        if self._is_troubled:
            lost = f" {self._lost} requests are missing in it." if self._lost else ""
            self._say(f"The history is written again.{lost}")
        self._is_troubled, self._lost = False, 0

    def _suffer(self, reason: str) -> None:
        """Not now; said once, tried again until it works."""
        if not self._is_troubled:
            self._is_troubled = True
            self._say(f"The history cannot be written ({reason}). Requests go on; it is tried again.")
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _replace(self, reason: str) -> None:
        """A damaged file makes room for a new one, and the same rows are tried there."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        try:
            aside = put_damaged_aside(self._path)
        except OSError as error:
            self._suffer(f"{reason}; {error.strerror}")
            return
        self._say(f"The history could not be used ({reason}). It was set aside as {aside.name}; a new one begins.")
        try:
            self._write()
        except (sqlite3.Error, OSError) as error:
            self._suffer(str(error))


def prune(connection: sqlite3.Connection, bounds: Bounds, now: float) -> None:
    """Delete what is older than the bound, and the oldest until the file is small enough."""
    connection.execute("DELETE FROM exchanges WHERE started_at < ?", (now - bounds.days * _DAY_S,))
    while _used_bytes(connection) > bounds.mib * _MIB:
        oldest = "SELECT id FROM exchanges ORDER BY id LIMIT ?"
        if not connection.execute(f"DELETE FROM exchanges WHERE id IN ({oldest})", (_PRUNED_AT_ONCE,)).rowcount:
            break
    connection.execute("PRAGMA incremental_vacuum")


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size
