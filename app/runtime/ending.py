"""The end may be asked for while the start still waits: for a keyring that shows a password dialog, or is silent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


async def unless_ended(ended: asyncio.Event, work: Coroutine[object, object, T]) -> T | None:
    """What the work comes to; None where `ended` was set first, and the work given up."""
    loop = asyncio.get_running_loop()
    working, ending = loop.create_task(work), loop.create_task(ended.wait())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        ending.cancel()
        await asyncio.wait({working, ending})
    return None if working.cancelled() else working.result()


async def to_the_end(work: Coroutine[object, object, T]) -> tuple[T, bool]:
    """What becomes of work that must not stop half-way, and whether somebody tried to cancel it meanwhile.

    The caller owes that cancellation: to be raised as soon as nothing is left half done.
    """
    working = asyncio.get_running_loop().create_task(work)
    is_cancelled = False
    while not working.done():
        try:
            await asyncio.wait({working})
        except asyncio.CancelledError:
            is_cancelled = True
    return working.result(), is_cancelled
