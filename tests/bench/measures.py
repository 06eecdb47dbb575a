"""What is measured, each as a coroutine that gives one number for one target."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from tests.bench import shapes
from tests.bench.shapes import CHAT, MESSAGES
from tests.bench.targets import Target
from tests.bench.wire import Answer, BadAnswerError, Connection, close_all, connect, connect_many

Kind = Literal["added", "ratio", "absolute"]
PACE_MS = 20


@dataclass(frozen=True)
class Measure:
    """One line of the table.

    kind: how it is compared. added: what the target adds to the upstream's own figure, by what the bare one adds;
    ratio: by the bare one's figure; absolute: as it is. goal: the limit for the tray program (0: none), with
    higher_is_better a lower limit.
    """

    title: str
    unit: str
    kind: Kind
    run: Callable[[Target], Awaitable[float]]
    goal: float = 0.0
    higher_is_better: bool = False


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


async def one_by_one(target: Target, request: bytes, count: int) -> list[Answer]:
    """So many requests one after the other on one connection, after a few that do not count."""
    connection = await connect(target.port)
    for _ in range(max(3, count // 10)):
        await connection.ask(request)
    answers = [await connection.ask(request) for _ in range(count)]
    connection.transport.close()
    return answers


def median_latency(request: bytes, count: int) -> Callable[[Target], Awaitable[float]]:
    """Milliseconds, p50."""

    async def run(target: Target) -> float:
        return statistics.median(answer.total_s for answer in await one_by_one(target, request, count)) * 1000

    return run


def median_first_text(request: bytes, count: int) -> Callable[[Target], Awaitable[float]]:
    """Milliseconds to the first text of a stream, p50."""

    async def run(target: Target) -> float:
        return statistics.median(answer.first_text_s for answer in await one_by_one(target, request, count)) * 1000

    return run


def rate(request: bytes, connections: int, seconds: float) -> Callable[[Target], Awaitable[float]]:
    """Requests a second over so many connections, each asking again as soon as it has its answer."""

    async def keep_asking(connection: Connection, until: float) -> int:
        count = 0
        while time.perf_counter() < until:
            await connection.ask(request)
            count += 1
        return count

    async def run(target: Target) -> float:
        opened = await connect_many(target.port, connections)
        began = time.perf_counter()
        counts = await asyncio.gather(*(keep_asking(connection, began + seconds) for connection in opened))
        taken = time.perf_counter() - began
        close_all(opened)
        return sum(counts) / taken

    return run


async def read_streams(target: Target, path: str, streams: int, chunks: int) -> list[Answer]:
    """So many paced streams side by side, their starts spread over one pace. Raises BadAnswerError if text is lost."""
    request = shapes.stream(path, chunks, PACE_MS)
    opened = await connect_many(target.port, streams)

    async def read(place: int, connection: Connection) -> Answer:
        await asyncio.sleep(PACE_MS / 1000 * place / streams)
        return await connection.ask(request)

    answers = await asyncio.gather(*(read(place, connection) for place, connection in enumerate(opened)))
    close_all(opened)
    if any(len(answer.late_ms) != chunks for answer in answers):
        raise BadAnswerError(f"{target.name}: {[len(answer.late_ms) for answer in answers]} chunks of {chunks} each")
    return answers


def stream_cpu(path: str, streams: int, chunks: int) -> Callable[[Target], Awaitable[float]]:
    """CPU seconds of the target for 10,000 chunks."""

    async def run(target: Target) -> float:
        before = target.cpu_s()
        await read_streams(target, path, streams, chunks)
        return (target.cpu_s() - before) * 10_000 / (streams * chunks)

    return run


def late_chunks(path: str, streams: int, chunks: int, share: float) -> Callable[[Target], Awaitable[float]]:
    """How late chunks are at a percentile, in milliseconds from the upstream's write to the client's read."""

    async def run(target: Target) -> float:
        answers = await read_streams(target, path, streams, chunks)
        return percentile([late for answer in answers for late in answer.late_ms], share)

    return run


async def cpu_per_request(target: Target, blocks: int, block: int) -> list[float]:
    """CPU milliseconds a request for each block of so many requests, at 32 connections."""
    opened = await connect_many(target.port, 32)
    request = shapes.small(MESSAGES)

    async def some(connection: Connection, count: int) -> None:
        for _ in range(count):
            await connection.ask(request)

    costs = []
    for _ in range(blocks):
        before = target.cpu_s()
        await asyncio.gather(*(some(connection, block // len(opened)) for connection in opened))
        costs.append((target.cpu_s() - before) * 1000 / (block // len(opened) * len(opened)))
    close_all(opened)
    return costs


def all_measures(scale: float) -> list[Measure]:
    """The interleaved measures; scale < 1 shortens them."""

    def times(count: int) -> int:
        return max(10, round(count * scale))

    return [
        Measure("answer, small", "ms", "added", median_latency(shapes.small(MESSAGES), times(400)), 1.5),
        Measure("answer, small, translated", "ms", "added", median_latency(shapes.small(CHAT), times(400))),
        Measure("answer, 200 KB", "ms", "added", median_latency(shapes.long_talk(MESSAGES), times(150)), 2.5),
        Measure("answer, 200 KB, translated", "ms", "added", median_latency(shapes.long_talk(CHAT), times(150))),
        Measure("answer, 2 MB picture", "ms", "added", median_latency(shapes.with_picture(CHAT), times(40)), 1.5),
        Measure(
            "answer, 2 MB picture, translated", "ms", "added", median_latency(shapes.with_picture(MESSAGES), times(40))
        ),
        Measure("first text", "ms", "added", median_first_text(shapes.stream(MESSAGES, 20, 0), times(200)), 1.5),
        Measure("first text, translated", "ms", "added", median_first_text(shapes.stream(CHAT, 20, 0), times(200))),
        Measure("requests/s, 32 side by side", "/s", "ratio", rate(shapes.small(MESSAGES), 32, 3 * scale), 0.5, True),
        Measure("CPU for 10,000 chunks, 100 streams", "s", "ratio", stream_cpu(MESSAGES, 100, times(100)), 2.0),
        Measure("the same, translated", "s", "ratio", stream_cpu(CHAT, 100, times(100)), 3.0),
        Measure("chunk on its way, 20 streams, p50", "ms", "absolute", late_chunks(MESSAGES, 20, times(150), 0.5)),
        Measure(
            "chunk on its way, 20 streams, p99", "ms", "absolute", late_chunks(MESSAGES, 20, times(150), 0.99), 6.0
        ),
    ]
