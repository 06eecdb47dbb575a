"""Learned ratios survive restarts, and no state of the disk hurts anybody."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from unittest.mock import Mock

import pytest

from proxy_core.stores.ratios import FileRatioStore, RatioStore
from proxy_core.tokens.content import ContentClass, Estimate
from proxy_core.tokens.learning import RatioBook

SOON_S = 0.01
PROSE = Estimate({ContentClass.PROSE: 1_000})


def learned(requests: int = 5) -> RatioBook:
    book = RatioBook()
    for _ in range(requests):
        book.observe("glm-4.6", PROSE, 1_200)
    return book


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "ratios.json"


async def test_what_was_learned_is_there_after_a_restart(path: Path) -> None:
    store: RatioStore = FileRatioStore(path)
    assert (await store.load()).rows() == ()
    store.note(learned())
    await store.close()
    assert (await FileRatioStore(path).load()).rows() == learned().rows()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_many_changes_are_one_write_of_the_last_state(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, book = FileRatioStore(path, SOON_S), learned()
    write = Mock(wraps=store._write)
    monkeypatch.setattr(store, "_write", write)
    for _ in range(5):
        store.note(book)
    book.observe("glm-4.6", PROSE, 1_200)
    while not path.exists():
        await asyncio.sleep(SOON_S)
    await store.close()
    assert write.call_count == 1
    assert (await FileRatioStore(path).load()).samples("glm-4.6") == 6


async def test_a_change_during_a_slow_write_is_written_after_it(path: Path) -> None:
    store = FileRatioStore(path, SOON_S)
    store._writing = writing = asyncio.get_running_loop().create_future()
    store.note(learned())
    await asyncio.sleep(5 * SOON_S)
    assert not path.exists()
    writing.set_result(None)
    await store.close()
    assert (await FileRatioStore(path).load()).samples("glm-4.6") == 5


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"version": 1, "models": {"m": 1}}', b"\xff\xfe"])
async def test_a_damaged_file_is_set_aside_and_said(path: Path, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    assert (await FileRatioStore(path).load()).rows() == ()
    assert not path.exists()
    assert [kept.read_bytes() for kept in path.parent.iterdir()] == [data]
    [record] = caplog.records
    assert "set aside as ratios.json.damaged" in record.getMessage()


async def test_a_folder_that_takes_nothing_is_said_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.write_text("a file stands where the folder should be")
    store = FileRatioStore(path)
    for _ in range(3):
        store.note(learned())
        await store.close()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_a_file_that_cannot_be_read_is_said_and_stays(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.mkdir(parents=True)
    assert (await FileRatioStore(path).load()).rows() == ()
    assert "cannot be read" in caplog.text
    assert path.is_dir()


async def test_without_changes_nothing_is_written(path: Path) -> None:
    store = FileRatioStore(path)
    await store.load()
    await store.close()
    assert not path.parent.exists()
