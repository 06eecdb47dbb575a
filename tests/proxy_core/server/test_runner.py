"""Binding, binding anew, and refusing to be an open relay."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import ClientSession

from proxy_core.events import EventBus
from proxy_core.pipeline.setup import Setup
from proxy_core.server import malformed
from proxy_core.server.proxy import Proxy
from proxy_core.server.runner import OpenListenerError, PortInUseError
from proxy_core.settings import BUILTIN_SERVERS, ProxySettings


class Host:
    """A proxy whose settings a test may change."""

    def __init__(self) -> None:
        self.setup = Setup(ProxySettings(port=0), BUILTIN_SERVERS[0])
        self.proxy = Proxy(setup=lambda: self.setup, key_of=self._no_key, bus=EventBus(), encoder=lambda: len)

    async def _no_key(self, _: str) -> None:
        return None

    def set(self, **changes: object) -> None:
        settings = ProxySettings.model_validate({**self.setup.settings.model_dump(), **changes})
        self.setup = Setup(settings, self.setup.server)

    async def health(self) -> int:
        assert self.proxy.address is not None
        async with ClientSession() as session, session.get(f"http://127.0.0.1:{self.proxy.address[1]}/health") as got:
            return got.status


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    await host.proxy.start()
    yield host
    await host.proxy.stop(0)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


async def test_it_listens_where_it_says(host: Host) -> None:
    assert await host.health() == 200


async def test_a_taken_port_leaves_the_old_one_open(host: Host, taken_port: int) -> None:
    before = host.proxy.address
    host.set(port=taken_port)
    with pytest.raises(PortInUseError) as caught:
        await host.proxy.rebind()
    assert caught.value.port == taken_port
    assert host.proxy.address == before
    assert await host.health() == 200


async def test_starting_on_a_taken_port_leaves_nothing_open(taken_port: int) -> None:
    host = Host()
    host.set(port=taken_port)
    with pytest.raises(PortInUseError):
        await host.proxy.start()
    assert host.proxy.address is None


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.7.7"])
async def test_listening_openly_without_a_key_is_refused(host: Host, address: str) -> None:
    host.set(host=address)
    with pytest.raises(OpenListenerError, match="PROXY_ACCESS_KEY"):
        await host.proxy.rebind()
    assert await host.health() == 200


async def test_rebinding_moves_the_door(host: Host) -> None:
    before = host.proxy.address
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    host.set(port=free)
    await host.proxy.rebind()
    assert host.proxy.address == ("127.0.0.1", free) != before
    assert await host.health() == 200


async def test_after_stop_nothing_listens(host: Host) -> None:
    assert host.proxy.address is not None
    port = host.proxy.address[1]
    await host.proxy.stop(0)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize(
    "sent",
    [
        b"sk-secret prompt\r\n\r\n",
        b"GET /sk-secret HTTP/9\r\n\r\n",
        b"GET / HTTP/1.1\r\nx-api-key sk-secret\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nx-api-key: sk-secret\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: sk-secret\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nsk-secret prompt\r\n\r\n",
    ],
)
async def test_malformed_http_is_logged_without_its_bytes(
    host: Host, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    assert host.proxy.address is not None
    caplog.set_level("DEBUG", malformed.log.name)
    reader, writer = await asyncio.open_connection(*host.proxy.address)
    writer.write(sent)
    assert b" 400 " in await reader.read()
    writer.close()
    assert "Malformed HTTP" in caplog.text
    assert "secret" not in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("steps", range(8))
async def test_a_cancelled_rebinding_leaves_a_door_open(host: Host, steps: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host.set(port=probe.getsockname()[1])
    async with asyncio.TaskGroup() as group:
        rebinding = group.create_task(host.proxy.rebind())
        for _ in range(steps):
            await asyncio.sleep(0)
        rebinding.cancel()
    assert await host.health() == 200
