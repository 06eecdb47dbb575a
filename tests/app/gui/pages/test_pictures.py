"""The page of pictures over a real store: what it shows, what it changes there, and when it looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.gui.pages.pictures import PicturesPage
from app.gui.theme import Theme
from app.i18n import tr
from proxy_core.stores.description_files import FileDescriptionStore
from tests.app.gui.conftest import Bench
from tests.app.gui.pictures import filled_store
from tests.proxy_core.stores.shelves import draft, name_of

CAT, DOG, CHART = (name_of(number) for number in (1, 2, 3))


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> FileDescriptionStore:
    return await filled_store(tmp_path / "pictures")


@pytest_asyncio.fixture
async def page(store: FileDescriptionStore, bench: Bench, theme: Theme, qtbot: QtBot) -> AsyncIterator[PicturesPage]:
    page = PicturesPage(store, bench.commands, theme)
    qtbot.addWidget(page)
    page.resize(1000, 600)
    page.show()
    await bench.settle()
    yield page
    page.hide()
    page._pause.stop()
    await bench.settle()


async def seen(page: PicturesPage, bench: Bench) -> list[str]:
    """The pictures that show, after a look."""
    page.look()
    await bench.settle()
    return [page.model.index(row).data() for row in range(page.model.rowCount())]


def choose(page: PicturesPage, *digests: str) -> None:
    page.grid.clearSelection()
    for digest in digests:
        page.grid.selectionModel().select(page.model.index_of(digest), page.grid.selectionModel().SelectionFlag.Select)


async def press(page: PicturesPage, bench: Bench, text: str) -> None:
    """Answer the question that is asked."""
    box = page.findChild(QMessageBox)
    next(item for item in box.findChildren(QPushButton) if item.text().replace("&", "") == text).click()
    await bench.settle()


async def test_it_shows_all_newest_first_and_how_much_is_kept(page: PicturesPage, bench: Bench) -> None:
    assert await seen(page, bench) == ["A chart of cats by month.", "A dog in the fog.", "A cat on a mat."]
    assert page.size_label.text().startswith("3 pictures · ")
    assert page.size_label.text().endswith(" of 200 MiB")
    page.order.setCurrentIndex(1)
    assert len(await seen(page, bench)) == 3


async def test_a_search_finds_words_and_says_when_there_is_nothing(page: PicturesPage, bench: Bench) -> None:
    page.search.setText("cat month")
    page.look_anew()
    assert await seen(page, bench) == ["A chart of cats by month."]
    page.search.setText("horse")
    page.look_anew()
    assert await seen(page, bench) == []
    assert page.stack.currentIndex() == 0
    assert page.empty.sentence.text() == "No description holds “horse”."
    page.empty.clear.click()
    page.look_anew()
    assert len(await seen(page, bench)) == 3


async def test_changed_words_are_kept_in_the_store(page: PicturesPage, bench: Bench, store) -> None:
    choose(page, CAT)
    assert page.details.text.toPlainText() == "A cat on a mat."
    assert not page.details.save.isEnabled()
    page.details.text.setPlainText("A tiger.")
    page.details.save.click()
    await bench.settle()
    assert (await store.get(CAT)).text == "A tiger."
    assert page.details.text.toPlainText() == "A tiger."
    assert not page.details.save.isEnabled()


async def test_what_is_typed_survives_changes_of_the_store_and_looks_elsewhere(page, bench: Bench, store) -> None:
    choose(page, CAT)
    page.details.text.setPlainText("A tig")
    await store.find([CAT])
    await store.put(draft(9, "new"))
    assert len(await seen(page, bench)) == 4
    assert (page.details.digest, page.details.text.toPlainText()) == (CAT, "A tig")
    choose(page, DOG)
    assert page.details.text.toPlainText() == "A dog in the fog."
    choose(page, CAT)
    assert page.details.text.toPlainText() == "A tig"
    page.details.revert.click()
    assert page.details.text.toPlainText() == "A cat on a mat."


async def test_several_are_pinned_and_unpinned_at_once(page: PicturesPage, bench: Bench, store) -> None:
    choose(page, CAT, DOG)
    page.grid.pin.trigger()
    await bench.settle()
    assert [(await store.get(name)).pinned for name in (CAT, DOG, CHART)] == [True, True, False]
    assert page.grid.pin.text() == page.details.pin.text() == "Unpin"
    assert "2 pinned" in page.size_label.text()
    page.details.pin.click()
    await bench.settle()
    assert not (await store.get(CAT)).pinned


@pytest.mark.parametrize(("width", "first_row"), [(820, 2), (1000, 3), (1140, 3), (1600, 3)])
async def test_a_row_is_full_whether_one_can_scroll_or_not(page, bench: Bench, width: int, first_row: int) -> None:
    for height in (400, 900):
        page.resize(width, height)
        page.layout().activate()
        page.grid.executeDelayedItemsLayout()
        tops = [page.grid.visualRect(page.model.index(row)).top() for row in range(3)]
        assert tops.count(tops[0]) == first_row


async def test_where_there_is_little_room_the_words_come_first(page: PicturesPage, bench: Bench) -> None:
    choose(page, CAT)
    await bench.settle()
    assert page.details.picture.isVisible()
    page.resize(1000, 400)
    page.layout().activate()
    assert (page.details.picture.isVisible(), page.details.text.isVisible()) == (False, True)


async def test_describing_again_is_noted(page: PicturesPage, bench: Bench, store) -> None:
    choose(page, CAT)
    page.details.describe_again.click()
    await bench.settle()
    assert (await store.get(CAT)).is_to_be_made_again
    assert "described again" in page.details.facts.text()


@pytest.mark.parametrize(("answer", "left"), [("Delete", [CHART]), ("Cancel", [CAT, DOG, CHART])])
async def test_deleting_asks_first(page: PicturesPage, bench: Bench, store, answer: str, left: list[str]) -> None:
    choose(page, CAT, DOG)
    page.grid.delete.trigger()
    await press(page, bench, answer)
    assert {one.digest for one in await store.list()} == set(left)
    assert len(await seen(page, bench)) == len(left)


async def test_one_that_is_gone_meanwhile_is_told_with_what_helps(page: PicturesPage, bench: Bench, store) -> None:
    choose(page, CAT)
    await store.delete(CAT)
    page.grid.pin.trigger()
    await bench.settle()
    assert page.error.text() == tr(
        "Not done: the description is gone, or its folder cannot be written. Look at the folder's permissions."
    )
    assert page.details.digest == ""
    choose(page, DOG)
    page.grid.pin.trigger()
    await bench.settle()
    assert page.error.isHidden()


async def test_the_text_is_copied_by_key(page: PicturesPage, bench: Bench, qtbot: QtBot) -> None:
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    page.grid.setFocus()
    choose(page, DOG)
    qtbot.keyClick(page.grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "A dog in the fog."


async def test_it_reads_only_what_changed_and_only_while_it_shows(page: PicturesPage, bench: Bench, store) -> None:
    await seen(page, bench)
    page.look()
    assert bench.tasks.running == 0
    page.hide()
    assert not page._beat.isActive()
    await store.edit(CAT, "A lion.")
    page.show()
    await bench.settle()
    assert "A lion." in await seen(page, bench)


async def test_an_empty_store_says_what_will_come_or_what_turned_it_off(tmp_path, bench: Bench, theme, qtbot) -> None:
    page = PicturesPage(await filled_store(tmp_path / "none", ()), bench.commands, theme)
    qtbot.addWidget(page)
    assert await seen(page, bench) == []
    assert page.empty.sentence.text().startswith("No picture yet.")
    assert page.head.isHidden() and page.empty.settings.isHidden()
    await bench.runtime.apply({"generate_image_descriptions": False})
    page.look_anew()
    await bench.settle()
    assert "turn it off" in page.empty.sentence.text()
    assert not page.empty.settings.isHidden()


async def test_what_ends_after_the_page_was_deleted_bothers_nobody(store, bench: Bench, theme: Theme) -> None:
    page = PicturesPage(store, bench.commands, theme)
    await seen(page, bench)
    choose(page, CAT)
    page.grid.pin.trigger()
    page.look_anew()
    page.details.edited.emit(DOG, "A wolf.")
    page.deleteLater()
    QCoreApplication.sendPostedEvents(page, QEvent.Type.DeferredDelete)
    await bench.settle()
    assert bench.failures == []
