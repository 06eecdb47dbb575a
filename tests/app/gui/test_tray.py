"""The tray's menu against the real runtime; the icon itself is seen in tests/desktop."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QSystemTrayIcon
from pytestqt.qtbot import QtBot

from app.gui.theme import Theme
from app.gui.tray import PATIENCE_MS, SEEK_MS, Tray, tray_state
from app.state import Snapshot
from tests.app.gui.conftest import Bench


@pytest.fixture
def tray(bench: Bench, theme: Theme) -> Tray:
    tray = Tray(bench.commands, theme)
    tray.show_facts(bench.runtime.state.snapshot())
    return tray


def servers(tray: Tray) -> dict[str, bool]:
    return {action.text(): action.isChecked() for action in tray.menu.actions() if action.isCheckable()}


def server_item(tray: Tray, name: str) -> QAction:
    return next(action for action in tray.menu.actions() if action.isCheckable() and action.text() == name)


async def test_the_menu_stands_in_its_order(tray: Tray, bench: Bench) -> None:
    texts = ["‖" if action.isSeparator() else action.text() for action in tray.menu.actions()]
    line = f"{bench.runtime.state.snapshot().address} · demo · 0 in flight"
    assert texts == [
        *(line, "‖", "international", "cn", "demo", "‖", "Copy base URL", "Pause proxy", "‖"),
        *("Open window", "Settings…", "‖", "Quit"),
    ]
    assert not tray.status.isEnabled()


async def test_the_mark_moves_when_the_switch_has_happened(tray: Tray, bench: Bench) -> None:
    server_item(tray, "cn").trigger()
    assert servers(tray) == {"international": False, "cn": False, "demo": True}
    await bench.settle()
    tray.show_facts(bench.runtime.state.snapshot())
    assert servers(tray) == {"international": False, "cn": True, "demo": False}
    assert bench.runtime.store.current.current_server == "cn"


async def test_a_switch_that_fails_is_told_and_leaves_the_mark(tray: Tray, bench: Bench) -> None:
    tray.show_facts(Snapshot(address="a", server="demo", servers=("demo", "gone")))
    server_item(tray, "gone").trigger()
    await bench.settle()
    assert servers(tray) == {"demo": True, "gone": False}
    assert "gone" in bench.failures[0]


async def test_labels_are_patched_in_place(tray: Tray) -> None:
    before = tray.menu.actions()
    tray.show_facts(
        Snapshot(revision=9, address="h:1", server="cn", servers=("international", "cn", "demo"), in_flight=3)
    )
    assert tray.menu.actions() == before
    assert tray.status.text() == "h:1 · cn · 3 in flight"


@pytest.mark.parametrize(("style", "end"), [("copy_openai", "/v1"), ("copy_anthropic", "")])
async def test_the_base_url_is_copied(tray: Tray, bench: Bench, style: str, end: str) -> None:
    getattr(tray, style).trigger()
    assert QGuiApplication.clipboard().text() == f"http://{bench.runtime.state.snapshot().address}{end}"


async def test_pausing_and_resuming(tray: Tray, bench: Bench) -> None:
    for is_paused, label in ((True, "Resume proxy"), (False, "Pause proxy")):
        tray.pause.trigger()
        tray.show_facts(bench.runtime.state.snapshot())
        assert (bench.runtime.proxy.paused, tray.pause.text()) == (is_paused, label)


async def test_once_it_ends_only_quit_is_left(tray: Tray, qtbot: QtBot) -> None:
    tray.say_stopping()
    assert tray.status.text() == "Finishing requests…"
    assert [action.text() for action in tray.menu.actions() if action.isEnabled() and action.text()] == ["Quit now"]
    with qtbot.waitSignal(tray.quit_asked):
        tray.quit.trigger()


async def test_no_host_is_told_once_and_a_late_one_is_welcome(
    tray: Tray, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    tray.hostless.connect(lambda: told.append("hostless"))
    tray.hosted.connect(lambda: told.append("hosted"))
    for is_there in (False, True):
        monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda is_there=is_there: is_there)
        tray.seek_host()
        for _ in range(2 * PATIENCE_MS // SEEK_MS):
            tray._seek()
    assert told[:2] == ["hostless", "hosted"]
    assert tray.is_hosted
    tray.close()


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (None, "normal"),
        (Snapshot(address="h:1"), "normal"),
        (Snapshot(address="h:1", paused=True), "paused"),
        (Snapshot(address="h:1", paused=True, last_error="x"), "paused"),
        (Snapshot(address="h:1", last_error="x"), "error"),
        (Snapshot(), "error"),
    ],
)
def test_which_icon_is_shown(facts: Snapshot | None, state: str) -> None:
    assert tray_state(facts) == state
