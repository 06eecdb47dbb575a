"""The table of exchanges: what cells say, and that views hear only what differs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.gui.models.exchange_table import COLUMNS, ROW_ROLE, ExchangeTable
from app.gui.theme import LIGHT
from tests.app.gui.rows import row, rows

Role = Qt.ItemDataRole


@pytest.fixture
def table(qapp: object) -> ExchangeTable:
    table = ExchangeTable(lambda: LIGHT)
    QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Fatal, table)
    return table


def texts(table: ExchangeTable, number: int) -> list[object]:
    return [table.index(number, column).data() for column in range(len(COLUMNS))]


def test_a_row_says_all_there_is(table: ExchangeTable) -> None:
    table.set_rows((row(1),))
    assert texts(table, 0)[1:] == [
        "claude-cli/2.1",
        "claude-sonnet-4-5 → glm-4.6",
        "cn",
        "anthropic",
        "200",
        "1.2k",
        "300",
        "–",
        "45",
        "250 ms",
        "2.0 s",
    ]


@pytest.mark.parametrize(
    ("column", "changes", "text"),
    [
        (2, {"asked_model": "glm-4.6"}, "glm-4.6"),
        (2, {"served_model": ""}, "claude-sonnet-4-5"),
        (2, {"served_model": "", "asked_model": ""}, "–"),
        (4, {"upstream_dialect": "openai"}, "anthropic → openai"),
        (5, {"outcome": "running"}, "running"),
        (5, {"outcome": "cancelled"}, "client left"),
        (5, {"outcome": "failed", "status": 0}, "–"),
        (8, {"saved_tokens": 12_345}, "12.3k"),
        (8, {"saved_tokens": -40}, "−40"),
        (9, {"is_estimate": True}, "~45"),
        (10, {"first_token_s": None}, "–"),
    ],
)
def test_cells_for_odd_exchanges(table: ExchangeTable, column: int, changes: dict[str, object], text: str) -> None:
    table.set_rows((row(1, **changes),))
    assert table.index(0, column).data() == text


def test_a_failure_is_red_and_its_reason_is_told_at_the_pointer(table: ExchangeTable) -> None:
    table.set_rows((row(2, outcome="failed", error_message="No balance."), row(1)))
    assert table.index(0, 0).data(Role.ForegroundRole) == QColor(LIGHT.danger)
    assert table.index(0, 0).data(Role.ToolTipRole) == "No balance."
    assert table.index(1, 0).data(Role.ForegroundRole) is None
    assert table.index(1, 0).data(ROW_ROLE) == row(1)


def test_new_rows_push_in_at_the_top_and_old_ones_fall_out(table: ExchangeTable, qtbot: QtBot) -> None:
    table.set_rows(rows(3, 2, 1))
    with qtbot.assertNotEmitted(table.modelReset), qtbot.waitSignals([table.rowsInserted, table.rowsRemoved]):
        table.set_rows(rows(5, 4, 3, 2))
    assert [table.row(number).id for number in range(table.rowCount())] == ["x5", "x4", "x3", "x2"]


def test_a_row_that_changes_is_told_alone(table: ExchangeTable, qtbot: QtBot) -> None:
    table.set_rows(rows(3, 2, 1))
    with qtbot.assertNotEmitted(table.rowsInserted), qtbot.waitSignal(table.dataChanged) as told:
        table.set_rows((row(3), row(2, outcome="failed"), row(1)))
    assert [index.row() for index in told.args[:2]] == [1, 1]


@pytest.mark.parametrize(
    ("before", "after"),
    [((), (1,)), ((1,), ()), ((3, 2, 1), (3, 1)), ((1, 2), (2, 1)), ((2, 1), (9, 8, 7)), ((2, 1), (2, 1))],
)
def test_any_change_ends_with_the_new_rows(
    table: ExchangeTable, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    table.set_rows(rows(*before))
    table.set_rows(rows(*after))
    assert [table.row(number) for number in range(table.rowCount())] == list(rows(*after))


def test_headings_stand_above_their_columns(table: ExchangeTable) -> None:
    headings = [table.headerData(number, Qt.Orientation.Horizontal) for number in range(len(COLUMNS))]
    assert headings[0] == "Time" and headings[-1] == "Duration" and all(headings)
    assert table.headerData(0, Qt.Orientation.Vertical) is None
