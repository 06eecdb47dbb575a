"""A store with pictures in it, for the tests of what shows them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from proxy_core.stores.description_files import FileDescriptionStore
from proxy_core.stores.descriptions import Description
from tests.proxy_core.stores.shelves import Clock, draft, name_of, open_store

TEXTS = ("A cat on a mat.", "A dog in the fog.", "A chart of cats by month.")


async def filled_store(folder: Path, texts: Iterable[str] = TEXTS) -> FileDescriptionStore:
    """Pictures number 1, 2, 3, each made ten seconds after the one before."""
    clock = Clock()
    store = open_store(folder, clock)
    for number, text in enumerate(texts, 1):
        await store.put(draft(number, text))
        clock.now += 10
    return store


def described(number: int = 1, **changes: object) -> Description:
    """A description as a store gives it."""
    return Description(name_of(number), **{"text": f"Picture {number}.", "made_at": float(number), **changes})  # type: ignore[arg-type]  # a test's own
