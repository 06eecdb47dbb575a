"""The bench's own parts work: canned streams are whole, time marks are found, ratios and goals are right."""

from __future__ import annotations

import asyncio
import pathlib

import pytest

from tests.bench import shapes, targets
from tests.bench.measures import Measure, median_latency, read_streams
from tests.bench.table import line, render
from tests.bench.upstream import Upstream
from tests.bench.wire import BadAnswerError, Connection, connect


@pytest.fixture
async def upstream_port():
    made: list[Upstream] = []

    def accept() -> Upstream:
        made.append(Upstream())
        return made[-1]

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for connection in made:
        connection.transport.abort()
    await server.wait_closed()
    await asyncio.sleep(0)  # the aborted transports close their sockets on the next turn of the loop


@pytest.mark.parametrize("path", [shapes.MESSAGES, shapes.CHAT])
@pytest.mark.parametrize("pace_ms", [0, 1])
async def test_every_chunk_of_a_stream_is_seen(upstream_port, path, pace_ms):
    connection = await connect(upstream_port)
    for _ in range(2):
        answer = await connection.ask(shapes.stream(path, 7, pace_ms))
        assert len(answer.late_ms) == 7
        assert 0 < answer.first_text_s <= answer.total_s
    connection.transport.close()


@pytest.mark.parametrize("make", [shapes.small, shapes.long_talk, shapes.with_picture])
async def test_plain_requests_of_every_size_are_answered(upstream_port, make):
    connection = await connect(upstream_port)
    assert (await connection.ask(make(shapes.MESSAGES))).total_s > 0
    connection.transport.close()


def test_a_stream_cut_at_any_byte_shows_the_same_marks():
    body = b"".join(b'5\r\n"@%d@ word"\r\n' % n for n in (10**15, 10**15 + 1)) + b"0\r\n\r\n"
    for cut in range(1, len(body)):
        connection = whole_answer([body[:cut], body[cut:]])
        assert len(connection.answer.late_ms) == 2, cut
        assert connection.done.done(), cut


def whole_answer(pieces: list[bytes]) -> Connection:
    connection = Connection()
    connection.head = b"HTTP/1.1 200 OK"
    loop = asyncio.new_event_loop()
    connection.done = loop.create_future()
    for piece in pieces:
        connection.data_received(piece)
    loop.close()
    return connection


async def test_a_refusal_is_an_error_and_no_figure(upstream_port):
    connection = await connect(upstream_port)
    waiting = asyncio.get_running_loop().create_task(connection.ask(b""))
    await asyncio.sleep(0)
    connection.data_received(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno")
    with pytest.raises(BadAnswerError, match="502"):
        await waiting
    connection.transport.close()


async def test_the_bare_target_answers_and_its_cost_is_counted(upstream_port, tmp_path: pathlib.Path):
    async with targets.running(["bare"], upstream_port, tmp_path) as [bare]:
        before = bare.cpu_s()
        assert await median_latency(shapes.small(shapes.CHAT), 5)(bare) > 0
        assert len(await read_streams(bare, shapes.MESSAGES, 3, 4)) == 3
        assert bare.cpu_s() > before
        assert bare.rss_mib() > 5
    assert bare.process.poll() is not None


@pytest.mark.parametrize(
    ("kind", "goal", "higher", "ratio", "missed"),
    [("added", 1.5, False, "2.00", True), ("ratio", 2.0, False, "1.50", False), ("ratio", 1.6, True, "1.50", True)],
)
def test_ratios_and_goals(kind, goal, higher, ratio, missed):
    samples = {"direct": [1.0], "bare": [2.0], "tray": [3.0]}
    made = line(Measure("some line", "ms", kind, median_latency(b"", 1), goal, higher), samples)
    assert made.missed is missed
    assert ratio in render([made])
    assert ("MISSED" in render([made])) is missed
