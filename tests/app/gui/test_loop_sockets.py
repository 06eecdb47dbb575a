"""The loop and its sockets: readers and writers, streams both ways, pipes, and aiohttp on both ends."""

from __future__ import annotations

import asyncio
import os
import pathlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from PySide6.QtWidgets import QApplication

from app.gui.loop import TURN_S, QtEventLoop
from tests.app.gui.loops import loop_on, until

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[QtEventLoop]:
    with loop_on(qapp) as loop:
        yield loop


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    left.setblocking(False)
    right.setblocking(False)
    with left, right:
        yield left, right


@asynccontextmanager
async def connected(serve: Serve) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client of `serve`; ends when both sides have closed."""
    served = asyncio.Event()

    async def serve_to_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        writer.close()
        await writer.wait_closed()
        served.set()

    server = await asyncio.start_server(serve_to_the_end, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield reader, writer
        writer.close()
        await asyncio.gather(writer.wait_closed(), served.wait())


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


def test_lines_come_back(loop: QtEventLoop) -> None:
    async def talk() -> list[bytes]:
        answers = []
        async with connected(echo) as (reader, writer):
            for number in range(200):
                writer.write(b"%d\n" % number)
                answers.append(await reader.readline())
        return answers

    assert loop.run_until_complete(talk()) == [b"%d\n" % number for number in range(200)]


def test_large_writes_wait_for_a_slow_reader(loop: QtEventLoop) -> None:
    size = 8 * 2**20
    backlog: list[int] = []

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        for _ in range(size // 65536):
            writer.write(bytes(65536))
            await writer.drain()
            backlog.append(writer.transport.get_write_buffer_size())

    async def sip() -> int:
        received = 0
        async with connected(pour) as (reader, writer):
            writer.write(b"go\n")
            while data := await reader.read(10_000):
                received += len(data)
                if received % 7 == 0:
                    await asyncio.sleep(0.0001)
        return received

    assert loop.run_until_complete(sip()) == size
    assert max(backlog) <= 2 * 65536


def test_a_half_closed_stream_still_answers(loop: QtEventLoop) -> None:
    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())

    async def talk() -> bytes:
        async with connected(answer_at_the_end) as (reader, writer):
            writer.write(b"all of it")
            writer.write_eof()
            return await reader.read()

    assert loop.run_until_complete(talk()) == b"ALL OF IT"


def test_many_streams_at_once(loop: QtEventLoop) -> None:
    async def talk(number: int) -> bool:
        sent = bytes([number]) * 300_000
        async with connected(echo) as (reader, writer):
            writer.write(sent)
            writer.write_eof()
            return await reader.read() == sent

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*(talk(number) for number in range(40)))

    assert loop.run_until_complete(all_of_them()) == [True] * 40


def test_a_server_that_hangs_up_is_noticed(loop: QtEventLoop) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async def talk() -> bytes:
        async with connected(hang_up) as (reader, _):
            return await reader.read()

    assert loop.run_until_complete(talk()) == b""


def test_a_refused_connection_is_an_error(loop: QtEventLoop) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            loop.run_until_complete(asyncio.open_connection(*unheard.getsockname()))


def test_unix_sockets(loop: QtEventLoop, tmp_path: pathlib.Path) -> None:
    async def talk() -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await echo(reader, writer)
            writer.close()

        async with await asyncio.start_unix_server(answer, tmp_path / "s"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
            writer.write(b"hello\n")
            writer.write_eof()
            said = await reader.read()
            writer.close()
            await writer.wait_closed()
        return said

    assert loop.run_until_complete(talk()) == b"hello\n"


def test_pipes(loop: QtEventLoop) -> None:
    read_fd, write_fd = os.pipe()

    async def through() -> bytes:
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_fd, "rb"))
        transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(write_fd, "wb"))
        transport.write(bytes(300_000))
        transport.close()
        return await reader.read()

    assert len(loop.run_until_complete(through())) == 300_000


def test_datagrams(loop: QtEventLoop) -> None:
    received: asyncio.Queue[bytes] = asyncio.Queue()

    class Receiver(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            received.put_nowait(data)

    async def send() -> bytes:
        target, _ = await loop.create_datagram_endpoint(Receiver, local_addr=("127.0.0.1", 0))
        address = target.get_extra_info("sockname")
        sender, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
        sender.sendto(b"hello")
        data = await received.get()
        sender.close()
        target.close()
        return data

    assert loop.run_until_complete(asyncio.wait_for(send(), 30)) == b"hello"


@pytest.mark.parametrize("direction", ["reader", "writer"])
def test_a_callback_is_replaced_and_removed(
    loop: QtEventLoop, pair: tuple[socket.socket, socket.socket], direction: str
) -> None:
    add, remove = getattr(loop, f"add_{direction}"), getattr(loop, f"remove_{direction}")
    left, right = pair
    seen: list[str] = []
    right.send(b"x")
    add(left, seen.append, "first")
    add(left.fileno(), lambda: (seen.append("second"), remove(left)))
    loop.run_until_complete(until(lambda: seen))
    assert seen == ["second"]
    assert remove(left) is False
    add(left, print)
    assert remove(left) is True


def test_reading_and_writing_are_apart(loop: QtEventLoop, pair: tuple[socket.socket, socket.socket]) -> None:
    left, right = pair
    seen: list[str] = []
    loop.add_reader(left, lambda: (seen.append(left.recv(9).decode()), loop.remove_reader(left)))
    loop.add_writer(left, lambda: (seen.append("may write"), loop.remove_writer(left), right.send(b"read")))
    loop.run_until_complete(until(lambda: len(seen) == 2))
    assert seen == ["may write", "read"]


def test_a_reader_may_close_its_socket_and_the_number_may_come_again(loop: QtEventLoop) -> None:
    seen: list[bytes] = []
    kept: list[socket.socket] = []

    def watch_another() -> None:
        left, right = socket.socketpair()
        kept.extend((left, right))
        loop.add_reader(left, read, left, right)
        right.send(b"%d" % left.fileno())

    def read(left: socket.socket, right: socket.socket) -> None:
        seen.append(left.recv(9))
        loop.remove_reader(left)
        left.close()
        right.close()
        if len(seen) < 20:
            watch_another()

    watch_another()
    loop.run_until_complete(until(lambda: len(seen) == 20))
    assert len(seen) == 20
    assert len(set(seen)) < 20


def test_a_callback_may_remove_one_that_is_ready_too(loop: QtEventLoop) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    seen: list[int] = []

    def read(number: int) -> None:
        seen.append(number)
        for left, _ in pairs:
            loop.remove_reader(left)

    for number, (left, right) in enumerate(pairs):
        right.send(b"x")
        loop.add_reader(left, read, number)
    loop.run_until_complete(until(lambda: seen))
    loop.run_until_complete(asyncio.sleep(0.005))
    for sockets in pairs:
        for each in sockets:
            each.close()
    assert len(seen) == 1


def test_readiness_is_told_once_even_if_the_turn_ends_before_its_callback(loop: QtEventLoop) -> None:
    pairs = [socket.socketpair() for _ in range(5)]
    seen: list[bytes] = []
    for left, right in pairs:
        left.setblocking(False)
        right.send(b"x")
        loop.add_reader(left, lambda left=left: (time.sleep(2 * TURN_S), seen.append(left.recv(1))))
    failures: list[object] = []
    loop.set_exception_handler(lambda _, context: failures.append(context))
    loop.run_until_complete(until(lambda: len(seen) == 5))
    loop.run_until_complete(asyncio.sleep(0.005))
    for left, right in pairs:
        loop.remove_reader(left)
        left.close()
        right.close()
    assert seen == [b"x"] * 5
    assert failures == []


def test_a_failing_reader_is_reported_and_called_again(
    loop: QtEventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    failures: list[str] = []
    loop.set_exception_handler(lambda _, context: failures.append(str(context["exception"])))

    def read() -> None:
        raise ValueError(left.recv(1).decode())

    loop.add_reader(left, read)
    right.send(b"abc")
    loop.run_until_complete(until(lambda: len(failures) == 3))
    loop.remove_reader(left)
    assert failures == ["a", "b", "c"]


def test_readiness_waits_for_the_loop_and_does_not_spin_qt(
    loop: QtEventLoop, qapp: QApplication, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    seen: list[bytes] = []
    loop.add_reader(left, lambda: seen.append(left.recv(9)))
    right.send(b"early")
    for _ in range(5):
        qapp.processEvents()
    assert seen == []
    assert not loop._notifier.isEnabled()
    loop.run_until_complete(until(lambda: seen))
    loop.remove_reader(left)
    assert seen == [b"early"]


def test_a_spinning_task_does_not_starve_sockets(loop: QtEventLoop, pair: tuple[socket.socket, socket.socket]) -> None:
    left, right = pair

    async def spin(until: asyncio.Future[bytes]) -> None:
        while not until.done():
            await asyncio.sleep(0)

    async def receive() -> bytes:
        received = loop.create_future()
        loop.add_reader(left, lambda: received.done() or received.set_result(left.recv(9)))
        loop.call_later(0.005, right.send, b"hello")
        await spin(received)
        loop.remove_reader(left)
        return received.result()

    assert loop.run_until_complete(asyncio.wait_for(receive(), 30)) == b"hello"


async def stream_back(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    async for chunk in request.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response


@asynccontextmanager
async def aiohttp_echo() -> AsyncIterator[str]:
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/", stream_back)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest.mark.parametrize(("size", "times"), [(0, 3), (10, 50), (300_000, 5)])
def test_aiohttp_talks_to_itself(loop: QtEventLoop, size: int, times: int) -> None:
    async def post(session: aiohttp.ClientSession, url: str) -> int:
        async with session.post(url, data=bytes(size)) as answer:
            return len(await answer.read())

    async def talk() -> list[int]:
        timeout = aiohttp.ClientTimeout(total=60, sock_read=30)
        async with aiohttp_echo() as url, aiohttp.ClientSession(timeout=timeout) as session:
            return await asyncio.gather(*(post(session, url) for _ in range(times)))

    assert loop.run_until_complete(talk()) == [size] * times


def test_a_client_that_leaves_is_noticed(loop: QtEventLoop) -> None:
    read: list[bytes] = []

    async def wait_for_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        read.append(await reader.read())

    async def leave() -> None:
        async with connected(wait_for_end) as (_, writer):
            writer.transport.abort()

    loop.run_until_complete(asyncio.wait_for(leave(), 30))
    assert read == [b""]
