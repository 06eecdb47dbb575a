"""Thumbnails: the last asked first, few kept, none asked for twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from app.gui.models import thumbnails
from app.gui.models.thumbnails import Thumbnails, decoded
from app.gui.tasks import Tasks
from tests.app.gui.pictures import filled_store
from tests.proxy_core.stores.shelves import draft, name_of, open_store

ROOM = QSize(20, 20)


class Reader:
    """Notes what a store is asked for."""

    def __init__(self, data: bytes | None) -> None:
        self.asked: list[str] = []
        self._data = data

    async def thumbnail(self, digest: str) -> bytes | None:
        self.asked.append(digest)
        return self._data


def make(store: object) -> tuple[Thumbnails, Tasks]:
    tasks = Tasks(asyncio.get_running_loop(), str, pytest.fail)
    return Thumbnails(store, tasks, ROOM), tasks  # type: ignore[arg-type]  # a stand-in


async def settle(tasks: Tasks) -> None:
    async with asyncio.timeout(10):
        while tasks.running:
            await asyncio.sleep(0.005)


async def jpeg(folder: Path) -> bytes:
    return await (await filled_store(folder)).thumbnail(name_of(1))


async def test_a_picture_comes_later_and_fits(qapp: QApplication, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.put(draft(noise=90))
    pictures, tasks = make(store)
    arrived: list[str] = []
    pictures.arrived.connect(arrived.append)
    assert pictures.get(name_of(1)) is None
    await settle(tasks)
    assert arrived == [name_of(1)]
    assert pictures.get(name_of(1)).size() == ROOM


@pytest.mark.parametrize("data", [None, b"no picture"])
async def test_one_that_is_not_there_is_asked_for_once(qapp: QApplication, data: bytes | None) -> None:
    pictures, tasks = make(reader := Reader(data))
    for _ in range(2):
        pictures.get("a")
        await settle(tasks)
    assert (reader.asked, pictures.is_missing("a")) == (["a"], True)
    pictures.forget_missing()
    pictures.get("a")
    await settle(tasks)
    assert reader.asked == ["a", "a"]


async def test_what_was_scrolled_past_is_not_read(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "MOST_WANTED", 3)
    pictures, tasks = make(reader := Reader(await jpeg(tmp_path)))
    for number in range(9):
        pictures.get(str(number))
    await settle(tasks)
    assert reader.asked == ["8", "7", "6"]


async def test_few_are_kept(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "MOST_KEPT", 2)
    pictures, tasks = make(Reader(await jpeg(tmp_path)))
    for number in "123":
        pictures.get(number)
        await settle(tasks)
    assert pictures.get("1") is None
    assert pictures.get("2") is not None
    await settle(tasks)


async def test_a_small_picture_stays_small(tmp_path: Path) -> None:
    image = decoded(await jpeg(tmp_path), QSize(400, 400))
    assert (image.width(), image.height()) == (30, 20)
