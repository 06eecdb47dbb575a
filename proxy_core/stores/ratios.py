"""What was learned of the models' own counting, kept over restarts.

One small file, written some time after the first change and at the end. Of two processes on one file the last
one's figures stand: both learn the same thing.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Protocol

import orjson

from proxy_core.stores.files import ensure_folder, set_aside, write_whole
from proxy_core.tokens.learning import RatioBook

log = logging.getLogger(__name__)

SAVE_AFTER_S = 30.0
_MOST_BYTES = 10_000_000


class RatioStore(Protocol):
    """Where ratios are kept. Nothing here fails for a fault of the store."""

    async def load(self) -> RatioBook:
        """What was kept; an empty book where that is nothing or cannot be read."""
        ...

    def note(self, book: RatioBook) -> None:
        """The book has changed: keep it before long."""
        ...

    async def close(self) -> None:
        """Keep what is not kept yet."""
        ...


class FileRatioStore:
    """A JSON file. Called on the loop, written in a thread. save_after_s: a crash costs so much of learning."""

    def __init__(self, path: Path, save_after_s: float = SAVE_AFTER_S) -> None:
        self._path = path
        self._save_after_s = save_after_s
        self._unsaved: RatioBook | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None
        self._has_complained = False

    async def load(self) -> RatioBook:
        """The book in the file; a damaged file is set aside."""
        return await asyncio.to_thread(self._read)

    def note(self, book: RatioBook) -> None:
        """Write it `save_after_s` seconds from now, with what changes until then."""
        self._unsaved = book
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._save_after_s, self._save)

    async def close(self) -> None:
        """Write what is not written, and wait for it."""
        if self._writing is not None:
            await self._writing
        if self._timer is not None:
            self._timer.cancel()
        self._save()
        if self._writing is not None:
            await self._writing

    def _save(self) -> None:
        self._timer = None
        book, self._unsaved = self._unsaved, None
        if book is None:
            return
        if self._writing is not None and not self._writing.done():  # a slow disk: two writers would race
            self.note(book)
            return
        data = orjson.dumps(book.to_json())  # here and not there: the book goes on changing
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._write, data)

    def _write(self, data: bytes) -> None:
        try:
            ensure_folder(self._path.parent)
            write_whole(self._path, data)
        except OSError as error:
            if not self._has_complained:
                self._has_complained = True
                log.warning("What is learned about token counts is lost at the end of this run: %s", error)

    def _read(self) -> RatioBook:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return RatioBook()
        except OSError as error:
            log.warning("What was learned about token counts cannot be read: %s", error)
            return RatioBook()
        try:
            return RatioBook.from_json(orjson.loads(data) if len(data) <= _MOST_BYTES else None)
        except ValueError as error:
            self._set_aside(error)
            return RatioBook()

    def _set_aside(self, why: ValueError) -> None:
        try:
            kept = set_aside(self._path)
            log.warning("The file of learned token counts is damaged (%s); it was set aside as %s.", why, kept.name)
        except OSError as error:
            log.warning("The file of learned token counts is damaged and cannot be set aside: %s", error)
