"""The tray program from its first line to its exit code."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from app.control.hosting import host_runtime
from app.control.lock import Claim, claim_home
from app.control.routes import Face
from app.errors import home_ending
from app.gui.desktop import Desktop
from app.gui.icons import app_icon
from app.gui.loop import make_loop
from app.gui.second import raise_first
from app.paths import LOGS_FOLDER, ensure_home
from app.runtime.log_setup import configure_logging
from app.secrets import KeyringStore, SecretStore
from app.settings.load import Loaded

log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def run(home: Path, loaded: Loaded, demo: bool, secrets: SecretStore | None = None) -> int:
    """Serve behind a tray icon until the user ends it; the exit code. Raises EndingError where it cannot begin."""
    try:
        ensure_home(home)
        claim = claim_home(home, "tray")
    except OSError as error:
        raise home_ending(home, error) from error
    if claim is None:
        return raise_first(home)
    configure_logging(loaded.settings, home / LOGS_FOLDER)
    app = make_application()
    try:
        with asyncio.Runner(loop_factory=lambda: make_loop(app)) as runner:
            runner.run(_serve(app, home, loaded, demo, secrets, claim))
    finally:
        claim.release()
    return 0


def make_application(*arguments: str) -> QApplication:
    """Qt, told who we are; windows come and go, the program stays. arguments: Qt's own, such as -platform."""
    qInstallMessageHandler(_log_qt)
    # The name that window managers are told, however we were started.
    app = QApplication(["anthropic-proxy", *arguments])
    app.setApplicationName("anthropic-proxy")
    app.setApplicationDisplayName("Anthropic Proxy")
    app.setDesktopFileName("anthropic-proxy")
    app.setWindowIcon(app_icon())
    app.setQuitOnLastWindowClosed(False)
    return app


def _log_qt(kind: QtMsgType, _place: object, message: str) -> None:
    logging.getLogger("qt").log(_LEVELS.get(kind, logging.WARNING), "%s", message)


async def _serve(
    app: QApplication, home: Path, loaded: Loaded, demo: bool, secrets: SecretStore | None, claim: Claim
) -> None:
    face = Face("tray", show=lambda: desktop.show(), stop=lambda: desktop.quit())
    runtime = host_runtime(home, loaded, demo=demo, secrets=secrets or KeyringStore(), face=face, claim=claim)
    desktop = Desktop(app, runtime)
    hook_faults(desktop.report_fault)
    _on_signals(desktop.quit)
    try:
        await desktop.run()
    finally:
        await runtime.stop()
        sys.excepthook = sys.__excepthook__


def hook_faults(report: Callable[[BaseException], None]) -> None:
    """What escapes from a slot or a forgotten callback is logged, told in words, and ends nothing."""
    loop = asyncio.get_running_loop()

    def on_slot(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        log.error("a slot failed", exc_info=(kind, fault, trace))
        report(fault)

    def on_callback(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        loop.default_exception_handler(context)
        fault = context.get("exception")
        if isinstance(fault, Exception):
            report(fault)

    sys.excepthook = on_slot
    loop.set_exception_handler(on_callback)


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
