"""Rows of the form, made from declarations: one kind of control per type, and values that come back as given."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.gui.form import FormRow, make_row
from app.settings.describe import describe_settings
from app.settings.values import check_value

ROWS = {row.field: row for row in describe_settings()}


def row_of(qtbot: QtBot, field: str, value: object, **more: object) -> FormRow:
    row = make_row(ROWS[field], value, **more)  # type: ignore[arg-type]  # a test's own
    qtbot.addWidget(row)
    return row


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("host", "0.0.0.0", QLineEdit),
        ("port", 5001, QSpinBox),
        ("connect_timeout", 2.5, QDoubleSpinBox),
        ("shutdown_grace", 0.0, QDoubleSpinBox),
        ("enable_zai_thinking", False, QCheckBox),
        ("theme", "dark", QComboBox),
        ("allowed_hosts", ("a.lan", "b.lan"), QLineEdit),
        ("model_map_json", {"gpt-4o": "glm-4.6"}, QPlainTextEdit),
        ("model_map_json", {}, QPlainTextEdit),
    ],
)
def test_a_value_comes_back_as_it_was(qtbot: QtBot, field: str, value: object, kind: type[QWidget]) -> None:
    row = row_of(qtbot, field, value)
    assert isinstance(row.control.widget, kind)
    assert check_value(field, row.value()) == value


@pytest.mark.parametrize("field", sorted(ROWS))
def test_every_setting_has_a_control_a_name_and_help(qtbot: QtBot, field: str) -> None:
    row = row_of(qtbot, field, check_value(field, ROWS[field].default))
    said = [label.text() for label in row.findChildren(QLabel)]
    assert row.control.widget.accessibleName() == ROWS[field].title
    assert ROWS[field].help.replace("\n", " ") in said
    assert check_value(field, row.value()) == check_value(field, ROWS[field].default)


@pytest.mark.parametrize(
    ("field", "low", "high"), [("port", 0, 65_535), ("connect_timeout", 0.1, 86_400.0), ("max_body_mb", 1, 1024)]
)
def test_numbers_keep_their_bounds(qtbot: QtBot, field: str, low: float, high: float) -> None:
    row = row_of(qtbot, field, low)
    box = row.control.widget
    assert isinstance(box, QSpinBox | QDoubleSpinBox)
    assert (box.minimum(), box.maximum()) == (low, high)


def test_names_that_the_declaration_cannot_know_are_offered(qtbot: QtBot) -> None:
    row = row_of(qtbot, "current_server", "gone", words=("international", "cn"))
    box = row.control.widget
    assert isinstance(box, QComboBox)
    assert [box.itemText(number) for number in range(box.count())] == ["international", "cn", "gone"]
    assert row.value() == "gone"


@pytest.mark.parametrize("is_locked", [True, False])
def test_what_stands_above_the_dialog_is_named(qtbot: QtBot, is_locked: bool) -> None:
    row = row_of(qtbot, "port", 5001, fixed_by="PORT (environment)", is_locked=is_locked)
    assert row.control.widget.isEnabled() is not is_locked
    assert any("PORT (environment)" in label.text() for label in row.findChildren(QLabel))


def test_the_wheel_changes_nothing_that_was_not_chosen(qtbot: QtBot) -> None:
    row = row_of(qtbot, "port", 5001)
    nothing, down = QPoint(), QPoint(0, 120)
    modifiers, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    turn = QWheelEvent(QPointF(5, 5), QPointF(5, 5), nothing, down, Qt.MouseButton.NoButton, modifiers, phase, False)
    QApplication.sendEvent(row.control.widget, turn)
    assert row.value() == 5001
