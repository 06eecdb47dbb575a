"""A hosted runtime and a face that remembers what it was asked."""

from __future__ import annotations

from pathlib import Path

from app.control.hosting import host_runtime
from app.control.lock import claim_home
from app.control.routes import Face
from app.runtime import Runtime
from app.secrets import MemoryStore
from tests.app.homes import load_home


class Host:
    """One instance that owns its folder. has_window: what its face answers to `show`."""

    def __init__(self, folder: Path, *, has_window: bool = True, config: str = "port: 0\n") -> None:
        self.heard: list[str] = []
        self.has_window = has_window
        loaded = load_home(folder, config=config, demo=True)
        self.home = loaded.home
        self.claim = claim_home(loaded.home, "tray")
        face = Face("tray", show=self._show, stop=lambda: self.heard.append("stop"))
        self.runtime: Runtime = host_runtime(
            loaded.home, loaded, demo=True, secrets=MemoryStore(), face=face, claim=self.claim
        )

    def _show(self) -> bool:
        self.heard.append("show")
        return self.has_window

    async def stop(self) -> None:
        await self.runtime.stop()
        self.claim.release()
