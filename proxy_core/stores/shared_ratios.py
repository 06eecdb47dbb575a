"""Learned token ratios that several proxies share, over the file of each.

Of each model the book with more samples is taken over: all proxies learn the same thing, and the one that heard most of
a model knows it best.
"""

from __future__ import annotations

import orjson

from proxy_core.stores.ratios import SAVE_AFTER_S, FileRatioStore
from proxy_core.stores.shared_link import BEAT_S, PREFIX, SharedLink, StoreGoneError
from proxy_core.tokens.learning import RatioBook

RATIOS = f"{PREFIX}ratios"
_MOST_BYTES = 1_000_000


class SharedRatioStore:
    """A `RatioStore`. own: this proxy's file. every_s: the book is compared with the shared one so often."""

    def __init__(self, link: SharedLink, own: FileRatioStore, every_s: float = SAVE_AFTER_S) -> None:
        self._link = link
        self._own = own
        self._every_beats = max(1, round(every_s / BEAT_S))
        self._beats = 0
        self._book: RatioBook | None = None
        self._is_unsent = False
        link.on_beat(self._tend)

    async def load(self) -> RatioBook:
        """What was kept here, and what others know better."""
        self._book = await self._own.load()
        await self._compare()
        return self._book

    def note(self, book: RatioBook) -> None:
        """The book has changed: keep it before long."""
        self._book, self._is_unsent = book, True
        self._own.note(book)

    async def close(self) -> None:
        """Keep what is not kept yet."""
        await self._compare()
        await self._own.close()

    async def _tend(self) -> None:
        self._beats += 1
        if self._beats % self._every_beats == 0:
            await self._compare()

    async def _compare(self) -> None:
        """Learn from the shared book, and hand in this one if it has news. Without the store nothing happens."""
        book = self._book
        if book is None:
            return
        try:
            if book.adopt(self._parsed(await self._link.ask("GET", RATIOS))):
                self._own.note(book)
            if self._is_unsent:
                await self._link.ask("SET", RATIOS, orjson.dumps(book.to_json()))
                self._is_unsent = False
        except StoreGoneError:
            return

    def _parsed(self, value: object) -> RatioBook:
        """A damaged one is set aside, and nothing is known then."""
        if not isinstance(value, bytes):
            return RatioBook()
        try:
            return RatioBook.from_json(orjson.loads(value) if len(value) <= _MOST_BYTES else None)
        except ValueError:
            self._link.set_aside(RATIOS)
            return RatioBook()
