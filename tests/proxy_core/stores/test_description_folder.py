"""What disks do to the store of descriptions: read-only, full, damaged. Nobody notices but the log."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from proxy_core.stores import description_folder
from proxy_core.stores.description_shelf import MOST_UNFILED
from tests.proxy_core.stores.shelves import Clock, draft, name_of, open_store

ONE = name_of(1)


class Disk:
    """Takes nothing while `error` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: OSError | None = None
        self._write = description_folder.write_whole
        monkeypatch.setattr(description_folder, "write_whole", self.write)

    def write(self, path: Path, data: bytes) -> None:
        if self.error is not None:
            raise self.error
        self._write(path, data)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


FULL = OSError(28, "No space left on device")
READ_ONLY = PermissionError(13, "Permission denied")


@pytest.mark.parametrize("error", [FULL, READ_ONLY], ids=["full", "read-only"])
async def test_what_the_disk_does_not_take_stays_in_memory_and_is_said_once(tmp_path, disk, error, caplog):
    store = open_store(tmp_path)
    disk.error = error
    await store.put(draft(1))
    await store.put(draft(2))
    assert (await store.edit(ONE, "edited")).text == "edited"
    found = await store.find([ONE, name_of(2)])
    assert [one.text for one in found.values()] == ["edited", "A cat."]
    assert (await store.thumbnail(ONE))[:3] == b"\xff\xd8\xff"
    assert (await store.size()).pictures == 2
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert error.strerror in caplog.text


async def test_it_is_written_once_the_disk_takes_it(tmp_path, disk, caplog):
    caplog.set_level(logging.INFO)
    store = open_store(tmp_path)
    disk.error = FULL
    await store.put(draft())
    disk.error = None
    await store.close()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert (await open_store(tmp_path).get(ONE)).text == "A cat."
    assert (tmp_path / f"{ONE}.jpg").exists()


async def test_an_edit_that_could_not_be_written_is_not_lost(tmp_path, disk):
    store = open_store(tmp_path)
    await store.put(draft())
    disk.error = FULL
    await store.edit(ONE, "edited")
    assert (await store.find([ONE]))[ONE].text == "edited"
    disk.error = None
    await store.close()
    assert (await open_store(tmp_path).get(ONE)).text == "edited"


async def test_a_file_in_the_place_of_the_folder_is_no_reason_to_fail(tmp_path, caplog):
    (tmp_path / "cache").write_text("a file")
    store = open_store(tmp_path / "cache")
    await store.put(draft())
    assert list(await store.find([ONE])) == [ONE]
    assert len(await store.list()) == 1
    assert await store.delete(ONE)
    assert (await store.find([ONE]), len(caplog.records)) == ({}, 1)


async def test_memory_is_bounded_where_the_disk_takes_nothing(tmp_path, disk):
    clock = Clock()
    store = open_store(tmp_path, clock)
    disk.error = FULL
    small = draft()
    for number in range(MOST_UNFILED + 3):
        clock.now += 1
        store._shelf.put(description_folder.Description(name_of(number), small.text), None)
    assert (await store.size()).pictures == MOST_UNFILED
    assert await store.get(name_of(2)) is None


DAMAGES = {
    "empty": b"",
    "half": b'{"digest": "',
    "no object": b"[]",
    "wrong types": json.dumps({"digest": ONE, "text": {"a": 1}}).encode(),
    "another's": json.dumps({"digest": name_of(2), "text": "x"}).encode(),
    "huge": json.dumps({"digest": ONE, "text": "x" * 300_000}).encode(),
    "an endless number": b'{"digest": "%s", "text": "x", "hits": 1%s}' % (ONE.encode(), b"0" * 30),
    "no size": json.dumps({"digest": ONE, "text": "x", "width": -1}).encode(),
    "no time": json.dumps({"digest": ONE, "text": "x", "made_at": float("nan")}).encode(),
    "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_damaged_entries_are_set_aside(tmp_path, damage, caplog):
    path = tmp_path / f"{ONE}.json"
    path.write_bytes(damage)
    store = open_store(tmp_path)
    assert (await store.find([ONE]), path.exists()) == ({}, True)
    assert (await store.find([ONE]), path.exists()) == ({}, False)
    assert (tmp_path / f"{ONE}.json.damaged").read_bytes() == damage
    assert len(caplog.records) == 1
    assert "damaged" in caplog.text
    assert await store.list() == ()


async def test_a_file_that_an_editor_is_writing_is_only_skipped(tmp_path, caplog):
    store = open_store(tmp_path)
    await store.put(draft())
    path = tmp_path / f"{ONE}.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:40])
    assert (await store.find([ONE]))[ONE].text == "A cat."
    path.write_bytes(whole.replace(b"A cat.", b"A dog."))
    assert (await store.find([ONE]))[ONE].text == "A dog."
    assert caplog.records == []


async def test_a_new_description_takes_the_place_of_a_damaged_one(tmp_path, caplog):
    (tmp_path / f"{ONE}.json").write_bytes(b"{")
    store = open_store(tmp_path)
    await store.put(draft())
    assert (await open_store(tmp_path).get(ONE)).text == "A cat."
    assert (tmp_path / f"{ONE}.json.damaged").exists()
    assert "damaged" in caplog.text


@pytest.mark.parametrize("name", ["../outside", "inside", "", "A" * 64])
async def test_only_digests_are_names(tmp_path, name):
    store = open_store(tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / f"{name}.json").write_text(json.dumps({"digest": name, "text": "x"}))
    (tmp_path / "cache" / f"{name}.jpg").write_text("x")
    assert (await store.find([name]), await store.thumbnail(name), await store.delete(name)) == ({}, None, False)
    assert await store.list() == ()
