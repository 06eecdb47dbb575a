"""The store of descriptions in a folder that a person can open: all work is done in threads, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TypeVar

from proxy_core.stores.description_folder import DescriptionFolder
from proxy_core.stores.description_shelf import Shelf
from proxy_core.stores.descriptions import MOST_CHARS, Description, Draft, StoreSize, holds_words
from proxy_core.stores.thumbnails import make_thumbnail
from proxy_core.tokens.images import picture_size

_Result = TypeVar("_Result")


class FileDescriptionStore:
    """A `DescriptionStore` of files. bound_mb: MiB, asked anew each time; clock: unix seconds."""

    def __init__(self, folder: Path, bound_mb: Callable[[], int], clock: Callable[[], float]) -> None:
        self._shelf = Shelf(DescriptionFolder(folder), lambda: bound_mb() * 2**20, clock)
        self._lock = Lock()

    @property
    def revision(self) -> int:
        """Grows with every change that this store knows of."""
        return self._shelf.revision

    async def find(self, digests: Iterable[str]) -> dict[str, Description]:
        """Those there are, by digest; counts as use."""
        wanted = tuple(digests)
        return await self._do(lambda: self._shelf.use(wanted)) if wanted else {}

    async def get(self, digest: str) -> Description | None:
        """One of them, merely looked at."""
        return await self._do(lambda: self._shelf.get(digest))

    async def put(self, draft: Draft) -> Description:
        """Keep it. Where there is one already that shall not be made again, that one stays and is returned."""
        fresh, thumbnail = await asyncio.to_thread(_finished, draft)
        return await self._do(lambda: self._shelf.put(fresh, thumbnail))

    async def adopt(self, other: Description, thumbnail: bytes | None = None) -> Description:
        """Keep it as another proxy has it, over what stands here."""
        return await self._do(lambda: self._shelf.adopt(other, thumbnail))

    async def claim(self, digest: str) -> bool:
        """Nobody else makes descriptions for this store."""
        return True

    async def unclaim(self, digest: str) -> None:
        """There is nothing to give back."""

    async def list(self, words: str = "") -> tuple[Description, ...]:
        """Those that hold all these words, the last used first."""
        found = await self._do(self._shelf.all)
        return tuple(one for one in found if holds_words(one, words))

    async def thumbnail(self, digest: str) -> bytes | None:
        """A small JPEG of the picture."""
        return await self._do(lambda: self._shelf.thumbnail(digest))

    async def edit(self, digest: str, text: str) -> Description | None:
        """Other words; none at all make the upstream see a placeholder. None: there is no such description."""

        def edited(old: Description) -> Description:
            return replace(old, text=_bounded(text), edited=True, is_to_be_made_again=False)

        return await self._do(lambda: self._shelf.change(digest, edited))

    async def pin(self, digest: str, *, pinned: bool) -> Description | None:
        """Whether it stays however full the store is."""
        return await self._do(lambda: self._shelf.change(digest, lambda old: replace(old, pinned=pinned)))

    async def describe_again(self, digest: str) -> Description | None:
        """Have it made anew when the picture is next seen, over a person's words too."""
        return await self._do(lambda: self._shelf.change(digest, lambda old: replace(old, is_to_be_made_again=True)))

    async def delete(self, digest: str) -> bool:
        """Whether there was one and it is gone."""
        return await self._do(lambda: self._shelf.delete(digest))

    async def size(self) -> StoreSize:
        """How much is kept."""
        return await self._do(self._shelf.size)

    async def close(self) -> None:
        """Write what is not written yet."""
        await self._do(self._shelf.save)

    async def _do(self, work: Callable[[], _Result]) -> _Result:
        def alone() -> _Result:
            with self._lock:
                return work()

        return await asyncio.to_thread(alone)


def _bounded(text: str) -> str:
    """No half pairs of surrogates either, which no file could hold."""
    return text[:MOST_CHARS].encode("utf-8", "ignore").decode()


def _finished(draft: Draft) -> tuple[Description, bytes | None]:
    """What is to be kept of a draft. Slow: opens the picture."""
    image = draft.image
    width, height = (picture_size(image.data) if image.data else None) or (0, 0)
    thumbnail = make_thumbnail(image.data) if image.data else None
    description = Description(
        digest=draft.digest,
        text=_bounded(draft.text),
        model=draft.model,
        width=width,
        height=height,
        media_type=_bounded(image.media_type)[:100],
        picture_bytes=len(image.data) * 3 // 4,
        context=_bounded(draft.context),
    )
    return description, thumbnail
