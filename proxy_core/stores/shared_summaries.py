"""Summaries that several proxies share, over the files of each.

While the shared store is there, its summary of some turns holds, so that every proxy sends the same beginning. It is
taken over into the files, for the time when the store may be gone; what only the files have is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import orjson

from proxy_core.stores.shared_link import PREFIX, SharedLink, StoreGoneError
from proxy_core.stores.summaries import MOST_AGE_S, FileSummaryStore, StoredSummary, read_summary

_SUMMARIES = f"{PREFIX}summary:"
_AT_ONCE = 500
"""Digests of one question; the longest conversation has some thousand turns."""


class SharedSummaryStore:
    """A `SummaryStore`. own: this proxy's files."""

    def __init__(self, link: SharedLink, own: FileSummaryStore) -> None:
        self._link = link
        self._own = own

    async def find(self, digests: Sequence[str]) -> list[StoredSummary]:
        """Those that there are, in the order asked for."""
        found = {one.digest: one for one in await self._own.find(digests)}
        try:
            shared = await self._shared(digests)
        except StoreGoneError:
            shared = dict(found)
        for digest in found.keys() - shared.keys():
            self._link.post(("SET", *_pair(found[digest]), "NX", "EX", MOST_AGE_S))
        for digest, theirs in shared.items():
            if found.get(digest) != theirs:
                await self._own.put(theirs)
        found |= shared
        return [found[digest] for digest in digests if digest in found]

    async def put(self, summary: StoredSummary) -> None:
        """Keep it; one with the same digest is replaced."""
        await self._own.put(summary)
        self._link.post(("SET", *_pair(summary), "EX", MOST_AGE_S))

    async def _shared(self, digests: Sequence[str]) -> dict[str, StoredSummary]:
        """Those of the shared store; its damaged ones are set aside. Raises StoreGoneError."""
        found: dict[str, StoredSummary] = {}
        for start in range(0, len(digests), _AT_ONCE):
            part = digests[start : start + _AT_ONCE]
            answer = await self._link.ask("MGET", *(f"{_SUMMARIES}{digest}" for digest in part))
            for digest, value in zip(part, answer if isinstance(answer, list) else (), strict=False):
                if isinstance(value, bytes) and (one := self._parsed(digest, value)) is not None:
                    found[digest] = one
                    self._link.post(("EXPIRE", f"{_SUMMARIES}{digest}", MOST_AGE_S))
        return found

    def _parsed(self, digest: str, value: bytes) -> StoredSummary | None:
        try:
            return read_summary(value, digest)
        except ValueError:
            self._link.set_aside(f"{_SUMMARIES}{digest}")
            return None


def _pair(summary: StoredSummary) -> tuple[str, bytes]:
    return f"{_SUMMARIES}{summary.digest}", orjson.dumps(asdict(summary))
