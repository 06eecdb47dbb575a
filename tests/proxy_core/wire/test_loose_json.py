"""JSON that is JSON only almost."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.wire.loose_json import load_loosely


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (rb'"a\ud83d b"', "a\ufffd b"),
        (rb'{"\ude00": ["\ud83d\ude00\ud83d"]}', {"\ufffd": ["\U0001f600\ufffd"]}),
        (b"[NaN, Infinity, -Infinity, 1e999]", [None] * 4),
        (b'"\xff\xed\xa0\xbd"', "\ufffd" * 4),
        (b"[9223372036854775807, 18446744073709551615]", [2**63 - 1, 2**64 - 1]),
        (b"[18446744073709551616, -9223372036854775809]", [float(2**64), -float(2**63)]),
        (b"9" * 500, None),
        (b" [1.5, true, null] ", [1.5, True, None]),
    ],
)
def test_what_is_odd_is_mended(data: bytes, read: object) -> None:
    assert load_loosely(data) == read
    assert orjson.loads(orjson.dumps(read)) == read


@pytest.mark.parametrize("data", [b"", b"{", b"\xff{}", b"[" * 100_000, b"nope", b"[1,]"])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load_loosely(data)


@given(st.recursive(st.none() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=5))
def test_whatever_is_read_can_be_written(value: object) -> None:
    read = load_loosely(json.dumps(value).encode())
    assert orjson.loads(orjson.dumps(read)) == read
