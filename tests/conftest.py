"""Fixtures for everybody, and two guards: no test reaches beyond this machine, no task outlives its test.

Whatever is heavy is imported inside the fixture that needs it, so that the GUI tests do not pay for it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

    from proxy_core.server.proxy import Proxy
    from tests.corridor import Corridor
    from tests.fake_upstream import FakeUpstream

_LOGGERS = ("app", "proxy_core", "aiohttp")
_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex
_getaddrinfo = socket.getaddrinfo


def _refuse_distant(address: object) -> None:
    """Only loopback and local sockets (a path, or an abstract name) may be connected to."""
    if not isinstance(address, tuple):
        return
    host = str(address[0])
    if host not in ("localhost", "") and not ipaddress.ip_address(host.split("%")[0]).is_loopback:
        raise RuntimeError(f"a test wanted to reach {host}")


def _guarded_connect(self: socket.socket, address: object) -> None:
    _refuse_distant(address)
    _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: object) -> int:
    _refuse_distant(address)
    return _connect_ex(self, address)


def _guarded_getaddrinfo(host: object, *args: object, **kwargs: object) -> object:
    name = host.decode() if isinstance(host, bytes) else host
    if name not in (None, "", "localhost", "0.0.0.0", "::") and not str(name).endswith(".localhost"):
        try:
            _refuse_distant((name,))
        except ValueError:
            raise RuntimeError(f"a test wanted to look up {name}") from None
    return _getaddrinfo(host, *args, **kwargs)


@pytest.fixture(autouse=True, scope="session")
def _only_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded_connect)
        patch.setattr(socket.socket, "connect_ex", _guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", _guarded_getaddrinfo)
        yield


@contextmanager
def _logging_kept() -> Iterator[None]:
    """The program sets up logging for a whole process; whoever comes next begins anew."""
    names = ["", *(name for name in logging.root.manager.loggerDict if name.startswith(_LOGGERS))]
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger, logger.level, logger.propagate, logger.disabled, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, propagate, disabled, handlers in before:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled
        logger.handlers[:] = handlers


@pytest.fixture(autouse=True, scope="module")
def _logging_of_the_module() -> Iterator[None]:
    with _logging_kept():
        yield


@pytest.fixture(autouse=True)
def _logging_of_the_test() -> Iterator[None]:
    with _logging_kept():
        yield


@pytest.fixture(autouse=True)
def _no_task_left(request: pytest.FixtureRequest) -> None:
    if pytest_asyncio.is_async_test(request.node):
        request.getfixturevalue("_task_guard")


@pytest_asyncio.fixture
async def _task_guard() -> AsyncIterator[None]:
    """Torn down last: by then everybody must have ended what they began."""
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"left running: {left}"


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    """A scripted upstream that fails the test over any request that no real one would take."""
    from tests.fake_upstream import FakeUpstream

    fake = FakeUpstream()
    yield fake
    await fake.stop()
    assert fake.violations == []


@pytest_asyncio.fixture
async def corridor(upstream: FakeUpstream) -> AsyncIterator[Corridor]:
    """The real proxy over the scripted upstream, with settings that a test may change while it runs."""
    from tests.corridor import Corridor

    corridor = Corridor(upstream)
    await corridor.start()
    yield corridor
    await corridor.stop()


@pytest_asyncio.fixture
async def proxy(corridor: Corridor) -> Proxy:
    """The proxy itself."""
    return corridor.proxy


@pytest_asyncio.fixture
async def anthropic_client(corridor: Corridor) -> AsyncIterator[AsyncAnthropic]:
    """The official SDK, pointed at the proxy as users are told to."""
    from tests.corridor import open_anthropic

    async with open_anthropic(corridor.url) as client:
        yield client


@pytest_asyncio.fixture
async def openai_client(corridor: Corridor) -> AsyncIterator[AsyncOpenAI]:
    """The official SDK, pointed at the proxy as users are told to."""
    from tests.corridor import open_openai

    async with open_openai(f"{corridor.url}/v1") as client:
        yield client
