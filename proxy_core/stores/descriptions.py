"""Descriptions of pictures, paid for once: what is kept of each, and what a store of them can do.

A person may read, edit, pin and delete them; what stands in the store is what the upstream next sees.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from proxy_core.chat import Image

MOST_CHARS = 20_000
"""A longer description is cut, whoever wrote it."""
_MOST_COUNT, _MOST_TIME = 2**53, 1e11


@dataclass(frozen=True, slots=True)
class Description:
    """One picture in words. Times in unix seconds, width and height in pixels (0: not known).

    digest: SHA-256 of the picture. context: a line of the conversation by which a person recognises it.
    edited: the words are a person's. is_to_be_made_again: they stand until the picture is next seen.
    """

    digest: str
    text: str
    model: str = ""
    made_at: float = 0.0
    last_used_at: float = 0.0
    hits: int = 0
    pinned: bool = False
    edited: bool = False
    is_to_be_made_again: bool = False
    width: int = 0
    height: int = 0
    media_type: str = ""
    picture_bytes: int = 0
    context: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A description fresh from a model, and the picture it is of."""

    digest: str
    text: str
    model: str
    image: Image
    context: str = ""


@dataclass(frozen=True, slots=True)
class StoreSize:
    """How much is kept. bound_bytes: beyond it, what was not used for longest goes; pinned ones stay."""

    pictures: int = 0
    pinned: int = 0
    stored_bytes: int = 0
    bound_bytes: int = 0


class DescriptionStore(Protocol):
    """Where descriptions are kept. Never raises for what happens to its storage: a request must not fail for it."""

    @property
    def revision(self) -> int:
        """Grows with every change that this store knows of."""
        ...

    async def find(self, digests: Iterable[str]) -> dict[str, Description]:
        """Those there are, by digest; counts as use."""
        ...

    async def get(self, digest: str) -> Description | None:
        """One of them, merely looked at."""
        ...

    async def put(self, draft: Draft) -> Description:
        """Keep it. Where there is one already that shall not be made again, that one stays and is returned."""
        ...

    async def claim(self, digest: str) -> bool:
        """Whether a description may be made here; False while another proxy on the same store makes it."""
        ...

    async def unclaim(self, digest: str) -> None:
        """It is made, or will not be."""
        ...

    async def list(self, words: str = "") -> tuple[Description, ...]:
        """Those that hold all these words, the last used first."""
        ...

    async def thumbnail(self, digest: str) -> bytes | None:
        """A small JPEG of the picture."""
        ...

    async def edit(self, digest: str, text: str) -> Description | None:
        """Other words; none at all make the upstream see a placeholder. None: there is no such description."""
        ...

    async def pin(self, digest: str, *, pinned: bool) -> Description | None:
        """Whether it stays however full the store is."""
        ...

    async def describe_again(self, digest: str) -> Description | None:
        """Have it made anew when the picture is next seen, over a person's words too."""
        ...

    async def delete(self, digest: str) -> bool:
        """Whether it is gone."""
        ...

    async def size(self) -> StoreSize:
        """How much is kept."""
        ...

    async def close(self) -> None:
        """Write what is not written yet."""
        ...


def is_sound(description: Description) -> bool:
    """Whether its figures are ones that can be kept again and shown: anybody may write into a file."""
    counts = (description.hits, description.width, description.height, description.picture_bytes)
    times = (description.made_at, description.last_used_at)
    return all(0 <= count < _MOST_COUNT for count in counts) and all(0 <= time < _MOST_TIME for time in times)


def holds_words(description: Description, words: str) -> bool:
    """Whether all words stand in it, in any case and order."""
    held = f"{description.text} {description.context} {description.model} {description.digest}".casefold()
    return all(word in held for word in words.casefold().split())
