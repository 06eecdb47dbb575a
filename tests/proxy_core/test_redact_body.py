"""Bodies in a log: no picture, no key, no more than fits."""

from __future__ import annotations

import base64
import random

import pytest

from proxy_core.redact import redact_body

BLOB = base64.b64encode(random.Random(1).randbytes(900)).decode()
KEY = "0123456789abcdef0123456789abcdef.AbCdEfGh12345678"
SHARDS = [BLOB[place : place + 20] for place in range(0, len(BLOB), 20)]


@pytest.mark.parametrize(
    "body",
    [
        f'{{"url": "data:image/png;base64,{BLOB}"}}',
        f'{{"source": {{"data": "{BLOB}"}}}}',
        f'{{"source": {{"data": "{"A" * 900}"}}}}',
        f'{{"x": "{BLOB}"}}',
        f'{{"x": "{BLOB.replace("/", chr(92) + "/")}"}}',
        f'{{"x": "{(chr(92) + "n").join(BLOB[i : i + 60] for i in range(0, 1200, 60))}"}}',
        f'{{"x": "{BLOB.replace("+", "-").replace("/", "_")}"}}',
        f'{{"key": "{KEY}"}}',
    ],
)
def test_no_content_and_no_key(body):
    shown = redact_body(body.encode(), len(body), is_cut=False)
    assert not any(shard in shown for shard in [*SHARDS, KEY, "A" * 64])
    assert (shown.startswith('{"'), shown.endswith('"}')) == (True, not shown.endswith('"}}'))


@pytest.mark.parametrize("cut", range(1, 80, 6))
@pytest.mark.parametrize("secret", [BLOB, KEY, "sk-AbCdEfGhIjKlMnOpQrStUvWxYz012345"])
def test_what_is_cut_in_two_is_left_out(secret, cut):
    body = f'{{"say": "hello", "x": "{secret[:cut]}'.encode()
    assert redact_body(body, 10**6, is_cut=True) == '{"say": "hello", "x": "…(1000000 bytes)'


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"\x89PNG\r\n\x1a\n", "…(not text, 8 bytes)"),
        ("grüße".encode(), "grüße"),
        (b"", ""),
        (b"plain words", "plain words"),
    ],
)
def test_small_bodies(body, shown):
    assert redact_body(body, len(body), is_cut=False) == shown


def test_half_a_character_at_the_cut_does_no_harm():
    assert redact_body("so grüße"[:5].encode()[:-1], 99, is_cut=True) == "so …(99 bytes)"


def test_no_more_than_fits_and_no_long_wait():
    shown = redact_body(b"word " * 26_000, 10**6, is_cut=True)
    assert (len(shown), shown.endswith("…(1000000 bytes)")) == (65_536 + 16, True)
