"""Runtimes on free ports, and stores that misbehave."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiohttp

from app.runtime import Runtime
from app.secrets import KeyringUnusableError, MemoryStore
from tests.app.homes import load_home


class BrokenStore(MemoryStore):
    """A keyring that refuses, as long as it is broken. asked: how often it was asked for a key."""

    def __init__(self, secrets: dict[str, str] | None = None) -> None:
        super().__init__(secrets)
        self.problem = ""
        self.is_broken = True
        self.asked = 0

    def _refuse(self) -> None:
        self.problem = "The system keyring is locked." if self.is_broken else ""
        if self.is_broken:
            raise KeyringUnusableError(self.problem)

    async def get(self, user: str) -> str | None:
        self.asked += 1
        self._refuse()
        return await super().get(user)

    async def put(self, user: str, secret: str) -> None:
        self._refuse()
        await super().put(user, secret)

    async def delete(self, user: str) -> None:
        self._refuse()
        await super().delete(user)


def make_runtime(
    folder: Path, *, demo: bool = False, secrets: MemoryStore | None = None, config: str = "", **sources: object
) -> Runtime:
    """A runtime that will listen on a free port; `config` is the rest of its config.yaml."""
    config = config if "port:" in config else f"port: 0\n{config}"
    loaded = load_home(folder, demo=demo, config=config, **sources)
    return Runtime(loaded.home, loaded, demo=demo, secrets=secrets or MemoryStore())


def taken_port() -> tuple[socket.socket, int]:
    """A port that somebody listens on, until the socket is closed."""
    holder = socket.create_server(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]


def free_port() -> int:
    """A port that was free a moment ago."""
    holder, port = taken_port()
    holder.close()
    return port


async def ask(runtime: Runtime, *, key: str | None = None, text: str = "hi") -> tuple[int, dict[str, object]]:
    """Status and body of one small chat request."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    body = {"model": "glm-4.6", "messages": [{"role": "user", "content": text}]}
    async with aiohttp.ClientSession() as session:
        url = f"{runtime.base_url('openai')}/chat/completions"
        async with session.post(url, json=body, headers=headers) as response:
            return response.status, await response.json()


class SilentStore(MemoryStore):
    """A keyring that never answers. asked: set once it was asked for a key."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def get(self, user: str) -> str | None:
        self.asked.set()
        await asyncio.Event().wait()
        return None
