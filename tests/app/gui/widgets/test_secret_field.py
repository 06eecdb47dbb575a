"""The field for a key, by itself; its eye is tried in test_key_box.py."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.gui.widgets.secret_field import SecretField


@pytest.mark.parametrize("pasted", ["sk-1", "  sk-1", "sk-1 \n", "\tsk-1\r\n"])
def test_spaces_around_a_key_are_no_part_of_it(qtbot: QtBot, pasted: str) -> None:
    field = SecretField(dark=False)
    qtbot.addWidget(field)
    field.setText(pasted)
    assert field.key() == "sk-1"


def test_nothing_learns_from_it(qtbot: QtBot) -> None:
    field = SecretField(dark=True)
    qtbot.addWidget(field)
    assert field.inputMethodHints() & Qt.InputMethodHint.ImhSensitiveData
    field.setText("sk-1")
    field.clear_key()
    field.undo()
    assert field.text() == ""
