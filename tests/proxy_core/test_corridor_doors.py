"""Every door in every spelling that clients are known to use, by both SDKs and bare."""

from __future__ import annotations

import asyncio
import re

import anthropic
import openai
import orjson
import pytest

from tests.corridor import Corridor, call, open_anthropic, open_openai
from tests.proxy_core.test_corridor_access import is_envelope

USER = [{"role": "user", "content": "word " * 100}]
TALK = {"model": "glm-4.6", "max_tokens": 5, "messages": USER}


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/", "/anthropic", "/anthropic/v1", "/v1/v1"])
async def test_the_anthropic_sdk_with_any_base_url(corridor: Corridor, base: str) -> None:
    async with open_anthropic(corridor.url + base) as client:
        said = await client.messages.create(**TALK)
        counted = await client.messages.count_tokens(model="glm-4.6", messages=USER)
    assert (said.content[0].text, counted.input_tokens > 100) == ("Hello, world.", True)


@pytest.mark.parametrize("base", ["/v1", "/v1/", "", "/", "/v1/v1", "/openai/v1", "//v1//"])
async def test_the_openai_sdk_with_any_base_url(corridor: Corridor, base: str) -> None:
    async with open_openai(corridor.url + base) as client:
        said = await client.chat.completions.create(**TALK)
        assert "glm-4.6" in [model.id async for model in client.models.list()]
    assert said.choices[0].message.content == "Hello, world."


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages",
        "/v1/messages?beta=true",
        "//v1//messages/",
        "/messages",
        "/v1/v1/messages",
        "/anthropic/v1/messages",
        "/v1/chat/completions",
        "/chat/completions/",
        "/v1//chat/completions",
        "/openai/v1/chat/completions",
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/json; charset=utf-8"])
async def test_chat_in_every_spelling(corridor: Corridor, path: str, content_type: str) -> None:
    got = await call(corridor, "POST", path, TALK, {"Content-Type": content_type})
    assert got.status == 200
    assert got.body["model"] == "glm-4.6"


async def test_both_sdks_list_the_models_and_read_the_same(corridor: Corridor) -> None:
    async with open_anthropic(corridor.url) as claude, open_openai(f"{corridor.url}/v1") as gpt:
        theirs = [model async for model in claude.models.list(limit=7)]
        ours = [model async for model in gpt.models.list()]
        one, other = await claude.models.retrieve("glm-5.3"), await gpt.models.retrieve("glm-5.3")
    assert [model.id for model in theirs] == [model.id for model in ours]
    assert len({model.id for model in ours}) == len(ours) > 20
    assert {"glm-4.6", "glm-4.6-openai", "claude-glm-5.3"} <= {model.id for model in ours}
    assert {model.type for model in theirs} == {"model"}
    assert (one.created_at.year, one.max_input_tokens, other.owned_by, other.created > 10**9) == (
        2026,
        1_048_576,
        "zai",
        True,
    )


async def test_unknown_models_and_doors_are_not_found(corridor: Corridor) -> None:
    async with open_anthropic(corridor.url) as claude, open_openai(f"{corridor.url}/v1") as gpt:
        with pytest.raises(anthropic.NotFoundError, match="llama"):
            await claude.models.retrieve("llama")
        with pytest.raises(openai.NotFoundError, match="llama"):
            await gpt.models.retrieve("llama")
        with pytest.raises(openai.NotFoundError, match="embeddings"):
            await gpt.embeddings.create(model="glm-4.6", input="x")


async def test_counting_asks_nobody_and_sees_everything(corridor: Corridor) -> None:
    async with open_anthropic(corridor.url) as client:
        count = client.messages.count_tokens
        bare = await count(model="glm-4.6", messages=USER)
        tools = [{"name": "now", "description": "d" * 400, "input_schema": {"type": "object"}}]
        full = await count(model="glm-4.6", messages=USER, system="s" * 400, tools=tools)
    assert full.input_tokens > bare.input_tokens + 190
    assert corridor.upstream.requests == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/", "/health", "/v1/models", "/v1/models/glm-4.6", "/v1", "/anthropic"])
