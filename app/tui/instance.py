"""What the screen needs of a running instance, and the watch that keeps a picture of it whatever happens to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from app.control.client import ControlError, find_instance
from app.control.live_client import LiveControlClient
from app.tui.facts import Picture, first_picture
from proxy_core.jsontypes import JsonObject
from proxy_core.telemetry.series import CAPACITY

T = TypeVar("T")
RETRY_S = 2.0


class Verbs(Protocol):
    """The verbs that the screen says; app.control.client.ControlClient has them. Each raises ControlError."""

    def pause(self) -> JsonObject:
        """Turn requests away."""

    def resume(self) -> JsonObject:
        """Take requests again."""

    def switch(self, server: str) -> JsonObject:
        """Make a server the current one."""

    def settings(self) -> JsonObject:
        """All settings."""

    def change(self, changes: Mapping[str, object]) -> JsonObject:
        """Change settings."""

    def servers(self, *, reach: bool = False) -> JsonObject:
        """All servers, with how far away they are."""

    def test_key(self, server: str, key: str = "") -> JsonObject:
        """One tiny request."""

    def cancel(self, request_id: str) -> None:
        """Cut off a request."""

    def series(self, count: int = 60) -> JsonObject:
        """Samples."""


class Instance(Protocol):
    """A running instance; app.control.live_client.LiveControlClient is one."""

    async def ask(self, verb: Callable[[Verbs], T]) -> T:
        """One verb. Raises ControlError."""

    def events(self) -> AsyncIterator[JsonObject]:
        """Snapshots until it ends. Raises ControlError."""


class Watcher(Protocol):
    """Who is told what the watch sees."""

    def show_picture(self, picture: Picture) -> None:
        """This is how things stand."""

    def show_lost(self, reason: str) -> None:
        """Nobody can be seen; it is tried again. reason: "" where none runs."""


async def find_live(home: Path) -> Instance | None:
    """The instance that owns the data folder."""
    client = await asyncio.to_thread(find_instance, home)
    return None if client is None else LiveControlClient(client)


class Watch:
    """Looks on, and looks for another one when the instance is lost. find: the instance if there is one."""

    def __init__(self, find: Callable[[], Awaitable[Instance | None]], watcher: Watcher) -> None:
        self._find = find
        self._watcher = watcher
        self._nudged = asyncio.Event()
        self.instance: Instance | None = None

    def nudge(self) -> None:
        """Look at once instead of at the next try."""
        self._nudged.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            reason = await self._look()
            self.instance = None
            self._watcher.show_lost(reason)
            try:
                await asyncio.wait_for(self._nudged.wait(), RETRY_S)
            except TimeoutError:
                continue
            finally:
                self._nudged.clear()

    async def _look(self) -> str:
        """Why there is nothing to see any more; "" where there was nothing to begin with."""
        try:
            self.instance = found = await self._find()
            if found is None:
                return ""
            picture = first_picture(await found.ask(lambda verbs: verbs.series(CAPACITY)))
            async for snapshot in found.events():
                picture = picture.after(snapshot)
                self._watcher.show_picture(picture)
        except ControlError as error:
            return str(error)
        return ""
