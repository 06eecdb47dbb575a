"""Who may come in, over real sockets: Host, Origin and the access key on every door."""

from __future__ import annotations

import asyncio

import anthropic
import openai
import pytest

from tests.corridor import Corridor, Got, call, open_anthropic, open_openai

KEY = "access-key-of-the-test"
TALK = {"model": "glm-4.6", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
DOORS = [
    ("POST", "/v1/messages", TALK),
    ("POST", "/v1/messages/count_tokens", TALK),
    ("POST", "/v1/chat/completions", TALK),
    ("GET", "/v1/models", None),
    ("GET", "/v1/models/glm-4.6", None),
    ("GET", "/", None),
    ("HEAD", "/", None),
    ("GET", "/health", None),
]
EVERY_DOOR = pytest.mark.parametrize(("method", "path", "body"), DOORS, ids=[f"{door[0]} {door[1]}" for door in DOORS])
CLOSED_DOORS = pytest.mark.parametrize(
    ("method", "path", "body"), [*DOORS[:-1], ("GET", "/nowhere", None), ("POST", "/", TALK)], ids=str
)


def is_envelope(got: Got, path: str) -> bool:
    """Whether the error is told in the words of the door's dialect."""
    if got.body is None:  # an answer to HEAD
        return True
    assert isinstance(got.body, dict)
    error = got.body["error"]
    is_anthropic = "type" in got.body and bool(got.body["request_id"]) and error.keys() >= {"type", "message"}
    return is_anthropic if path.startswith("/v1/messages") else error.keys() >= {"message", "type", "param", "code"}


@EVERY_DOOR
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:5000", "192.168.0.7", ""])
async def test_a_foreign_host_is_refused_at_every_door(
    corridor: Corridor, method: str, path: str, body: object, host: str
) -> None:
    got = await call(corridor, method, path, body, {"Host": host})
    assert (got.status, is_envelope(got, path)) == (403, True)
    assert corridor.upstream.requests == []


@EVERY_DOOR
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
async def test_a_foreign_origin_is_refused_at_every_door(
    corridor: Corridor, method: str, path: str, body: object, origin: str
) -> None:
    got = await call(corridor, method, path, body, {"Origin": origin})
    assert (got.status, is_envelope(got, path)) == (403, True)
    assert "access-control-allow-origin" not in got.headers
    assert corridor.upstream.requests == []


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
async def test_an_origin_of_our_own_may_read_the_answer_and_no_other(corridor: Corridor, method: str) -> None:
    origin = "http://localhost:3000"
    got = await call(corridor, method, "/v1/chat/completions", TALK, {"Origin": origin})
    assert got.status == (204 if method == "OPTIONS" else 200)
    assert (got.headers["access-control-allow-origin"], got.headers["vary"].lower()) == (origin, "origin")


@EVERY_DOOR
async def test_a_configured_host_comes_in(corridor: Corridor, method: str, path: str, body: object) -> None:
    corridor.change(allowed_hosts=("proxy.lan",))
    got = await call(corridor, method, path, body, {"Host": "proxy.lan:5000", "Origin": "http://proxy.lan"})
    assert got.status == 200


@CLOSED_DOORS
@pytest.mark.parametrize(
    "headers",
    [{}, {"x-api-key": "other"}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {KEY}x"}, {"x-api-key": "ä"}],
    ids=str,
)
async def test_without_the_access_key_nobody_comes_in(
    corridor: Corridor, method: str, path: str, body: object, headers: dict[str, str]
) -> None:
    corridor.access_key = KEY
    got = await call(corridor, method, path, body, headers)
    assert (got.status, is_envelope(got, path)) == (401, True)
    assert corridor.upstream.requests == []


@EVERY_DOOR
@pytest.mark.parametrize(
    "headers",
    [{"x-api-key": KEY}, {"api-key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer  {KEY}"}],
    ids=str,
)
async def test_the_access_key_opens_and_stays_here(
    corridor: Corridor, method: str, path: str, body: object, headers: dict[str, str]
) -> None:
    corridor.access_key = KEY
    corridor.upstream.secrets = (KEY,)
    assert (await call(corridor, method, path, body, headers)).status == 200
    assert all(KEY.encode() not in received.raw for received in corridor.upstream.requests)


async def test_health_is_open_and_tells_no_secret(corridor: Corridor) -> None:
    corridor.access_key = KEY
    got = await call(corridor, "GET", "/health")
    assert got.status == 200
    assert got.body.keys() == {"status", "version", "uptime_s", "server", "in_flight"}


@pytest.mark.parametrize("has_stored_key", [True, False])
async def test_the_access_key_never_goes_out_even_where_no_other_is_at_hand(
    corridor: Corridor, has_stored_key: bool
) -> None:
    corridor.access_key, corridor.upstream.secrets = KEY, (KEY,)
    corridor.stored_key = "stored" if has_stored_key else None
    got = await call(corridor, "POST", "/v1/messages", TALK, {"x-api-key": KEY})
    assert got.status == (200 if has_stored_key else 401)


async def test_the_clients_own_key_goes_out_beside_the_access_key(corridor: Corridor) -> None:
    corridor.access_key, corridor.upstream.secrets, corridor.stored_key = KEY, (KEY,), None
    headers = {"x-api-key": "my-own", "Authorization": f"Bearer {KEY}", "Cookie": "a=b", "api-key": KEY}
    assert (await call(corridor, "POST", "/v1/messages", TALK, headers)).status == 200
    sent = corridor.upstream.last.headers
    assert "my-own" in (sent.get("x-api-key"), sent.get("authorization", "").removeprefix("Bearer "))


async def test_both_sdks_raise_their_class_for_a_wrong_key(corridor: Corridor) -> None:
    corridor.access_key = KEY
    async with open_anthropic(corridor.url, "wrong") as client:
        with pytest.raises(anthropic.AuthenticationError, match="access key"):
            await client.messages.create(**TALK)
    async with open_openai(f"{corridor.url}/v1", "wrong") as client:
        with pytest.raises(openai.AuthenticationError, match="access key"):
            await client.models.list()


@pytest.mark.parametrize(("host", "status"), [("localhost", 200), ("evil.example", 403)])
async def test_a_whole_url_in_the_request_line_counts_as_the_host(corridor: Corridor, host: str, status: int) -> None:
    assert corridor.proxy.address is not None
    reader, writer = await asyncio.open_connection(*corridor.proxy.address)
    writer.write(f"GET http://{host}/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head = await reader.readline()
    await reader.read()
    writer.close()
    await writer.wait_closed()
    assert int(head.split()[1]) == status