async def test_looking_is_cheap(corridor: Corridor, method: str, path: str) -> None:
    got = await call(corridor, method, path)
    assert (got.status, got.headers["content-type"].split(";")[0]) == (200, "application/json")
    assert (got.body is None) is (method == "HEAD")
    assert corridor.upstream.requests == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/messages", 405),
        ("HEAD", "/v1/messages", 405),
        ("PUT", "/v1/chat/completions", 405),
        ("POST", "/health", 405),
        ("DELETE", "/v1/models/glm-4.6", 405),
        ("POST", "/api/event_logging/batch", 404),
        ("GET", "/favicon.ico", 404),
        ("POST", "/v1/embeddings", 404),
        ("GET", "/v1/models?limit=0", 400),
        ("GET", "/v1/models?limit=x", 400),
        ("GET", "/%00", 404),
        ("GET", "/v1/models/" + "x" * 5000, 404),
        ("GET", "/../../etc/passwd", 404),
    ],
)
async def test_refusals_are_json(corridor: Corridor, method: str, path: str, status: int) -> None:
    got = await call(corridor, method, path)
    assert (got.status, got.headers["content-type"].split(";")[0]) == (status, "application/json")
    assert is_envelope(got, path)


@pytest.mark.parametrize(
    ("headers", "is_anthropic"),
    [
        ({"anthropic-version": "2023-06-01"}, True),
        ({"User-Agent": "claude-cli/2.1.220 (external, cli)"}, True),
        ({}, False),
    ],
)
async def test_faults_at_shared_doors_are_told_in_the_callers_words(
    corridor: Corridor, headers: dict[str, str], is_anthropic: bool
) -> None:
    got = await call(corridor, "GET", "/v1/models/llama", headers=headers)
    assert ("request_id" in got.body) is is_anthropic


async def test_pages_of_the_list(corridor: Corridor) -> None:
    first = (await call(corridor, "GET", "/v1/models?limit=3")).body
    second = (await call(corridor, "GET", f"/v1/models?limit=1000&after_id={first['last_id']}")).body
    whole = (await call(corridor, "GET", "/v1/models")).body
    assert (first["has_more"], second["has_more"], whole["object"]) == (True, False, "list")
    assert first["data"] + second["data"] == whole["data"]


async def test_health_counts_what_is_in_flight(corridor: Corridor) -> None:
    got = await call(corridor, "GET", "/health")
    assert (got.body["status"], got.body["server"], got.body["in_flight"]) == ("ok", "fake", 0)
    corridor.proxy.paused = True
    assert (await call(corridor, "GET", "/health")).body["status"] == "paused"


@pytest.mark.parametrize("limit", ["0", "1001", "9" * 5000, "-1", "x", "", "٣x", "00000001"])
async def test_a_limit_that_is_none_is_the_clients_fault(corridor: Corridor, limit: str) -> None:
    got = await call(corridor, "GET", f"/v1/models?limit={limit}")
    assert got.status == 400


@pytest.mark.parametrize("limit", ["1", "20", "1000"])
async def test_a_limit_is_taken(corridor: Corridor, limit: str) -> None:
    assert (await call(corridor, "GET", f"/v1/models?limit={limit}")).status == 200


@pytest.mark.parametrize("path", ["/a%1b[31mred", "/a%0d%0aINFO%20forged", "/a%00", "/a%e2%80%aeb", "/a%7f"])
async def test_a_path_reaches_the_log_without_control_characters(
    corridor: Corridor, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level("INFO", "proxy_core.server.porter")
    assert (await call(corridor, "GET", path)).status == 404
    assert [record.getMessage().isprintable() for record in caplog.records] == [True]


async def test_pipelined_requests_are_answered_in_their_order(corridor: Corridor) -> None:
    assert corridor.proxy.address is not None
    body = orjson.dumps({"model": "glm-4.6", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]})
    chat = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    reader, writer = await asyncio.open_connection(*corridor.proxy.address)
    writer.write(chat + b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" + chat)
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    got = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    statuses = re.findall(r"HTTP/1\.1 (\d+)", got)
    assert (statuses, len(corridor.upstream.requests)) == (["200", "404", "200", "200"], 2)


async def test_a_client_may_call_itself_what_no_json_could_hold(corridor: Corridor) -> None:
    body = orjson.dumps(TALK)
    reader, writer = await asyncio.open_connection("127.0.0.1", corridor.proxy.address[1])
    head = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    writer.write(head + b"User-Agent: curl \xff\xc2\x9b2J\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()
    (client,) = {event.exchange.client for event in corridor.events}
    assert client == "curl \ufffd\ufffd2J"
