"""The whole desktop part for a moment: what `--self-test` does where Qt is installed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from app.gui.desktop import Desktop
from app.gui.icons import app_icon, tray_icon
from app.gui.loop import make_loop
from app.gui.main import hook_faults, make_application
from app.runtime import Runtime

Check = Callable[[str], AbstractContextManager[list[str]]]
"""check(name) is one line; what is put into its list is what was seen."""
_WITHIN_S = 30.0
_SETTLE_S = 0.3
_ICON_SIZE = 48


def run(runtime: Runtime, check: Check, ask: Callable[[Runtime], Awaitable[None]], *, is_screenless: bool) -> None:
    """Build tray, window and settings around a runtime not yet started, `ask` through it, and end it all.

    is_screenless: use Qt's stand-in for a screen. Raises what made a check fail.
    """
    with check("Qt") as seen:
        app = make_application(*(("-platform", "offscreen") if is_screenless else ()))
        seen.append(f"platform {QGuiApplication.platformName()}")
    with asyncio.Runner(loop_factory=lambda: make_loop(app)) as runner:
        runner.run(_rehearse(app, runtime, check, ask))


async def _rehearse(
    app: QApplication, runtime: Runtime, check: Check, ask: Callable[[Runtime], Awaitable[None]]
) -> None:
    faults: list[BaseException] = []
    desktop = Desktop(app, runtime)
    hook_faults(faults.append)
    life = asyncio.get_running_loop().create_task(desktop.run())
    try:
        with check("listening") as seen:
            seen.append(await _address(desktop, runtime))
        _check_icons(check)
        await _check_windows(desktop, check)
        await ask(runtime)
    finally:
        desktop.quit()
        await life
        await runtime.stop()
        sys.excepthook = sys.__excepthook__
    if faults:
        raise faults[0]


async def _address(desktop: Desktop, runtime: Runtime) -> str:
    known = asyncio.Event()
    desktop.bridge.changed.connect(lambda snapshot: known.set() if snapshot.address else None)
    async with asyncio.timeout(_WITHIN_S):
        await known.wait()
    return runtime.base_url("anthropic")


def _check_icons(check: Check) -> None:
    with check("icons") as seen:
        icons = [app_icon(), *(tray_icon("normal", dark=dark) for dark in (False, True))]
        for icon in icons:
            _demand_paint(icon.pixmap(_ICON_SIZE, _ICON_SIZE), "an icon")
        seen.append(f"{len(icons)} drawn from SVG")


async def _check_windows(desktop: Desktop, check: Check) -> None:
    with check("tray") as seen:
        seen.append(f"menu of {len(desktop.tray.menu.actions())} entries")
        seen.append("shown" if desktop.tray.is_hosted else "no host for its icon here")
    with check("windows") as seen:
        desktop.open_window()
        desktop.open_settings()
        await asyncio.sleep(_SETTLE_S)
        for name, shown in (("main window", desktop.window), ("settings", desktop.dialog)):
            seen.append(f"{name} {_demand_shown(shown, name)}")


def _demand_shown(shown: QWidget | None, name: str) -> str:
    if shown is None or not shown.isVisible():
        raise RuntimeError(f"{name} did not open")
    _demand_paint(shown.grab(), name)
    return f"{shown.width()}x{shown.height()}"


def _demand_paint(picture: QPixmap, name: str) -> None:
    """Something must be on it: a plug-in that is missing leaves it empty without a word."""
    image = picture.toImage()
    colours = {image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}
    if len(colours) < 2:
        raise RuntimeError(f"{name} is empty")
