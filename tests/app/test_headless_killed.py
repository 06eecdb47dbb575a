"""The program killed in the middle of its work: what clients saw settled a second before is in the history."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from app.history.reading import History
from app.history.schema import FILE, is_whole
from app.paths import STATS_FOLDER
from tests.app.programs import program

KILLS = int(os.environ.get("KILLS", "2"))
"""Twenty by hand: KILLS=20."""
_BODY = {"model": "glm-4.6", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}
_WORK_S = 2.5
_SETTLED_S = 1.0


async def test_nothing_settled_is_lost_by_kills(tmp_path: Path) -> None:
    settled: list[str] = []
    for _ in range(KILLS):
        with program(tmp_path, "--headless", "--demo", "--port", "0") as process:
            told = [pair async for pair in _converse(await asyncio.to_thread(_address, process))]
            process.kill()
            end = time.monotonic()
        settled += [request for request, at in told if at < end - _SETTLED_S]
    path = tmp_path / ".anthropic-proxy" / STATS_FOLDER / FILE
    assert len(settled) > 10 * KILLS
    assert set(settled) <= {str(row["request_id"]) for row in History(path).rows(0.0)}
    assert is_whole(path)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "http://" in line, line
    return line.split()[2]


async def _converse(address: str) -> AsyncIterator[tuple[str, float]]:
    """Ids of answered requests and when they were answered, several at a time."""
    end = time.monotonic() + _WORK_S
    async with aiohttp.ClientSession() as session:

        async def ask() -> tuple[str, float]:
            async with session.post(f"{address}/v1/messages", json=_BODY) as response:
                await response.read()
                return response.headers["request-id"], time.monotonic()

        while time.monotonic() < end:
            for pair in await asyncio.gather(*[ask() for _ in range(8)]):
                yield pair


@pytest.mark.parametrize("garbage", [b"SQLite format 3\0 and rubbish" * 99, b""], ids=["damaged", "empty"])
async def test_it_starts_and_writes_whatever_it_finds(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / ".anthropic-proxy" / STATS_FOLDER / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(garbage)
    with program(tmp_path, "--headless", "--demo", "--port", "0") as process:
        address = await asyncio.to_thread(_address, process)
        async with aiohttp.ClientSession() as session, session.post(f"{address}/v1/messages", json=_BODY) as response:
            assert response.status == 200
        process.terminate()
        await asyncio.to_thread(process.wait, 20)
    assert [row["status"] for row in History(path).rows(0.0)] == [200]
