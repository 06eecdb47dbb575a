"""The list of pictures: its orders, what a card says, and what views are told when the store changes."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QAbstractListModel, QObject, Qt, Signal
from pytestqt.modeltest import ModelTester

from app.gui.models.picture_list import DESCRIPTION_ROLE, Order, PictureList, card_text, remarks
from tests.app.gui.pictures import described


class NoThumbnails(QObject):
    """Stands for thumbnails that never come."""

    arrived = Signal(str)
    get = staticmethod(lambda digest: None)
    is_missing = staticmethod(lambda digest: False)


@pytest.fixture
def model(qapp: object) -> PictureList:
    return PictureList(NoThumbnails())


def numbers(model: QAbstractListModel) -> list[int]:
    return [int(model.index(row).data(DESCRIPTION_ROLE).digest, 16) for row in range(model.rowCount())]


@pytest.mark.parametrize(
    ("order", "expected"),
    [(Order.NEWEST, [3, 2, 1]), (Order.LAST_USED, [1, 3, 2]), (Order.MOST_USED, [2, 1, 3])],
)
def test_the_orders(model: PictureList, order: Order, expected: list[int]) -> None:
    used = ((1, 9.0, 5), (2, 7.0, 8), (3, 8.0, 0))
    model.set_descriptions([described(n, last_used_at=last, hits=hits) for n, last, hits in used], order)
    assert numbers(model) == expected


def test_views_are_told_of_what_differs_only(model: PictureList, qtmodeltester: ModelTester) -> None:
    changed: list[tuple[int, int]] = []
    resets: list[object] = []
    model.dataChanged.connect(lambda top, bottom: changed.append((top.row(), bottom.row())))
    model.modelReset.connect(lambda: resets.append(None))
    three = [described(n) for n in (1, 2, 3)]
    model.set_descriptions(three, Order.NEWEST)
    model.set_descriptions([*three[:2], described(3, hits=1)], Order.NEWEST)
    model.set_descriptions([described(n, pinned=True) for n in (1, 2, 3)], Order.NEWEST)
    assert (changed, len(resets)) == ([(0, 0), (0, 2)], 1)
    model.set_descriptions(three[:2], Order.NEWEST)
    assert (numbers(model), len(resets)) == ([2, 1], 2)
    assert model.index_of(described(1).digest).row() == 1
    assert not model.index_of(described(3).digest).isValid()
    qtmodeltester.check(model)


def test_an_arrived_thumbnail_redraws_its_card(model: PictureList) -> None:
    drawn: list[tuple[int, list[int]]] = []
    model.set_descriptions([described(1), described(2)], Order.NEWEST)
    model.dataChanged.connect(lambda top, bottom, roles: drawn.append((top.row(), roles)))
    model._thumbnails.arrived.emit(described(1).digest)
    model._thumbnails.arrived.emit(described(7).digest)
    assert drawn == [(1, [Qt.ItemDataRole.DecorationRole])]


def test_what_a_card_says() -> None:
    assert card_text(described(text="Two\n lines ")) == "Two lines"
    assert card_text(described(text=" ")).startswith("No words")
    assert remarks(described(5, model="glm-4.6v", hits=12), 125.0) == "glm-4.6v · 2 min ago · used 12×"
    assert remarks(described(5, model="glm-4.6v", edited=True), 5.0) == "edited · just now · used 0×"
