"""A raw HTTP/1.1 client, light enough that the proxy under test is what is measured."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field

SENT_AT = re.compile(rb"@(\d+)@")
MARK_BYTES = 32  # no time mark is longer, so that much is kept of a read that may end in the middle of one
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class BadAnswerError(Exception):
    """The target did not answer 200, or the answer was not whole."""


@dataclass(slots=True)
class Answer:
    """What one request brought. Times in seconds; late_ms: each text chunk's time on its way from the upstream."""

    total_s: float = 0.0
    first_text_s: float = 0.0
    late_ms: list[float] = field(default_factory=list)


class Connection(asyncio.Protocol):
    """One kept-alive connection; one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.answer = Answer()
        self.done: asyncio.Future[None]
        self.started = 0.0
        self.head: bytes | None = None
        self.left = -1  # bytes of a plain body still to come; -1: chunked
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    async def ask(self, request: bytes) -> Answer:
        """Send one request and wait for its whole answer. Raises BadAnswerError."""
        self.answer = Answer()
        self.done = asyncio.get_running_loop().create_future()
        self.head, self.left, self.tail = None, -1, b""
        self.started = time.perf_counter()
        self.transport.write(request)
        await self.done
        self.answer.total_s = time.perf_counter() - self.started
        return self.answer

    def data_received(self, data: bytes) -> None:
        if self.head is None:
            data = self.take_head(self.tail + data)
            if self.head is None:
                self.tail = data
                return
        if self.left >= 0:
            self.left -= len(data)
            if self.left <= 0:
                self.finish()
            return
        self.take_chunks(self.tail + data)

    def take_head(self, data: bytes) -> bytes:
        """Read the head if it is whole; gives what follows it (or everything, if it is not whole yet)."""
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            return data
        if not head.startswith(b"HTTP/1.1 200"):
            self.fail(f"{head[:40]!r} {rest[:400]!r}")
        self.head, self.tail = head, b""
        length = LENGTH.search(head)
        self.left = int(length[1]) if length else -1
        return rest

    def take_chunks(self, data: bytes) -> None:
        """Note the time marks in a streamed body and see whether it is at its end."""
        now = time.monotonic_ns()
        end = 0
        for mark in SENT_AT.finditer(data):
            self.answer.late_ms.append((now - int(mark[1])) / 1e6)
            end = mark.end()
        if end and not self.answer.first_text_s:
            self.answer.first_text_s = time.perf_counter() - self.started
        self.tail = data[max(end, len(data) - MARK_BYTES) :]
        if data.endswith(b"0\r\n\r\n"):
            self.finish()

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "done") and not self.done.done():
            self.fail("connection closed in the middle of an answer")

    def finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(BadAnswerError(why))


async def connect(port: int) -> Connection:
    """Raises ConnectionRefusedError while nobody listens."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


async def connect_many(port: int, count: int) -> list[Connection]:
    return [await connect(port) for _ in range(count)]


def close_all(connections: list[Connection]) -> None:
    for connection in connections:
        connection.transport.close()
