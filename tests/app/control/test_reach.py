from __future__ import annotations

import socket

import pytest

from app.control.reach import reach
from tests.app.runtimes import free_port


async def test_a_listener_is_reached():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        found = await reach(f"http://127.0.0.1:{holder.getsockname()[1]}/api")
    assert (found.ok, found.message, found.latency_ms >= 0) == (True, "", True)


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", ""])
async def test_what_cannot_be_reached_says_why(address):
    found = await reach(address.format(port=free_port()), limit_s=2)
    assert (found.ok, bool(found.message)) == (False, True)
