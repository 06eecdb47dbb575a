"""The parts together, on the loop they are made for: what a user, another start and a signal can ask of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QSystemTrayIcon

from app.gui.desktop import Desktop
from app.gui.loop import make_loop
from app.i18n import set_language, tr
from app.paths import resources
from app.runtime import Runtime
from tests.app.gui.conftest import clear_away
from tests.app.runtimes import SilentStore, make_runtime, taken_port

Scene = Callable[[Desktop], Awaitable[None]]


@pytest.fixture
def play(qapp: QApplication, tmp_path: Path) -> Iterator[Callable[..., Desktop]]:
    """Runs the desktop to its end while a scene is played in it."""
    qapp.setQuitOnLastWindowClosed(False)  # as make_application does

    def run(scene: Scene, *, config: str = "", **sources: object) -> Desktop:
        async def whole() -> Desktop:
            runtime: Runtime = make_runtime(tmp_path, demo=True, config=config, **sources)
            desktop = Desktop(qapp, runtime)
            running = asyncio.gather(desktop.run())
            try:
                async with asyncio.timeout(20):
                    while not (runtime.proxy.address or desktop.opening.offer):
                        await asyncio.sleep(0.01)
                    await scene(desktop)
            finally:
                desktop.quit()
                await running
            return desktop

        with asyncio.Runner(loop_factory=lambda: make_loop(qapp)) as runner:
            return runner.run(whole())

    yield run
    clear_away(qapp)
    set_language("en", resources() / "locale")


async def until(is_so: Callable[[], object]) -> None:
    while not is_so():
        await asyncio.sleep(0.01)


def button(box: QMessageBox, text: str) -> QPushButton:
    return next(item for item in box.findChildren(QPushButton) if item.text().replace("&", "") == text)


def texts(desktop: Desktop) -> list[str]:
    return [notice.text for notice in desktop.concerns.notices.all()]


def test_a_quit_ends_a_start_that_waits_for_the_keyring(qapp: QApplication, tmp_path: Path) -> None:
    async def whole() -> bool:
        store = SilentStore()
        runtime = make_runtime(tmp_path, secrets=store, config="require_access_key: true\n")
        desktop = Desktop(qapp, runtime)
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            group.create_task(desktop.run())
            await store.asked.wait()
            desktop.quit()
        return runtime.proxy.address is None and desktop.window is None

    with asyncio.Runner(loop_factory=lambda: make_loop(qapp)) as runner:
        assert runner.run(whole())
    clear_away(qapp)


def test_the_first_start_shows_the_window_and_later_ones_do_not(play) -> None:
    seen: list[bool] = []

    async def scene(desktop: Desktop) -> None:
        await asyncio.sleep(0.05)
        seen.append(desktop.window is not None)

    play(scene)
    play(scene)
    assert seen == [True, False]


def test_another_start_and_a_quit_from_the_system(play) -> None:
    async def scene(desktop: Desktop) -> None:
        assert desktop.show()
        assert desktop.window is not None and desktop.window.isVisible()
        QCoreApplication.postEvent(QCoreApplication.instance(), QEvent(QEvent.Type.Quit))
        await desktop.ended.wait()

    desktop = play(scene)
    assert desktop._runtime.proxy.address is None
    assert not desktop.window.isVisible()


def test_closing_hides_where_there_is_a_tray_and_says_so_once(play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    said: list[str] = []

    async def scene(desktop: Desktop) -> None:
        monkeypatch.setattr(desktop.tray, "say", said.append)
        for _ in range(2):
            desktop.open_window()
            desktop.window.close()
            assert not desktop.window.isVisible()
        assert not desktop.ended.is_set()

    play(scene)
    assert said == ["The proxy goes on in the tray. Quit ends it."]


@pytest.mark.parametrize(("answer", "ends"), [("Quit", True), ("Cancel", False)])
def test_closing_asks_where_there_is_no_tray(play, monkeypatch: pytest.MonkeyPatch, answer: str, ends: bool) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: False)
    ended: list[bool] = []

    async def scene(desktop: Desktop) -> None:
        desktop.open_window()
        desktop.window.close()
        assert desktop.window.isVisible()
        button(desktop.window.findChild(QMessageBox), answer).click()
        ended.append(desktop.ended.is_set())

    play(scene)
    assert ended == [ends]


def test_without_a_tray_the_window_comes_with_a_hint(play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: False)
    monkeypatch.setattr("app.gui.tray.PATIENCE_MS", 0)

    async def scene(desktop: Desktop) -> None:
        await until(lambda: desktop.window and desktop.window.isVisible())
        assert any("no tray icons" in text for text in texts(desktop))

    play(scene)


def test_a_taken_port_is_told_and_the_next_free_one_offered(play) -> None:
    holder, port = taken_port()

    async def scene(desktop: Desktop) -> None:
        assert desktop.opening.offer.text() == f"Port {port} is used by another program."
        free = desktop.opening.offer.defaultButton()
        free.click()
        await until(lambda: desktop._runtime.proxy.address)
        number = desktop._runtime.proxy.address[1]
        assert free.text() == f"Use port {number}"
        await until(
            lambda: f"The proxy listens on port {number} now. Give your clients the new base URL." in texts(desktop)
        )
        await until(lambda: not any("no request can come in" in text for text in texts(desktop)))

    with holder:
        play(scene, config=f"port: {port}\n")


def test_language_and_look_change_without_a_restart(play) -> None:
    async def scene(desktop: Desktop) -> None:
        desktop.open_window()
        english = desktop.window
        await desktop.commands.apply({"language": "zh_CN", "theme": "dark"})
        await until(lambda: desktop.window is not english)
        assert desktop.tray.quit.text() == tr("Quit") == "退出"
        assert desktop.window.isVisible()
        assert desktop.theme.is_dark

    play(scene, config="language: en\ntheme: light\n")


def test_bad_settings_and_keys_in_files_are_shown_and_keys_can_be_imported(play) -> None:
    async def scene(desktop: Desktop) -> None:
        desktop.open_window()
        await until(lambda: any("keyring" in text for text in texts(desktop)))
        assert any("prot" in text and "did you mean port" in text for text in texts(desktop))
        button(desktop.window, "Import keys").click()
        await until(lambda: any(text.startswith("Imported") for text in texts(desktop)))
        assert await desktop._runtime.secrets.get("cn") == "sk-0123456789abcdef0123"

    servers = 'cn:\n  name: "cn"\n  endpoint: "https://open.bigmodel.cn"\n  api_key: "sk-0123456789abcdef0123"\n'
    play(scene, config="prot: 1\nport: 0\n", servers=servers)


def test_a_server_without_a_key_is_named_until_it_has_one(play) -> None:
    async def scene(desktop: Desktop) -> None:
        await desktop._runtime.switch_server("cn")
        await until(lambda: any("No key is stored for cn" in text for text in texts(desktop)))
        await desktop.commands.set_key("cn", "sk-0123456789abcdef")
        await until(lambda: not any("No key" in text for text in texts(desktop)))
        assert await desktop._runtime.has_key("cn")

    play(scene)
