"""A shared server, and proxies' stores over it."""

from __future__ import annotations

import pytest

from proxy_core.stores import shared_link
from proxy_core.stores.bundle import open_stores
from tests.proxy_core.stores.shelves import Clock
from tests.shared_server import SharedServer

BEAT_S = 0.05


@pytest.fixture
async def server():
    made = SharedServer()
    await made.start()
    yield made
    made.close()


@pytest.fixture
async def another(server, tmp_path, monkeypatch):
    """Makes the stores of one more proxy, with files of its own; what it says is in `.said`."""
    monkeypatch.setattr(shared_link, "BEAT_S", BEAT_S)
    opened = []

    async def make(said=None):
        folder = tmp_path / str(len(opened))
        heard = [] if said is None else said
        stores = open_stores(server.url, folder, lambda: 200, Clock(), heard.append)
        opened.append(stores)
        await stores.open()
        return stores

    yield make
    for stores in opened:
        await stores.close()
