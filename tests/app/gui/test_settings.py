"""The settings dialog against the real runtime: what it saves, what it refuses, what it never shows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit
from pytestqt.qtbot import QtBot

from app.gui.settings import SettingsDialog, page_of
from app.settings.describe import describe_settings
from tests.app.gui.conftest import Bench
from tests.app.runtimes import free_port, make_runtime, taken_port

KEY = "sk-dialog-0123456789abcdef"


async def open_dialog(bench: Bench, qtbot: QtBot) -> SettingsDialog:
    dialog = SettingsDialog(bench.commands, dark=False)
    qtbot.addWidget(dialog)
    dialog.show()
    await bench.settle()
    return dialog


async def save(bench: Bench, dialog: SettingsDialog) -> None:
    dialog.save.click()
    await bench.settle()


async def test_every_setting_has_its_row_on_a_page(bench: Bench, qtbot: QtBot) -> None:
    dialog = await open_dialog(bench, qtbot)
    assert set(dialog.rows) == {row.field for row in describe_settings()}
    pages = {"upstream", "server", "models", "context", "logging", "desktop", "advanced"}
    assert {page_of(row) for row in describe_settings()} == pages


async def test_a_group_with_a_page_of_its_own_shows_its_advanced_settings_last(bench: Bench, qtbot: QtBot) -> None:
    dialog = await open_dialog(bench, qtbot)
    dialog.pages.setCurrentItem(dialog.pages.findItems("Context", Qt.MatchFlag.MatchExactly)[0])
    rows = sorted(
        (row for row in describe_settings() if row.group == "context"), key=lambda row: dialog.rows[row.field].y()
    )
    assert [row.advanced for row in rows] == sorted(row.advanced for row in rows)
    assert dialog.ratios.isVisible()


async def test_saving_applies_what_differs_and_nothing_else(bench: Bench, qtbot: QtBot) -> None:
    dialog = await open_dialog(bench, qtbot)
    port = free_port()
    dialog.rows["port"].show_value(port)
    dialog.rows["enable_zai_thinking"].show_value(False)
    assert dialog.changes() == {"port": port, "enable_zai_thinking": False}
    await save(bench, dialog)
    assert bench.runtime.base_url("anthropic") == f"http://127.0.0.1:{port}"
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert f"port: {port}" in (bench.runtime.home / "config.yaml").read_text()


async def test_a_taken_port_changes_nothing_and_is_told(bench: Bench, qtbot: QtBot) -> None:
    await bench.runtime.apply({"port": free_port()})
    before = bench.runtime.base_url("anthropic")
    dialog = await open_dialog(bench, qtbot)
    holder, port = taken_port()
    with holder:
        dialog.rows["port"].show_value(port)
        dialog.rows["enable_zai_thinking"].show_value(False)
        await save(bench, dialog)
    assert dialog.message.text() == f"Port {port} is used by another program. Nothing was changed."
    assert (dialog.isVisible(), dialog.save.isEnabled()) == (True, True)
    assert bench.runtime.base_url("anthropic") == before
    assert bench.runtime.store.current.enable_zai_thinking is True
    assert bench.failures == []


async def test_a_bad_value_is_told_with_its_name(bench: Bench, qtbot: QtBot) -> None:
    dialog = await open_dialog(bench, qtbot)
    dialog.rows["model_map_json"].show_value({"a": "b"})
    assert isinstance(dialog.rows["host"].control.widget, QLineEdit)
    dialog.rows["host"].control.widget.setText("")
    await save(bench, dialog)
    assert "host" in dialog.message.text()
    assert bench.runtime.store.current.model_map_json == {}


async def test_saving_nothing_closes(bench: Bench, qtbot: QtBot) -> None:
    dialog = await open_dialog(bench, qtbot)
    await save(bench, dialog)
    assert not dialog.isVisible()
    assert not (bench.runtime.home / "config.yaml").read_text().count("host")


async def test_a_typed_key_is_kept_for_the_chosen_server(bench: Bench, qtbot: QtBot) -> None:
    dialog = await open_dialog(bench, qtbot)
    dialog.rows["current_server"].show_value("cn")
    dialog.key_box.field.setText(f"  {KEY}\n")
    await save(bench, dialog)
    assert await bench.runtime.secrets.get("cn") == KEY
    assert bench.runtime.store.current.current_server == "cn"
    assert dialog.key_box.field.text() == ""


async def test_an_access_key_is_made_and_can_be_copied(bench: Bench, qtbot: QtBot) -> None:
    dialog = await open_dialog(bench, qtbot)
    assert not dialog.copy_access_key.isEnabled()
    dialog.rows["require_access_key"].show_value(True)
    await save(bench, dialog)
    again = await open_dialog(bench, qtbot)
    said: list[str] = []
    bench.commands.said.connect(said.append)
    again.copy_access_key.click()
    assert said == ["Access key copied."]
    assert bench.runtime.access_key is not None


@pytest.mark.usefixtures("qapp")
async def test_fields_that_the_environment_sets_are_locked(tmp_path, qtbot: QtBot) -> None:
    bench = Bench(make_runtime(tmp_path, environ={"PORT": "5999", "HOST": "127.0.0.1"}))
    dialog = await open_dialog(bench, qtbot)
    locked = {field for field, row in dialog.rows.items() if not row.control.widget.isEnabled()}
    await bench.runtime.stop()
    assert locked == {"port", "host"}
