"""Bodies that take longer to read than to send are refused; long texts never are."""

from __future__ import annotations

import orjson
import pytest

from proxy_core.errors import BadRequestError
from proxy_core.server import bounds


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":[' + b"[]," * 60 + b"[]]}",
        b'{"a":' + b'{"b":' * 60 + b"1" + b"}" * 61,
        b'{"a":[' + b"{}," * 200 + b"{}]}",
        b'{"a":{' + b",".join(b'"%d":1' % number for number in range(200)) + b"}}",
        b"[" * 200,
    ],
    ids=["wide", "deep", "beyond parsing", "fields", "no JSON at all"],
)
def test_bombs_are_refused(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_CONTAINERS", 50)
    monkeypatch.setattr(bounds, "MOST_MARKS", 100)
    with pytest.raises(BadRequestError, match="too many objects"):
        bounds.parse_bounded(body)


def test_brackets_in_texts_are_no_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_CONTAINERS", 50)
    body = {"messages": [{"content": "{[" * 100}]}
    assert bounds.parse_bounded(orjson.dumps(body)) == body


def test_the_longest_conversations_pass() -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "f(x) { }"}]} for _ in range(20_000)]}
    assert bounds.parse_bounded(orjson.dumps(body)) == body
