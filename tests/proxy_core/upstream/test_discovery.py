"""Asking a server for its models."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from proxy_core.errors import UpstreamError
from proxy_core.settings import ProxySettings
from proxy_core.upstream.client import UpstreamClient
from proxy_core.upstream.discovery import discover_models, read_ids
from tests.fake_upstream import FakeUpstream, Reply


@pytest_asyncio.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    client = UpstreamClient()
    await client.open()
    yield client
    await client.close()


async def test_it_is_one_get_with_the_key(client: UpstreamClient, upstream: FakeUpstream) -> None:
    server = await upstream.start()
    upstream.reply = Reply(body={"object": "list", "data": [{"id": "glm-6"}, {"id": "glm-5.3"}]})
    assert await discover_models(client, ProxySettings(), server, "the-key") == ("glm-6", "glm-5.3")
    asked = upstream.last
    assert (asked.method, asked.path, asked.raw) == ("GET", "/api/coding/paas/v4/models", b"")
    assert asked.headers["authorization"] == "Bearer the-key"


@pytest.mark.parametrize("reply", [Reply(status=404, body={}), Reply(status=200, body={"success": False})])
async def test_a_server_without_a_list_is_an_error(client, upstream: FakeUpstream, reply: Reply) -> None:
    server = await upstream.start()
    upstream.reply = reply
    with pytest.raises(UpstreamError):
        await discover_models(client, ProxySettings(), server, "the-key")


async def test_a_server_that_says_nothing_is_left_in_time(client, upstream: FakeUpstream) -> None:
    server = await upstream.start()
    upstream.reply = Reply(body=b'{"data": []}', hold_at=3)
    with pytest.raises(UpstreamError, match="within"):
        await discover_models(client, ProxySettings(), server, "the-key", limit_s=0.05)


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        ([], ()),
        ([{"id": "a"}, {"id": "a"}, {"id": "org/b:1"}], ("a", "org/b:1")),
        ([{"id": 5}, {"name": "x"}, "y", {"id": ""}, {"id": "two words"}, {"id": "\u2028"}, {"id": "x" * 101}], ()),
        ([{"id": f"m{n}"} for n in range(300)], tuple(f"m{n}" for n in range(200))),
    ],
)
def test_only_plausible_ids_are_taken(data: list[object], ids: tuple[str, ...]) -> None:
    assert read_ids(orjson.dumps({"data": data})) == ids


@pytest.mark.parametrize("raw", [b"", b"[]", b"<html>", b'{"data": {}}', b'{"data": null}'])
def test_what_is_no_list_is_an_error(raw: bytes) -> None:
    with pytest.raises(UpstreamError):
        read_ids(raw)
