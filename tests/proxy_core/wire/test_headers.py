"""What crosses, and where it goes."""

import pytest

from proxy_core.wire.headers import client_keys, crossing_headers, header_text, join_url, upstream_headers


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://api.z.ai/api/anthropic", "/v1/messages", "https://api.z.ai/api/anthropic/v1/messages"),
        ("https://api.z.ai/api/anthropic/", "/v1/messages", "https://api.z.ai/api/anthropic/v1/messages"),
        ("https://api.z.ai/api/anthropic/v1", "/v1/messages", "https://api.z.ai/api/anthropic/v1/messages"),
        ("https://api.z.ai/api/anthropic/v1/messages", "/v1/messages", "https://api.z.ai/api/anthropic/v1/messages"),
        ("https://h/api/paas/v4", "/chat/completions", "https://h/api/paas/v4/chat/completions"),
        ("https://h/api/paas/v4/chat/completions/", "/chat/completions", "https://h/api/paas/v4/chat/completions"),
        ("http://127.0.0.1:9", "/v1/messages", "http://127.0.0.1:9/v1/messages"),
    ],
)
def test_join_url_forgives(base: str, path: str, url: str) -> None:
    assert join_url(base, path) == url


@pytest.mark.parametrize(
    ("headers", "keys"),
    [
        ({}, []),
        ({"authorization": "Bearer k"}, ["k"]),
        ({"authorization": "bearer  k "}, ["k"]),
        ({"authorization": "Bearer "}, []),
        ({"authorization": "raw"}, ["raw"]),
        ({"x-api-key": "a", "authorization": "Bearer b"}, ["a", "b"]),
        ({"api-key": "c"}, ["c"]),
        ({"authorization": "Token k"}, []),
        ({"authorization": "Basic dTprCg=="}, []),
        ({"authorization": "Bearer Bearer k"}, []),
        ({"authorization": 'Bearer "k"'}, []),
        ({"authorization": "Bearer\tk"}, []),
        ({"x-api-key": "'k'", "api-key": "c"}, ["c"]),
    ],
)
def test_client_keys(headers: dict[str, str], keys: list[str]) -> None:
    assert client_keys(headers) == keys


def test_upstream_headers_carry_one_credential_and_no_cookie() -> None:
    client = {"cookie": "a=b", "x-api-key": "mine", "authorization": "Bearer mine", "anthropic-beta": "x"}
    headers = upstream_headers({}, ("x-api-key", "k"), crossing_headers(client), stream=True)
    assert headers["x-api-key"] == "k"
    assert headers["anthropic-beta"] == "x"
    assert not {"cookie", "authorization"} & set(headers)


@pytest.mark.parametrize(("text", "safe"), [("glm-4.6", "glm-4.6"), ("a\r\nX: y", "a??X: y"), ("模", "?")])
def test_header_text_is_printable_ascii(text: str, safe: str) -> None:
    assert header_text(text) == safe
