"""The tables of the history, their versions, and opening the file: blocking, for the writer's thread or a reader's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from app.paths import set_aside

FILE = "history.db"
_MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE exchanges (
        id INTEGER PRIMARY KEY,
        request_id TEXT NOT NULL, started_at REAL NOT NULL, client TEXT NOT NULL, door TEXT NOT NULL,
        asked_model TEXT NOT NULL, served_model TEXT NOT NULL, server TEXT NOT NULL,
        client_dialect TEXT NOT NULL, upstream_dialect TEXT NOT NULL, stream INTEGER NOT NULL,
        outcome TEXT NOT NULL, status INTEGER NOT NULL, error_kind TEXT NOT NULL, retries INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
        thinking_tokens INTEGER NOT NULL, saved_tokens INTEGER NOT NULL,
        cost_nano INTEGER, currency TEXT NOT NULL,
        first_token_s REAL, duration_s REAL, queued_s REAL NOT NULL
    );
    CREATE INDEX exchanges_by_time ON exchanges (started_at);
    CREATE TABLE imports (source TEXT PRIMARY KEY, requests INTEGER, failures INTEGER, tokens INTEGER, since REAL);
    """,
)
"""One script a version; a row here is never changed once it was released."""
VERSION = len(_MIGRATIONS)


class HistoryTooNewError(Exception):
    """The file was written by a newer version of the program and is left alone."""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The file, made or brought up to date. Raises HistoryTooNewError, sqlite3.DatabaseError (damaged) and OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    version = _version_of(connection)
    if version > VERSION:
        raise HistoryTooNewError(f"written by a newer version of the program (format {version}, known {VERSION})")
    if version == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("the file is damaged")
    for number in range(version, VERSION):
        connection.executescript(f"BEGIN;{_MIGRATIONS[number]};PRAGMA user_version = {number + 1};COMMIT;")


def _version_of(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """The file as it is, never made or changed. Raises FileNotFoundError, HistoryTooNewError, sqlite3.Error."""
    if not path.exists():
        raise FileNotFoundError(path)
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)
    try:
        if _version_of(connection) > VERSION:
            raise HistoryTooNewError("written by a newer version of the program")
    except BaseException:
        connection.close()
        raise
    return connection


def is_whole(path: Path) -> bool:
    """Whether the file can be opened and passes SQLite's own check."""
    try:
        with closing(open_for_reading(path)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except (OSError, sqlite3.Error):
        return False


def put_damaged_aside(path: Path) -> Path:
    """Rename the file and what belongs to it; the new name. Raises OSError."""
    aside = set_aside(path)
    for suffix in ("-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + suffix))
    return aside
