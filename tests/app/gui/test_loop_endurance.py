"""30,000 requests through the loop: nothing piles up, and the last ones cost what the first ones did.

Judged by counting. A Qt timer or notifier forgotten per request, a cancelled timer that stays, or a reference to
None that the Qt bindings lose in each slot (which ends the process when none is left) shows long before the last one.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.gui.loop import QtEventLoop
from tests.app.gui.loops import loop_on

CLIENTS = 20
ROUNDS = 30
REQUESTS_PER_ROUND = 1000
PATIENCE_S = 300
"""Of a timer that each request sets and cancels: none of them ends while the test runs."""


@dataclass(frozen=True)
class Count:
    """What there is after a round, and what the round cost."""

    timers: int
    sockets: int
    qt_objects: int
    python_objects: int
    nones: int
    cpu_s: float


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[QtEventLoop]:
    with loop_on(qapp) as loop:
        yield loop


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
    writer.close()
    await writer.wait_closed()


async def ask(port: int, requests: int) -> int:
    """One keep-alive client: each request has its timeouts, some come from a thread."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = 0
    for number in range(requests):
        patience = asyncio.get_running_loop().call_later(PATIENCE_S, writer.transport.abort)
        async with asyncio.timeout(PATIENCE_S):
            writer.write(b"%d\n" % number if number % 25 else await asyncio.to_thread(b"%d\n".__mod__, number))
            answered += await reader.readline() == b"%d\n" % number
        patience.cancel()
    writer.close()
    await writer.wait_closed()
    return answered


def count(loop: QtEventLoop, cpu_s: float) -> Count:
    gc.collect()
    everything = gc.get_objects()
    qt_objects = sum(isinstance(each, QObject) for each in everything)
    sockets = len(loop._selector.get_map())
    return Count(len(loop._scheduled), sockets, qt_objects, len(everything), sys.getrefcount(None), cpu_s)


async def endure(loop: QtEventLoop) -> list[Count]:
    counts = []
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for _ in range(ROUNDS):
            began = time.process_time()
            share = REQUESTS_PER_ROUND // CLIENTS
            assert sum(await asyncio.gather(*(ask(port, share) for _ in range(CLIENTS)))) == share * CLIENTS
            cpu_s = time.process_time() - began
            await asyncio.sleep(0.01)  # the server's ends are closed by then
            counts.append(count(loop, cpu_s))
    return counts


def test_thirty_thousand_requests_leave_no_trace(loop: QtEventLoop) -> None:
    counts = loop.run_until_complete(endure(loop))
    first, last = counts[:5], counts[-5:]
    assert max(each.timers for each in counts) < 1000
    assert max(each.sockets for each in counts) < 2 * CLIENTS + 5
    assert last[-1].qt_objects <= first[0].qt_objects
    assert last[-1].python_objects - first[-1].python_objects < 2000
    assert abs(last[-1].nones - first[-1].nones) < 2000
    assert min(each.cpu_s for each in last) <= 2 * min(each.cpu_s for each in first)
