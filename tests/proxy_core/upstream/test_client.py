"""The client session against a real server: limits, faults in words, connections kept and closed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from proxy_core.errors import ErrorKind, UpstreamError
from proxy_core.upstream.client import Limits, Outgoing, UpstreamClient

Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
LIMITS = Limits(connect_s=5, first_byte_s=5, idle_s=5, total_s=5)


@pytest.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    client = UpstreamClient()
    await client.open()
    yield client
    await client.close()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    runners: list[web.AppRunner] = []

    async def start(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        app = web.Application()
        app.router.add_post("/", handler)
        runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/"

    yield start
    for runner in runners:
        await runner.cleanup()


def request(url: str, limits: Limits = LIMITS, proxy: str = "") -> Outgoing:
    return Outgoing(url, {"content-type": "application/json"}, b"{}", True, limits, proxy)


async def test_a_plain_answer(client: UpstreamClient, serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"a": 1}, status=418)

    reply = await client.send(request(await serve(answer)))
    assert (reply.status, await reply.read()) == (418, b'{"a": 1}')
    reply.close()


async def test_a_finished_answer_keeps_the_connection(client: UpstreamClient, serve: Serve) -> None:
    ports: list[object] = []

    async def answer(req: web.Request) -> web.Response:
        ports.append(req.transport.get_extra_info("peername") if req.transport else None)
        return web.Response(text="ok")

    url = await serve(answer)
    for _ in range(3):
        reply = await client.send(request(url))
        await reply.read()
        reply.close()
    assert len(set(ports)) == 1


async def test_silence_before_the_answer(client: UpstreamClient, serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    with pytest.raises(UpstreamError) as caught:
        await client.send(request(await serve(answer), Limits(0.01, 0.05, 5, 5)))
    assert (caught.value.kind, caught.value.status) == (ErrorKind.TIMEOUT, 504)


async def test_silence_in_the_middle(client: UpstreamClient, serve: Serve) -> None:
    async def answer(req: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(req)
        await response.write(b"data: 1\n\n")
        await asyncio.Event().wait()
        return response

    reply = await client.send(request(await serve(answer), Limits(5, 5, 0.05, 5)))
    with pytest.raises(UpstreamError) as caught:
        await reply.read()
    assert caught.value.kind is ErrorKind.TIMEOUT
    reply.close()


async def test_a_cut_in_the_middle(client: UpstreamClient, serve: Serve) -> None:
    async def answer(req: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(req)
        await response.write(b"data: 1\n\n")
        assert req.transport is not None
        req.transport.close()
        return response

    reply = await client.send(request(await serve(answer)))
    with pytest.raises(UpstreamError, match="before its answer was complete"):
        await reply.read()
    reply.close()


@pytest.mark.parametrize("beat_s", [5.0, 0.05])
@pytest.mark.parametrize("is_read_late", [False, True])
async def test_what_came_before_a_break_is_handed_out(
    client: UpstreamClient, beat_s: float, is_read_late: bool
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reply = await client.send(request(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))
        while is_read_late and reply._response.content.exception() is None:
            await asyncio.sleep(0)
        seen: list[bytes] = []
        with pytest.raises(UpstreamError, match="before its answer was complete"):
            async for chunk in reply.chunks(beat_s):
                seen.append(chunk)
        reply.close()
    assert b"".join(seen) == b"hello"


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://127.0.0.1:1/", "No connection to 127.0.0.1"),
        ("not a url", "not a valid URL"),
    ],
)
async def test_unreachable_servers_in_words(client: UpstreamClient, url: str, word: str) -> None:
    with pytest.raises(UpstreamError, match=word) as caught:
        await client.send(request(url))
    assert caught.value.status == 502


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain", b'data: {"a": 1}\n\n', "text/event-stream"),
        ("", b"event: message_start\ndata: 1\n\n", "text/event-stream"),
        ("text/html; charset=utf-8", b": hello\n\ndata: 1\n\n", "text/event-stream"),
        ("text/plain", b"\xef\xbb\xbf\ndata: 1\n\n", "text/event-stream"),
        ("application/json", b"data: 1\n\n", "application/json"),
        ("text/plain", b'{"data": 1}', "text/plain"),
        ("text/plain", b"dat", "text/plain"),
        ("text/plain", b"", "text/plain"),
    ],
)
@pytest.mark.parametrize("piece_bytes", [1, 100])
async def test_event_streams_are_known_by_their_first_bytes(
    client: UpstreamClient, serve: Serve, content_type: str, body: bytes, expected: str, piece_bytes: int
) -> None:
    async def answer(req: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": content_type})
        await response.prepare(req)
        for start in range(0, len(body), piece_bytes):
            await response.write(body[start : start + piece_bytes])
        return response

    reply = await client.send(request(await serve(answer)))
    assert (reply.content_type, await reply.read()) == (expected, body)
    reply.close()


@pytest.mark.parametrize("ending", ["long", "broken", "silent"])
async def test_an_error_is_read_as_far_as_it_goes(
    client: UpstreamClient, serve: Serve, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr("proxy_core.upstream.client._ERROR_S", 0.2)

    async def answer(req: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=429)
        await response.prepare(req)
        await response.write(b"busy " * (200_000 if ending == "long" else 1))
        assert req.transport is not None
        await (asyncio.Event().wait() if ending == "silent" else asyncio.sleep(0))
        req.transport.close()
        return response

    reply = await client.send(request(await serve(answer)))
    start = await reply.read_start(10_000)
    assert (reply.status, start) == (429, b"busy " * (2_000 if ending == "long" else 1))
    reply.close()


async def test_a_redirect_is_not_followed(client: UpstreamClient, serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:1/elsewhere")

    with pytest.raises(UpstreamError, match="redirect"):
        await client.send(request(await serve(answer)))


async def test_a_connection_closed_at_once_is_tried_once_more(client: UpstreamClient, serve: Serve) -> None:
    calls = 0

    async def answer(req: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        if calls == 1:
            assert req.transport is not None
            req.transport.close()
        return web.Response(text="second")

    reply = await client.send(request(await serve(answer)))
    assert await reply.read() == b"second"
    reply.close()


async def test_loopback_never_goes_through_the_outbound_proxy(client: UpstreamClient, serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="direct")

    reply = await client.send(request(await serve(answer), proxy="http://127.0.0.1:1"))
    assert await reply.read() == b"direct"
    reply.close()
