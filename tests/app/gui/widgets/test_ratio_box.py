"""Learned ratios in the settings: what they say, and that they are read when one looks."""

from __future__ import annotations

import pytest
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.gui.models.ratio_table import COLUMNS, content_words
from app.gui.widgets.ratio_box import RatioBox
from proxy_core.tokens.content import ContentClass
from proxy_core.tokens.learning import Ratio

PROSE = Ratio("glm-4.6", ContentClass.PROSE, 1.0471, 32)


@pytest.fixture
def known() -> list[Ratio]:
    return []


@pytest.fixture
def box(known: list[Ratio], qtbot: QtBot) -> RatioBox:
    box = RatioBox(lambda: tuple(known))
    qtbot.addWidget(box)
    return box


def test_it_says_what_was_learned_each_time_it_is_shown(box, known, qtmodeltester: ModelTester) -> None:
    box.show()
    assert box.table.isHidden() and box.remark.text().startswith("Nothing yet.")
    box.hide()
    known.append(PROSE)
    box.show()
    assert [box.model.index(0, column).data() for column in range(len(COLUMNS))] == ["glm-4.6", "prose", "1.047", "32"]
    assert not box.table.isHidden() and box.remark.text().startswith("Tokens that servers reported")
    qtmodeltester.check(box.model)


def test_every_kind_of_content_has_its_words() -> None:
    assert len({content_words(content) for content in ContentClass}) == len(ContentClass)
