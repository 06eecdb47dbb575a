"""Summaries that were paid for, kept over restarts: one JSON file each, named by the digest of the turns it covers.

Files are written beside their name and moved there, so that nobody reads half of one and two processes may share the
folder. What cannot be read is set aside under another name. Where the folder takes nothing (read-only, full), summaries
live in memory. They hold what was said in the clear: only the owner may read them.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

import orjson

from proxy_core.stores.files import ensure_folder, set_aside, write_whole

log = logging.getLogger(__name__)

MOST_FILES = 500
MOST_AGE_S = 30 * 86_400
_MOST_IN_MEMORY = 64
_MOST_BYTES = 1_000_000
_OURS = re.compile(r"[0-9a-f]{64}\.json(\.damaged)?|\.[0-9a-f]{64}\.json\.[0-9a-f]{32}\.tmp")


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """A summary of the turns with this digest (`context.digests.chain`).

    ceiling_tokens: the working ceiling that it was made for. model: who wrote it. made_at: unix seconds.
    """

    digest: str
    text: str
    ceiling_tokens: int
    model: str
    made_at: float


class SummaryStore(Protocol):
    """Where summaries are kept. Neither call fails for a fault of the store."""

    async def find(self, digests: Sequence[str]) -> list[StoredSummary]:
        """Those that there are, in the order asked for."""
        ...

    async def put(self, summary: StoredSummary) -> None:
        """Keep it; one with the same digest is replaced."""
        ...


class FileSummaryStore:
    """Summaries in a folder, which is made when it is needed. clock: unix seconds."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._recent: OrderedDict[str, StoredSummary] = OrderedDict()
        self._lock = Lock()
        self._has_complained = False

    async def find(self, digests: Sequence[str]) -> list[StoredSummary]:
        """Those that there are, in the order asked for."""
        return await asyncio.to_thread(self._find, digests)

    async def put(self, summary: StoredSummary) -> None:
        """Keep it; one with the same digest is replaced."""
        await asyncio.to_thread(self._put, summary)

    def _find(self, digests: Sequence[str]) -> list[StoredSummary]:
        with self._lock:
            there = self._names()
            return [found for digest in digests if (found := self._load(digest, there))]

    def _names(self) -> set[str]:
        """Digests of the files in the folder: one look at it instead of one at each file."""
        try:
            return {path.stem for path in self._folder.glob("*.json")}
        except OSError as error:
            self._complain(error)
            return set()

    def _load(self, digest: str, there: set[str]) -> StoredSummary | None:
        if digest not in there:
            return self._recent.get(digest)
        path = self._path(digest)
        try:
            summary = read_summary(path.read_bytes(), digest)
            # Its age counts from its last use.
            with suppress(OSError):
                path.touch()
        except FileNotFoundError:
            return self._recent.get(digest)
        except OSError as error:
            self._complain(error)
            return self._recent.get(digest)
        except ValueError as error:
            self._set_aside(path, error)
            return self._recent.get(digest)
        return summary

    def _put(self, summary: StoredSummary) -> None:
        with self._lock:
            self._recent[summary.digest] = summary
            self._recent.move_to_end(summary.digest)
            if len(self._recent) > _MOST_IN_MEMORY:
                self._recent.popitem(last=False)
            try:
                self._write(summary)
                self._evict()
            except OSError as error:
                self._complain(error)

    def _write(self, summary: StoredSummary) -> None:
        ensure_folder(self._folder)
        write_whole(self._path(summary.digest), orjson.dumps(asdict(summary), option=orjson.OPT_INDENT_2))

    def _evict(self) -> None:
        """Forget what was not used for long, and the least recently used of too many; leftovers of others too.

        Nothing but what such a store wrote: the folder is the user's to choose, and may hold what is theirs.
        """
        ours = (path for path in self._folder.iterdir() if _OURS.fullmatch(path.name))
        used = sorted(((_used_at(path), path) for path in ours), reverse=True)
        for place, (used_at, path) in enumerate(used):
            if place >= MOST_FILES or self._clock() - used_at > MOST_AGE_S:
                path.unlink(missing_ok=True)

    def _set_aside(self, path: Path, why: ValueError) -> None:
        log.warning("The stored summary %s is damaged and was set aside: %s", path.name, why)
        try:
            set_aside(path)
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        if not self._has_complained:
            self._has_complained = True
            log.warning("Summaries are kept in memory only, since their folder cannot be used: %s", error)

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.json"


def _used_at(path: Path) -> float:
    """Unix seconds; 0 where another process was faster and the file is gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def read_summary(data: bytes, digest: str) -> StoredSummary:
    """What a store kept. Raises ValueError for anything that is no summary of these turns."""
    value = orjson.loads(data) if len(data) <= _MOST_BYTES else None
    if not isinstance(value, dict) or value.get("digest") != digest:
        raise ValueError("it is no summary of these turns")
    texts = [value.get(name) for name in ("text", "model")]
    figures = [value.get(name) for name in ("ceiling_tokens", "made_at")]
    match [*texts, *figures]:
        case [str() as text, str() as model, int() as ceiling, int() | float() as made_at] if text.strip():
            return StoredSummary(digest, text, ceiling, model, made_at)
        case _:
            raise ValueError("its fields are wrong")
