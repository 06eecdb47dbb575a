"""Summaries are there again after a restart, and no fault of the disk is anybody's fault."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from proxy_core.stores import summaries
from proxy_core.stores.summaries import MOST_AGE_S, FileSummaryStore, StoredSummary

ONE = StoredSummary("1" * 64, "What was said.", 70_000, "glm-5.1", 1_700_000_000.5)
TWO = replace(ONE, digest="2" * 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "summaries"


def open_store(folder: Path, now: float = 0.0) -> FileSummaryStore:
    return FileSummaryStore(folder, lambda: now)


async def test_what_is_put_is_found_by_another_process_in_the_order_asked_for(folder):
    store, other = open_store(folder), open_store(folder)
    assert await other.find([ONE.digest]) == []
    await store.put(ONE)
    await store.put(TWO)
    assert await other.find([TWO.digest, "3" * 64, ONE.digest]) == [TWO, ONE]


async def test_only_the_owner_may_read_and_nothing_half_written_stays(folder):
    store = open_store(folder)
    await store.put(ONE)
    await store.put(replace(ONE, text="Later."))
    (file,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert (await open_store(folder).find([ONE.digest]))[0].text == "Later."


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff\x00{",
        b"[]",
        b"{}",
        b'{"digest":"%s","text":" ","ceiling_tokens":1,"model":"m","made_at":1}' % ONE.digest.encode(),
        b'{"digest":"%s","text":"t","ceiling_tokens":"1","model":"m","made_at":1}' % ONE.digest.encode(),
        b'{"digest":"other","text":"t","ceiling_tokens":1,"model":"m","made_at":1}',
        b'{"digest":"%s","text":"t","ceiling_tokens":1,"model":"m","made_at":1}' % ONE.digest.encode()
        + b" " * 1_000_000,
    ],
)
async def test_a_damaged_file_is_set_aside_and_said(folder, caplog, damage):
    await open_store(folder).put(ONE)
    path = folder / f"{ONE.digest}.json"
    path.write_bytes(damage)
    store = open_store(folder)
    with caplog.at_level(logging.WARNING):
        assert await store.find([ONE.digest]) == []
        assert await store.find([ONE.digest]) == []
    assert len(caplog.records) == 1
    assert [item.name for item in folder.iterdir()] == [f"{ONE.digest}.json.damaged"]


async def test_a_folder_that_takes_nothing_leaves_summaries_in_memory_and_says_so_once(folder, caplog):
    folder.parent.mkdir()
    folder.write_text("no folder")
    store = open_store(folder)
    with caplog.at_level(logging.WARNING):
        await store.put(ONE)
        await store.put(TWO)
        assert await store.find([ONE.digest, TWO.digest]) == [ONE, TWO]
    assert len(caplog.records) == 1


async def test_a_full_disk_keeps_it_in_memory(folder, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(summaries, "write_whole", full)
    store = open_store(folder)
    await store.put(ONE)
    assert await store.find([ONE.digest]) == [ONE]


async def test_memory_is_bounded(folder):
    folder.parent.mkdir()
    folder.write_text("no folder")
    store = open_store(folder)
    digests = [f"{number:064}" for number in range(70)]
    for digest in digests:
        await store.put(replace(ONE, digest=digest))
    assert [found.digest for found in await store.find(digests)] == digests[-64:]


async def test_the_least_recently_used_go_first(folder, monkeypatch):
    monkeypatch.setattr(summaries, "MOST_FILES", 2)
    store = open_store(folder)
    three = replace(ONE, digest="3" * 64)
    for age, summary in ((30, ONE), (20, TWO)):
        await store.put(summary)
        set_age(folder / f"{summary.digest}.json", age)
    await store.find([ONE.digest])
    await store.put(three)
    assert {path.stem for path in folder.iterdir()} == {ONE.digest, three.digest}


async def test_a_file_that_another_process_took_is_no_fault(folder, monkeypatch, caplog):
    store = open_store(folder)
    await store.put(ONE)
    monkeypatch.setattr(Path, "glob", lambda *_: [folder / f"{TWO.digest}.json"])
    monkeypatch.setattr(Path, "iterdir", lambda *_: [folder / f"{TWO.digest}.json"])
    await store.put(ONE)
    assert await store.find([TWO.digest, ONE.digest]) == [ONE]
    assert caplog.records == []


async def test_what_was_not_used_for_long_goes(folder):
    await open_store(folder).put(ONE)
    used_at = (folder / f"{ONE.digest}.json").stat().st_mtime
    set_age(folder / f"{ONE.digest}.json", MOST_AGE_S + 60)
    await open_store(folder, used_at).put(TWO)
    assert [path.stem for path in folder.iterdir()] == [TWO.digest]


async def test_what_others_keep_in_the_folder_stays(folder):
    store = open_store(folder, 4e9)
    folder.mkdir(parents=True)
    (folder / "of 2024").mkdir()
    (folder / "report.json").write_text("{}")
    left_over = folder / f".{ONE.digest}.json.{'0' * 32}.tmp"
    left_over.touch()
    await store.put(ONE)
    assert {path.name for path in folder.iterdir()} == {"of 2024", "report.json"}


def set_age(path: Path, age_s: float) -> None:
    import os

    used_at = path.stat().st_mtime - age_s
    os.utime(path, (used_at, used_at))
