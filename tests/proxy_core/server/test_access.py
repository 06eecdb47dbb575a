"""Who may come in."""

from contextlib import nullcontext

import pytest

from proxy_core.errors import AccessDeniedError, ProxyError
from proxy_core.server.access import check_host, check_key, check_origin, check_peer, is_loopback, own_names

NAMES = own_names("127.0.0.1", ("proxy.lan",))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("me.localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("localhost.evil.com", False),
        ("127.0.0.1.evil.com", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1", "[::1]:5000", "proxy.lan:5000", "PROXY.lan"])
def test_own_hosts_come_in(host: str) -> None:
    check_host({"host": host}, NAMES)
    assert check_origin({"origin": f"http://{host}"}, NAMES) == f"http://{host}"


@pytest.mark.parametrize("host", ["evil.com", "evil.com:5000", "localhost.evil.com", "", "[::1", "192.168.1.2", "a@b"])
def test_foreign_hosts_are_refused(host: str) -> None:
    with pytest.raises(ProxyError) as caught:
        check_host({"host": host}, NAMES)
    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("target", "is_ours"),
    [
        ("/v1/messages", True),
        ("//evil.com/", True),
        ("http://localhost:5000/v1/messages", True),
        ("http://evil.com/v1/messages", False),
        ("http://localhost@evil.com/", False),
        ("evil.com:443", False),
        ("*", False),
    ],
)
def test_the_host_of_a_whole_url_must_be_ours_too(target: str, is_ours: bool) -> None:
    with nullcontext() if is_ours else pytest.raises(ProxyError, match="not served here"):
        check_host({"host": "localhost"}, NAMES, target)


@pytest.mark.parametrize("origin", ["https://evil.com", "null", "http://localhost.evil.com", "file://", "https://"])
def test_foreign_origins_are_refused(origin: str) -> None:
    with pytest.raises(ProxyError) as caught:
        check_origin({"origin": origin}, NAMES)
    assert caught.value.status == 403


def test_a_missing_host_is_refused_and_a_missing_origin_is_not() -> None:
    with pytest.raises(ProxyError):
        check_host({}, NAMES)
    assert check_origin({}, NAMES) == ""
    assert check_origin({"origin": "vscode-webview://abc"}, NAMES) == "vscode-webview://abc"


@pytest.mark.parametrize(
    ("headers", "access_key", "client_key"),
    [
        ({}, None, None),
        ({"authorization": "Bearer own"}, None, "own"),
        ({"authorization": "Bearer door"}, "door", None),
        ({"x-api-key": "door"}, "door", None),
        ({"api-key": "door", "authorization": "Bearer own"}, "door", "own"),
        ({"x-api-key": "door", "authorization": "Token door"}, "door", None),
        ({"x-api-key": "door", "authorization": "Bearer door,"}, "door", None),
        ({"x-api-key": "door", "api-key": "u:door", "authorization": "Bearer own"}, "door", "own"),
    ],
)
def test_the_access_key_never_becomes_the_clients_key(
    headers: dict[str, str], access_key: str | None, client_key: str | None
) -> None:
    assert check_key(headers, access_key) == client_key


@pytest.mark.parametrize(
    "headers", [{}, {"x-api-key": "Door"}, {"authorization": "Basic door"}, {"x-api-key": "dööör"}]
)
def test_wrong_keys_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(AccessDeniedError) as caught:
        check_key(headers, "door")
    assert "door" not in str(caught.value)


@pytest.mark.parametrize(
    ("peer", "own", "access_key", "may"),
    [
        (("127.0.0.1", 9), ("127.0.0.1", 5000), None, True),
        (("::1", 9, 0, 0), ("::1", 5000, 0, 0), None, True),
        (("192.168.7.7", 9), ("192.168.7.7", 5000), None, True),
        (("192.168.7.8", 9), ("192.168.7.7", 5000), None, False),
        (("192.168.7.8", 9), ("192.168.7.7", 5000), "door", True),
        (None, None, None, False),
        ("", "", None, False),
    ],
)
def test_without_an_access_key_only_this_computer_comes_in(
    peer: object, own: object, access_key: str | None, may: bool
) -> None:
    with nullcontext() if may else pytest.raises(AccessDeniedError):
        check_peer(peer, own, access_key)
