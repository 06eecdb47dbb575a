"""Looking for a port that can be offered; the offer itself is played in test_desktop.py."""

from __future__ import annotations

import socket

import pytest

from app.gui.opening import free_port
from tests.app.runtimes import taken_port


def test_a_taken_port_is_passed_over() -> None:
    holder, port = taken_port()
    with holder:
        found = free_port("127.0.0.1", port)
    assert found > port
    with socket.create_server(("127.0.0.1", found)):
        assert True


@pytest.mark.parametrize(("host", "first"), [("127.0.0.1", 65_536), ("203.0.113.1", 5000)])
def test_where_there_is_none_nothing_is_offered(host: str, first: int) -> None:
    assert free_port(host, first) == 0
