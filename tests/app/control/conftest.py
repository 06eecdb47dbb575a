from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest_asyncio

from app.control.client import ControlClient, find_instance
from tests.app.control.hosts import Host

T = TypeVar("T")


@pytest_asyncio.fixture
async def host(tmp_path):
    host = Host(tmp_path)
    await host.runtime.start()
    yield host
    await host.stop()


@pytest_asyncio.fixture
async def ask(host):
    """Says a verb to the running host, as another program would."""
    client = await asyncio.to_thread(find_instance, host.home)
    assert client is not None

    async def say(verb: Callable[[ControlClient], T]) -> T:
        return await asyncio.to_thread(verb, client)

    return say
