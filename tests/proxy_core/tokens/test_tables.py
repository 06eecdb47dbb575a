"""The bundled tables: known counts, odd texts, threads, and files that are not what they should be."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proxy_core.errors import ProxyError
from proxy_core.tokens.count import Encoder
from proxy_core.tokens.tables import CL100K, O200K, load_encoder

FOLDER = Path(__file__).parents[3] / "resources" / "tokenizers"


@pytest.fixture(scope="module")
def encode() -> Encoder:
    return load_encoder(FOLDER)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("hello world", 2),
        ('{"key": "value", "nested": {"data": 123}} ' * 300, 4_501),
        ("<|endoftext|>", 7),
        ("测" * 100, 100),
        ("word 测试", 3),
        ("\ud800", 1),
        ("\x00" * 10, 10),
    ],
    ids=["empty", "words", "json sample", "special token", "cjk table", "mostly ascii", "lone surrogate", "nul"],
)
def test_known_counts(encode: Encoder, text: str, tokens: int) -> None:
    assert encode(text) == tokens


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("a" * 1_000_000, 125_000, 125_100),
        (" " * 1_000_000, 7_800, 7_900),
        ("." * 300_000, 4_600, 4_900),
        ("测" * 450_000 + " " * 1_000_000, 457_000, 459_000),
    ],
    ids=["letters", "blanks", "dots", "cjk and blanks"],
)
def test_long_runs_are_counted_in_pieces(encode: Encoder, text: str, least: int, most: int) -> None:
    assert least <= encode(text) <= most


def test_a_cut_between_words_costs_nothing(encode: Encoder) -> None:
    assert encode("hello " * 100_000) == 100_001


def test_threads_get_the_same_figures_while_the_second_table_is_built() -> None:
    encode = load_encoder(FOLDER)
    texts = ["测" * 50, "hello world"] * 8
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(encode, texts)) == [50, 2] * 8


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert load_encoder(FOLDER)("测试") == 1
    assert list(tmp_path.iterdir()) == []


def _remove(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def _replace(path: Path) -> None:
    path.write_bytes(gzip.compress(b"IQ== 0\n"))


def _scramble(path: Path) -> None:
    path.write_bytes(b"not a gzip file")


@pytest.mark.parametrize("damage", [_remove, _cut, _replace, _scramble])
@pytest.mark.parametrize("table", [CL100K.name, O200K.name])
def test_a_damaged_table_is_refused_at_once(tmp_path: Path, damage: Callable[[Path], None], table: str) -> None:
    for source in FOLDER.glob("*.gz"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    damage(tmp_path / f"{table}.tiktoken.gz")
    with pytest.raises(ProxyError, match=f"{table} is missing or damaged"):
        load_encoder(tmp_path)
