"""Bodies that are wrong, and bodies that are packed."""

import gzip
import zlib

import pytest

from proxy_core.errors import BadRequestError, ProxyError
from proxy_core.server.bodies import decompress, parse_body

DEEP = b"[" * 20_000 + b"]" * 20_000


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"[]", "object"),
        (b'"x"', "object"),
        (b"null", "object"),
        (b"{", "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b'{"a": "\\ud800"}', "not valid JSON"),
        (b'{"a": ' + DEEP + b"}", "not valid JSON"),
    ],
)
def test_wrong_bodies_are_refused_in_words(raw: bytes, word: str) -> None:
    with pytest.raises(BadRequestError, match=word):
        parse_body(raw)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"{}")),
        ("x-gzip", gzip.compress(b"{}")),
        ("deflate", zlib.compress(b"{}")),
        ("deflate", zlib.compress(b"{}", wbits=-15)),
        ("gzip", gzip.compress(b"{") + gzip.compress(b"}") + bytes(9)),
        ("identity, gzip", gzip.compress(b"{}")),
        ("deflate, gzip", gzip.compress(zlib.compress(b"{}"))),
    ],
)
def test_packed_bodies_are_unpacked(encoding: str, packed: bytes) -> None:
    assert decompress(packed, encoding, 1) == b"{}"


@pytest.mark.parametrize(
    ("encoding", "packed", "status"),
    [
        ("gzip", b"not gzip", 400),
        ("gzip", gzip.compress(b"{}" * 99)[:-9], 400),
        ("gzip", gzip.compress(b"{}") + b"x", 400),
        ("gzip", gzip.compress(b"") * 2000, 400),
        ("deflate", b"", 400),
        ("zstd", b"{}", 415),
        ("br", b"{}", 415),
        ("gzip, gzip, gzip", b"{}", 415),
        ("gzip", gzip.compress(b"0" * (1024 * 1024)) * 2, 413),
        ("gzip, gzip", gzip.compress(gzip.compress(b"0" * (1024 * 1024 + 1))), 413),
        ("gzip", gzip.compress(b"0" * (1024 * 1024 + 1)), 413),
    ],
)
def test_what_cannot_be_unpacked_is_refused(encoding: str, packed: bytes, status: int) -> None:
    with pytest.raises(ProxyError) as caught:
        decompress(packed, encoding, 1)
    assert caught.value.status == status
