"""Streams that break: a dead upstream never looks finished, and a client that leaves takes the upstream along."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import anthropic
import openai
import orjson
import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy_core.chat import Text, ToolCall
from proxy_core.events import Exchange, ExchangeFinished
from tests.corridor import Corridor, call, open_anthropic, open_openai
from tests.fake_upstream import HELLO, Reply
from tests.legs import LEGS, Leg, ask, request

LONG = replace(HELLO, parts=(Text("word " * 60),))
ENDINGS = ["proper", "close", "abort"]
CAP_S = 10.0
PATHS = {"anthropic": "/v1/messages", "openai": "/v1/chat/completions"}


def request_bytes(path: str, body: object) -> bytes:
    """A request as raw bytes."""
    data = orjson.dumps(body)
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


async def finished(corridor: Corridor) -> Exchange:
    """The last exchange, once it has its outcome."""
    async with asyncio.timeout(CAP_S):
        while not corridor.events or not isinstance(corridor.events[-1], ExchangeFinished):
            await asyncio.sleep(0.005)
    return corridor.events[-1].exchange


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(part=st.floats(0.0, 0.9))
async def test_a_stream_that_dies_raises_in_the_sdk(corridor: Corridor, leg: Leg, ending: str, part: float) -> None:
    size = len(Reply(answer=LONG).render(leg.upstream, stream=True))
    corridor.upstream.reply = Reply(answer=LONG, cut_at=int(size * part), ending=ending)
    with pytest.raises((anthropic.APIError, openai.APIError)) as caught:
        await ask(corridor, leg, request("go"), stream=True)
    assert "upstream" in str(caught.value).lower()
    assert (await finished(corridor)).outcome == "failed"


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize("ending", ["close", "abort"])
async def test_a_plain_answer_that_dies_is_an_error(corridor: Corridor, leg: Leg, ending: str) -> None:
    corridor.upstream.reply = Reply(answer=LONG, cut_at=100, ending=ending)
    with pytest.raises((anthropic.InternalServerError, openai.InternalServerError)) as caught:
        await ask(corridor, leg, request("go"), stream=False)
    assert caught.value.status_code == 502


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_silence_in_mid_stream_ends_in_an_error(corridor: Corridor, leg: Leg) -> None:
    corridor.change(stream_timeout=0.1)
    corridor.upstream.reply = Reply(answer=LONG, hold_at=1000)
    with pytest.raises((anthropic.APIError, openai.APIError), match="silent"):
        await ask(corridor, leg, request("go"), stream=True)
    await asyncio.wait_for(corridor.upstream.last.left.wait(), CAP_S)


@pytest.mark.parametrize(
    ("leg", "event"),
    [
        (LEGS[0], b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Busy"}}\n\n'),
        (LEGS[1], b'data: {"error":{"code":"1305","message":"Busy"}}\n\n'),
        (LEGS[2], b'data: {"error":{"code":"1305","message":"Busy"}}\n\n'),
        (LEGS[3], b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Busy"}}\n\n'),
    ],
    ids=str,
)
async def test_an_error_event_is_told_in_the_clients_words(corridor: Corridor, leg: Leg, event: bytes) -> None:
    body = Reply(answer=LONG).render(leg.upstream, stream=True)[:1500].rpartition(b"\n\n")[0] + b"\n\n" + event
    corridor.upstream.reply = Reply(body=body)
    with pytest.raises((anthropic.APIError, openai.APIError), match="Busy"):
        await ask(corridor, leg, request("go"), stream=True)


@pytest.mark.parametrize("leg", [leg for leg in LEGS if leg.client == "anthropic"], ids=str)
async def test_an_error_in_mid_stream_carries_the_id_of_the_call(corridor: Corridor, leg: Leg) -> None:
    corridor.upstream.reply = Reply(answer=LONG, cut_at=1000)
    with pytest.raises(anthropic.APIStatusError) as caught:
        await ask(corridor, leg, request("go"), stream=True)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["request_id"] == caught.value.response.headers["request-id"]


@pytest.mark.parametrize("leg", [leg for leg in LEGS if leg.upstream == "openai"], ids=str)
async def test_what_the_client_cannot_be_told_is_a_failure(corridor: Corridor, leg: Leg) -> None:
    said = replace(HELLO, parts=(ToolCall("c1", "look", '{"a":1}}'),))
    corridor.upstream.reply = Reply(answer=said)
    with pytest.raises((anthropic.APIError, openai.APIError), match="not JSON"):
        await ask(corridor, leg, request("go"), stream=True)
    assert (await finished(corridor)).outcome == "failed"


async def test_what_codex_cannot_be_told_is_a_failure(corridor: Corridor) -> None:
    corridor.upstream.reply = Reply(answer=replace(HELLO, parts=(ToolCall("c1", "look", '{"a":1}}'),)))
    got = await call(corridor, "POST", "/v1/responses", {"model": "glm-4.6-openai", "input": "go", "stream": True})
    assert "response.failed" in got.text
    assert (await finished(corridor)).outcome == "failed"


@pytest.mark.parametrize("leg", [leg for leg in LEGS if leg.upstream == "openai"], ids=str)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_zais_network_error_is_a_failure(corridor: Corridor, leg: Leg, stream: bool) -> None:
    told = Reply(answer=HELLO).render("openai", stream=stream)
    corridor.upstream.reply = Reply(body=told.replace(b'"finish_reason":"stop"', b'"finish_reason":"network_error"'))
    with pytest.raises((anthropic.APIError, openai.APIError), match="lost its own connection"):
        await ask(corridor, leg, request("go"), stream=stream)


async def read_a_little(corridor: Corridor, leg: Leg) -> None:
    """Open a stream, hear something, leave."""
    if leg.client == "anthropic":
        async with open_anthropic(corridor.url) as client:
            messages = [{"role": "user", "content": "go"}]
            stream = await client.messages.create(model=leg.model, max_tokens=9, messages=messages, stream=True)
            await anext(aiter(stream))
    else:
        async with open_openai(f"{corridor.url}/v1") as client:
            messages = [{"role": "user", "content": "go"}]
            stream = await client.chat.completions.create(model=leg.model, messages=messages, stream=True)
            await anext(aiter(stream))


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_a_client_that_leaves_in_mid_stream_ends_the_upstream(corridor: Corridor, leg: Leg) -> None:
    corridor.upstream.reply = Reply(answer=LONG, hold_at=1000)
    await read_a_little(corridor, leg)
    await asyncio.wait_for(corridor.upstream.last.left.wait(), CAP_S)
    exchange = await finished(corridor)
    assert (exchange.outcome, exchange.error_kind, corridor.proxy.in_flight) == ("cancelled", "", 0)


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_a_client_that_leaves_while_waiting_ends_the_upstream(corridor: Corridor, leg: Leg, stream: bool) -> None:
    corridor.upstream.reply = Reply(hold_at=0)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask(corridor, leg, request("go"), stream=stream))
        await asyncio.wait_for(corridor.upstream.arrived.wait(), CAP_S)
        asking.cancel()
    await asyncio.wait_for(corridor.upstream.last.left.wait(), CAP_S)
    assert (await finished(corridor)).outcome == "cancelled"


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_a_client_that_stops_reading_ends_as_one_that_left(corridor: Corridor, leg: Leg) -> None:
    corridor.change(stream_timeout=0.2)
    corridor.upstream.reply = Reply(answer=HELLO, split=lambda _: ["word " * 200_000] * 16)
    body = {"model": leg.model, "stream": True, "max_tokens": 9, "messages": [{"role": "user", "content": "go"}]}
    assert corridor.proxy.address is not None
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(corridor.proxy.address)
        client.sendall(request_bytes(PATHS[leg.client], body))
        exchange = await finished(corridor)
        await asyncio.wait_for(corridor.upstream.last.left.wait(), CAP_S)
    assert (exchange.outcome, exchange.status, corridor.proxy.in_flight) == ("cancelled", 499, 0)


async def test_a_whole_answer_that_nobody_reads_is_given_up_too(corridor: Corridor) -> None:
    corridor.change(stream_timeout=0.2)
    corridor.upstream.reply = Reply(answer=replace(HELLO, parts=(Text("word " * 3_200_000),)))
    body = {"model": "glm-4.6", "max_tokens": 9, "messages": [{"role": "user", "content": "go"}]}
    assert corridor.proxy.address is not None
    connections = corridor.proxy._listener._runner.server
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(corridor.proxy.address)
        client.sendall(request_bytes("/v1/messages", body))
        assert (await finished(corridor)).outcome == "done"
        async with asyncio.timeout(CAP_S):
            while connections.connections:
                await asyncio.sleep(0.01)
    assert corridor.proxy.in_flight == 0


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_stopping_tells_the_client_that_its_stream_was_cut(corridor: Corridor, leg: Leg) -> None:
    corridor.upstream.reply = Reply(answer=LONG, hold_at=1000)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(failure(corridor, leg))
        await asyncio.wait_for(corridor.upstream.arrived.wait(), CAP_S)
        while not corridor.upstream.last.sent:
            await asyncio.sleep(0.005)
        await corridor.proxy.stop(0.05)
    assert "shutting down" in str(asking.result())


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_stopping_tells_who_still_waits_in_full(corridor: Corridor, leg: Leg, stream: bool) -> None:
    corridor.upstream.reply = Reply(hold_at=0)
    body = {"model": leg.model, "stream": stream, "max_tokens": 9, "messages": [{"role": "user", "content": "go"}]}
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(call(corridor, "POST", PATHS[leg.client], body))
        await asyncio.wait_for(corridor.upstream.arrived.wait(), CAP_S)
        await corridor.proxy.stop(0.05)
    got = asking.result()
    assert (got.status, got.body["error"]["message"]) == (503, "The proxy is shutting down.")
    assert (await finished(corridor)).outcome == "cancelled"


async def test_while_stopping_nothing_new_comes_in_by_open_connections(corridor: Corridor) -> None:
    corridor.upstream.reply = reply = Reply(hold_at=0)
    body = {"model": "glm-4.6", "max_tokens": 9, "messages": [{"role": "user", "content": "go"}]}
    async with ClientSession(corridor.url) as session, asyncio.TaskGroup() as group:
        running = group.create_task(session.post("/v1/messages", json=body))
        await asyncio.wait_for(corridor.upstream.arrived.wait(), CAP_S)
        await (await session.get("/health")).read()
        group.create_task(corridor.proxy.stop(CAP_S))
        while corridor.proxy.address is not None:
            await asyncio.sleep(0.005)
        late = await session.post("/v1/messages", json=body)
        reply.gate.set()
    assert (late.status, running.result().status, len(corridor.upstream.requests)) == (503, 200, 1)


async def failure(corridor: Corridor, leg: Leg) -> Exception:
    with pytest.raises((anthropic.APIError, openai.APIError)) as caught:
        await ask(corridor, leg, request("go"), stream=True)
    return caught.value


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_a_stream_goes_on_where_it_began_when_the_server_is_switched(corridor: Corridor, leg: Leg) -> None:
    reply = corridor.upstream.reply = Reply(answer=LONG, hold_at=1000)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask(corridor, leg, request("go"), stream=True))
        await asyncio.wait_for(corridor.upstream.arrived.wait(), CAP_S)
        corridor.server = corridor.server.model_copy(update={"name": "other", "endpoint": "http://127.0.0.1:9"})
        reply.gate.set()
    assert asking.result().text == "word " * 60


@pytest.mark.parametrize("leg", LEGS, ids=str)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", ["text/plain", ""])
async def test_an_event_stream_under_another_name(corridor: Corridor, leg: Leg, stream: bool, name: str) -> None:
    body = Reply(answer=HELLO).render(leg.upstream, stream=True)
    corridor.upstream.reply = Reply(body=body, headers={"Content-Type": name})
    assert (await ask(corridor, leg, request("go"), stream=stream)).text == "Hello, world."


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_an_endless_error_keeps_its_status(corridor: Corridor, leg: Leg) -> None:
    corridor.change(max_retries=0)
    corridor.upstream.reply = Reply(status=404, body=b"<html>" + b"x" * 400_000, headers={"Content-Type": "text/html"})
    body = {"model": leg.model, "max_tokens": 9, "messages": [{"role": "user", "content": "go"}]}
    got = await call(corridor, "POST", PATHS[leg.client], body)
    assert (got.status, len(got.text) < 2000) == (404, True)
