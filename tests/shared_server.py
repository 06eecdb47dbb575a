"""A real Redis or Valkey server on a socket of the test, which may be killed and started again; nothing is kept."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import mkdtemp

import pytest

_PROGRAMS = ("redis-server", "valkey-server")
_STARTS_S = 20.0


class SharedServer:
    """url: for SHARED_STORE."""

    def __init__(self) -> None:
        self._program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
        if self._program is None:
            pytest.skip("neither redis-server nor valkey-server is installed: run .ci/setup test")
        self._folder = Path(mkdtemp(prefix="shared-"))  # a socket's path must be short
        self._socket = self._folder / "s"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}?db=0"

    async def start(self) -> None:
        """Empty, and ready to answer."""
        assert self._program is not None
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._program, *options, "--dir", str(self._folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ends = time.monotonic() + _STARTS_S
        while not await self._answers():
            assert time.monotonic() < ends, "the server does not start"
            await asyncio.sleep(0.02)

    def kill(self) -> None:
        """As if its machine were gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._socket.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave nothing."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def do(self, *words: object) -> object:
        """One command by another client."""
        from redis.asyncio import Redis

        async with Redis.from_url(self.url) as client:
            return await client.execute_command(*words)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True


async def expect_soon(holds: Callable[[], Awaitable[object]], within_s: float = 20.0) -> None:
    """Wait for what comes by itself, in the background."""
    ends = time.monotonic() + within_s
    while not await holds():
        assert time.monotonic() < ends, "it did not come to be"
        await asyncio.sleep(0.02)
