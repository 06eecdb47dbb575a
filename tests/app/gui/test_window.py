"""The window over the real runtime: its line of state, its pages, what it asks for and when it looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.gui.bridge import ROWS_EVERY, Bridge
from app.gui.theme import Theme
from app.gui.widgets.notices import NoticeList
from app.gui.window import MainWindow
from proxy_core.events import Exchange, ExchangeFinished, ExchangeStarted
from proxy_core.telemetry.series import Sample
from tests.app.gui.conftest import Bench
from tests.app.runtimes import ask


@pytest.fixture
def memory(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def window(bench: Bench, theme: Theme, memory: QSettings, qtbot: QtBot) -> MainWindow:
    bridge = Bridge(bench.runtime.state, bench.runtime.meter)
    window = MainWindow(bridge, bench.commands, theme, NoticeList(), memory)
    window.bridge = bridge
    qtbot.addWidget(window, before_close_func=lambda window: window.leave())
    return window


def fail(bench: Bench, message: str) -> None:
    """An exchange that failed, as the pipeline tells it."""
    exchange = Exchange(id="x1", started_at=1.0, door="/v1/messages", asked_model="glm-4.6")
    bench.runtime.bus.publish(ExchangeStarted(exchange))
    exchange.outcome, exchange.status, exchange.error_message = "failed", 429, message
    bench.runtime.bus.publish(ExchangeFinished(exchange))


def live(window: MainWindow):
    return window.pages.widget(0)


async def test_it_says_how_things_stand(window: MainWindow, bench: Bench) -> None:
    address = bench.runtime.state.snapshot().address
    assert f"Running on {address}" in window.header.state.text()
    window.header.pause.click()
    window.bridge.beat()
    assert "Paused" in window.header.state.text()
    assert window.header.pause.text() == "Resume proxy"
    window.header.pause.click()
    fail(bench, "No balance.")
    window.bridge.beat()
    assert "but the last request failed" in window.header.state.text()


async def test_a_server_chosen_here_shows_once_it_is_switched(window: MainWindow, bench: Bench) -> None:
    server = window.header.server
    server.setCurrentText("cn")  # as the list itself does it before it tells
    server.activated.emit(server.findText("cn"))
    assert server.currentText() == "demo"
    await bench.settle()
    window.bridge.beat()
    assert server.currentText() == "cn"


async def test_a_request_fills_numbers_lists_and_plots(window: MainWindow, bench: Bench) -> None:
    window.show()
    assert live(window).below.currentIndex() == 0
    await ask(bench.runtime)
    bench.runtime.meter.sample(2.0)
    window.bridge.watch(True)
    assert live(window).below.currentIndex() == 1
    assert live(window).figures["requests"]._number.text() == "1"
    assert live(window).graphs[0]._samples[-1].at == 2.0
    assert window.pages.widget(1).list.model().rowCount() == 1


async def test_the_speed_of_output_stays_when_other_facts_change(window: MainWindow, bench: Bench) -> None:
    window.bridge.sampled.emit((Sample(at=1.0, output_tokens_per_s=42.0),))
    bench.runtime.pause()
    window.bridge.beat()
    assert live(window).figures["output"]._remark.text() == "42 per second"


async def test_an_error_is_told_and_can_be_copied(window: MainWindow, bench: Bench) -> None:
    window.show()
    page = window.pages.widget(1)
    assert page.details.copy.isHidden()
    fail(bench, "No balance: top up.")
    window.bridge.watch(True)
    page.list.selectRow(0)
    assert page.details._text.text() == "No balance: top up."
    page.details.copy.click()
    assert QGuiApplication.clipboard().text() == "No balance: top up."
    assert window.header.state.text() == "Error copied."


async def test_it_looks_only_while_it_shows(window: MainWindow, bench: Bench) -> None:
    listed: list[object] = []
    window.bridge.listed.connect(listed.append)
    await ask(bench.runtime)
    window.bridge.beat()
    assert listed == []
    window.show()
    assert len(listed) == 1
    window.hide()
    await ask(bench.runtime)
    for _ in range(2 * ROWS_EVERY):
        window.bridge.beat()
    assert len(listed) == 1


@pytest.mark.parametrize(
    ("keys", "signal"), [("Ctrl+,", "settings_asked"), ("Ctrl+Q", "quit_asked"), ("Ctrl+W", "close_asked")]
)
async def test_keys(window: MainWindow, qtbot: QtBot, keys: str, signal: str) -> None:
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    with qtbot.waitSignal(getattr(window, signal)):
        qtbot.keyClick(
            window,
            {"Ctrl+,": Qt.Key.Key_Comma, "Ctrl+Q": Qt.Key.Key_Q, "Ctrl+W": Qt.Key.Key_W}[keys],
            Qt.KeyboardModifier.ControlModifier,
        )


async def test_each_page_has_a_key(window: MainWindow, bench: Bench, qtbot: QtBot) -> None:
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    titles = []
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4):
        qtbot.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
        titles.append(window.pages.tabText(window.pages.currentIndex()))
    await bench.settle()
    assert titles == ["Live", "Requests", "Pictures", "Dry run"]


async def test_its_size_is_remembered(window: MainWindow, bench: Bench, theme: Theme, memory: QSettings) -> None:
    window.show()
    window.resize(990, 610)
    window.leave()
    again = MainWindow(window.bridge, bench.commands, theme, NoticeList(), memory)
    assert again.height() == 610
