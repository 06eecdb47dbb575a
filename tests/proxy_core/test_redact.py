"""What may be logged: no generated key survives, and what is of use in a log does."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from proxy_core.redact import mask_key, redact_headers, redact_text

WORD = string.ascii_letters + string.digits + "_-"
HEX = string.digits + "abcdefABCDEF"
BLOB = string.ascii_letters + string.digits + "+/"

zai_keys = st.tuples(st.text(HEX, min_size=32, max_size=32), st.text(WORD, min_size=8, max_size=40)).map(".".join)
sk_keys = st.text(WORD, min_size=16, max_size=80).map(lambda tail: f"sk-{tail}")
any_keys = st.text(WORD + ".+/=~!$%&*", min_size=7, max_size=80)
random_keys = st.text(WORD, min_size=32, max_size=60).map(lambda run: f"aA1{run}")
blobs = st.text(BLOB, min_size=64, max_size=400).map(lambda run: f"aA1{run}")
around = st.text(max_size=40)
ends = st.sampled_from(["", " ", "\n", '"', "'", '\\"', " and more", '", "x": 1}'])

CARRIERS = [
    "Authorization: Bearer {}",
    "bearer {}",
    "x-api-key: {}",
    "X-API-KEY={}",
    '{{"x-api-key": "{}"}}',
    "{{'x-api-key': '{}'}}",
    "(b'x-api-key', b'{}')",
    '{{\\"api_key\\": \\"{}\\"}}',
    "SERVER_API_KEY={}",
    "PROXY_ACCESS_KEY: {}",
    "https://example.org/v1?key={}",
    "authorization: Basic {}",
    "control_token = {}",
    "password: {}",
]


def assert_gone(key: str, redacted: str, around: str = "") -> None:
    """The key is away, and so is each of its halves that is long enough to be told from chance."""
    halves = [half for half in (key[: len(key) // 2], key[len(key) // 2 :]) if len(half) >= 12]
    assume(not any(piece in around for piece in (key, *halves)))
    for piece in (key, *halves):
        assert piece not in redacted


@given(around, zai_keys | random_keys | blobs, ends)
@example("data:image/png;base64,", "a" * 32 + ".secretsecret", "")
@example("bearer", "a" * 32 + ".secretsecret", "")
@example('\\"', "0" * 32 + ".secretsecret", "")
def test_keys_that_can_be_told_by_shape_never_survive(before: str, key: str, after: str) -> None:
    assert_gone(key, redact_text(f"{before}{key}{after}"), before + after)


@given(around.filter(lambda text: not text[-1:].isalnum()), sk_keys, ends)
def test_sk_keys_never_survive(before: str, key: str, after: str) -> None:
    assert_gone(key, redact_text(f"{before}{key}{after}"), before + after)


@given(around, any_keys, ends, st.sampled_from(CARRIERS))
def test_named_keys_never_survive(before: str, key: str, after: str, carrier: str) -> None:
    assert_gone(key, redact_text(f"{before} {carrier.format(key)}{after}"), before + after + carrier)


@given(
    st.sampled_from(["Authorization", "x-api-key", "API-KEY", "Proxy-Authorization", "Cookie", "x-goog-api-key"]),
    st.sampled_from(["", "Bearer ", "Basic "]),
    any_keys,
)
def test_headers_never_show_a_credential(name: str, scheme: str, key: str) -> None:
    assert_gone(key, redact_headers({name: scheme + key})[name])


@pytest.mark.parametrize(
    ("key", "shown"),
    [("", "…"), ("a" * 15, "…"), ("a1b2" + "x" * 10 + "9f", "a1b2…9f"), ("a1b2" + "x" * 99 + "9f", "a1b2…9f")],
)
def test_mask_shows_six_characters_of_a_long_key_and_none_of_a_short_one(key: str, shown: str) -> None:
    assert mask_key(key) == shown


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("key 0123456789abcdef0123456789abcdef.AbCdEfGh refused", "key 0123…Gh refused"),
        ("Authorization: Bearer 0123456789abcdefgh", "Authorization: Bearer 0123…gh"),
        ('{"x-api-key": "dummy", "model": "glm-4.6"}', '{"x-api-key": "…", "model": "glm-4.6"}'),
        ("said\\nsk-proj-0123456789abcdef", "said\\nsk-p…ef"),
        ("https://me:secret@example.org/v1", "https://…@example.org/v1"),
        ("see data:image/png;base64,iVBORw0KGgo= there", "see data:image/png;base64,…(12 characters) there"),
        ("A1b2" * 50, "…(200 characters)"),
        ("A1b2" * 5 + "A1b2=", "A1b2…2="),
    ],
)
def test_what_is_left(text: str, redacted: str) -> None:
    assert redact_text(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "POST /v1/messages?beta=true 200 in 1.23 s, 4501 input_tokens",
        "127.0.0.1:5000 glm-4.6 international req 3f2b8c1d9e0a4b5c8d7e6f5a4b3c2d1e",
        "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT failed",
        "/home/user/Documents/GitHub/my-project-2/src/components/SomeComponent/index.tsx",
        "the task-management-2024 disk-usage token limit: max_tokens=100",
        'data: {"type":"message_start"}',
        "messages.3.content: expected a string or a list, got a number",
    ],
)
def test_ordinary_lines_stay(text: str) -> None:
    assert redact_text(text) == text


def test_ordinary_headers_stay() -> None:
    headers = {"content-type": "application/json", "anthropic-ratelimit-tokens-remaining": "12"}
    assert redact_headers(headers) == headers


@pytest.mark.parametrize("unit", ["a-", "abc/", "://", "data:;", "api_key ", "0123456789abcdef", "\\"])
def test_long_dull_text_comes_back_whole_and_without_backtracking(unit: str) -> None:
    assert redact_text(unit * 100_000) == unit * 100_000
