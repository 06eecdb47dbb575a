"""The bundled byte-pair tables, and an encoder made of them: offline, without the environment, without a cache.

`tiktoken.get_encoding` is not used on purpose: it wants a cache folder named in the environment and goes to the
network where a file is missing.
"""

from __future__ import annotations

import gzip
import zlib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

from tiktoken import Encoding

from proxy_core.errors import ProxyError
from proxy_core.tokens.content import is_cjk_heavy
from proxy_core.tokens.count import Encoder

PIECE_CHARS = 100_000
"""Longest text given to the tokenizer at once. Runs without a break cost more than their length, and one of a
million blanks makes it panic."""
_CUT_CHARS = 1_000
"""How far before the end of a piece a blank is looked for, at which a cut changes no token."""


@dataclass(frozen=True, slots=True)
class Table:
    """One published encoding: its name, the SHA-256 of its unpacked file, and the pattern that cuts text into words
    (part of the encoding; special tokens are left out, since a prompt that spells one is only text)."""

    name: str
    sha256: str
    pattern: str


CL100K = Table(
    name="cl100k_base",
    sha256="223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    pattern=(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
)
O200K = Table(
    name="o200k_base",
    sha256="446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    pattern=(
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
)


def load_encoder(folder: Path) -> Encoder:
    """An encoder over the tables in `folder` (`*.tiktoken.gz`). Takes about 200 ms: call it in a thread.

    Raises ProxyError if a table is missing or is not the published one.
    """
    return _TableEncoder(_build(CL100K, _read_packed(folder, CL100K)), _read_packed(folder, O200K)).count


class _TableEncoder:
    """Counts by the English table, and texts that are mostly Chinese, Japanese or Korean by the other one.

    The second table takes some 70 MB of memory and 250 ms, so it is built when the first such text comes.
    May be called from any thread.
    """

    def __init__(self, plain: Encoding, cjk_packed: bytes) -> None:
        self._plain = plain
        self._cjk: Encoding | None = None
        self._cjk_packed = cjk_packed
        self._lock = Lock()

    def count(self, text: str) -> int:
        """Number of tokens; what looks like a special token is counted as the text it is."""
        encoding = self._cjk_encoding() if is_cjk_heavy(text) else self._plain
        return sum(len(encoding.encode_ordinary(piece)) for piece in _pieces(text))

    def _cjk_encoding(self) -> Encoding:
        with self._lock:
            if self._cjk is None:
                self._cjk = _build(O200K, self._cjk_packed)
                self._cjk_packed = b""
            return self._cjk


def _read_packed(folder: Path, table: Table) -> bytes:
    """The file as it is, known to unpack to the published table."""
    try:
        packed = (folder / f"{table.name}.tiktoken.gz").read_bytes()
        checksum = sha256(gzip.decompress(packed)).hexdigest()
    except (OSError, EOFError, zlib.error) as fault:
        raise _unusable(table) from fault
    if checksum != table.sha256:
        raise _unusable(table)
    return packed


def _unusable(table: Table) -> ProxyError:
    return ProxyError(f"The token table {table.name} is missing or damaged.", hint="Install the program again.")


def _build(table: Table, packed: bytes) -> Encoding:
    lines = gzip.decompress(packed).splitlines()
    ranks = {b64decode(token): int(rank) for token, rank in map(bytes.split, lines)}
    return Encoding(table.name, pat_str=table.pattern, mergeable_ranks=ranks, special_tokens={})


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > PIECE_CHARS:
        end = start + PIECE_CHARS
        blank = text.rfind(" ", end - _CUT_CHARS, end)
        cut = blank if blank > 0 else end
        yield text[start:cut]
        start = cut
    yield text[start:]
