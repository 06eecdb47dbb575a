"""What should be known: one line a thing, replaced by its key, gone when dismissed."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.gui.widgets.notices import MAX_SHOWN, Notice, NoticeBar, NoticeList


@pytest.fixture
def notices() -> NoticeList:
    return NoticeList()


@pytest.fixture
def bar(notices: NoticeList, qtbot: QtBot) -> NoticeBar:
    bar = NoticeBar(notices)
    qtbot.addWidget(bar)
    return bar


def shown(bar: NoticeBar) -> list[str]:
    lines = [bar.layout().itemAt(number).widget() for number in range(bar.layout().count())]
    return [line.findChild(QLabel).text() for line in lines]


def press(bar: NoticeBar, text: str) -> None:
    next(button for button in bar.findChildren(QPushButton) if button.text() == text).click()


def test_it_takes_no_room_while_there_is_nothing(bar: NoticeBar, notices: NoticeList) -> None:
    assert bar.isHidden()
    notices.put(Notice("a", "one"))
    assert not bar.isHidden()


def test_the_same_key_takes_the_same_place(bar: NoticeBar, notices: NoticeList) -> None:
    for notice in (Notice("a", "one"), Notice("b", "two"), Notice("a", "three")):
        notices.put(notice)
    assert shown(bar) == ["three", "two"]


def test_dismissing_makes_room_for_the_next(bar: NoticeBar, notices: NoticeList) -> None:
    for number in range(MAX_SHOWN + 1):
        notices.put(Notice(str(number), f"notice {number}"))
    assert len(shown(bar)) == MAX_SHOWN
    press(bar, "Dismiss")
    assert shown(bar) == [f"notice {number}" for number in range(1, MAX_SHOWN + 1)]


def test_its_button_does_what_it_says(bar: NoticeBar, notices: NoticeList) -> None:
    done: list[str] = []
    notices.put(Notice("a", "one", "warning", "Mend it", lambda: done.append("mended")))
    press(bar, "Mend it")
    assert done == ["mended"]


def test_markup_in_a_notice_stays_text(bar: NoticeBar, notices: NoticeList) -> None:
    notices.put(Notice("a", "<b>one</b>"))
    assert bar.sizeHint().width() > 0
    assert shown(bar) == ["<b>one</b>"]
    assert bar.findChild(QLabel).textFormat().name == "PlainText"


def test_a_dropped_notice_is_gone_and_dropping_nothing_is_fine(bar: NoticeBar, notices: NoticeList) -> None:
    notices.put(Notice("a", "one"))
    notices.drop("a")
    notices.drop("a")
    assert (shown(bar), bar.isHidden()) == ([], True)
