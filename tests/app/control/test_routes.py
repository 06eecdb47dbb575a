from __future__ import annotations

import aiohttp
import pytest

from app.control.routes import is_local
from tests.app.control.hosts import Host

VERBS = [
    ("GET", "status"),
    ("POST", "show"),
    ("POST", "stop"),
    ("POST", "switch"),
    ("GET", "events"),
    ("POST", "settings"),
    ("PUT", "keys/cn"),
    ("DELETE", "images/x"),
]


async def ask(host: Host, method: str, verb: str, headers: dict[str, str], body: bytes = b"{}") -> tuple[int, str]:
    url = f"{host.runtime.base_url('anthropic')}/control/v1/{verb}"
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers, data=body) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize(("method", "verb"), VERBS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic {token}"}, 401),
        ({"x-api-key": "{token}"}, 401),
        ({"Authorization": "Bearer {token}", "Host": "evil.example"}, 403),
        ({"Authorization": "Bearer {token}", "Origin": "http://localhost:3000"}, 403),
    ],
)
async def test_strangers_are_refused(host, method, verb, headers, status):
    shown = {name: value.replace("{token}", host.claim.token) for name, value in headers.items()}
    answered, text = await ask(host, method, verb, shown)
    assert (answered, host.heard, host.claim.token in text) == (status, [], False)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"server": 5}', b"{}"])
async def test_a_switch_without_a_server_is_refused(host, body):
    headers = {"Authorization": f"Bearer {host.claim.token}"}
    status, _ = await ask(host, "POST", "switch", headers, body)
    assert (status, host.runtime.store.current.current_server) == (400, "demo")


async def test_control_works_with_an_access_key_set_and_while_paused(host):
    await host.runtime.apply({"require_access_key": True})
    host.runtime.pause()
    status, text = await ask(host, "GET", "status", {"Authorization": f"Bearer {host.claim.token}"})
    assert (status, '"paused":true' in text, (host.runtime.access_key or "-") in text) == (200, True, False)


class Request:
    """As much of a request as the guard looks at."""

    def __init__(self, peer: str | None, own: str = "0.0.0.0") -> None:
        names = {"peername": (peer, 1), "sockname": (own, 5000)}
        self.transport = self if peer else None
        self.get_extra_info = names.get


@pytest.mark.parametrize(
    ("peer", "own", "expected"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", True),
        ("192.168.1.5", "192.168.1.5", True),
        ("192.168.1.6", "192.168.1.5", False),
        (None, "", False),
    ],
)
def test_only_this_computer_may_control(peer, own, expected):
    assert is_local(Request(peer, own)) is expected
