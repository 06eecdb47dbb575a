"""`proxy-cli tui`."""

from __future__ import annotations

import asyncio
import gettext
import signal
import sys
from functools import partial
from pathlib import Path

from app.errors import EXIT_SETTINGS, EndingError
from app.i18n import DOMAIN, choose_language, set_language, tr
from app.paths import resources
from app.settings.load import load
from app.tui.app import ProxyTui
from app.tui.hosting import Hosting
from app.tui.instance import find_live

_FAILED = 1


def run(home: Path) -> int:
    """Show the full screen until the user leaves; the exit code. Raises EndingError without a terminal."""
    speak(home)
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):  # textual draws on stderr
        raise EndingError("No terminal", tr("The full screen needs a terminal."), EXIT_SETTINGS)
    return asyncio.run(_run(home))


def speak(home: Path) -> None:
    """Use the language that is set, or else the terminal's."""
    folder = resources() / "locale"
    found = gettext.find(DOMAIN, str(folder))  # asks LANGUAGE, LC_ALL, LC_MESSAGES and LANG
    preferred = [Path(found).parents[1].name] if found else []
    set_language(choose_language(load(home).settings.language, preferred), folder)


async def _run(home: Path) -> int:
    host = Hosting(home, partial(load, home), lambda: app.end_as_told())
    app = ProxyTui(home, partial(find_live, home), host)
    _on_signals(app)
    try:
        code = await app.run_async()
    finally:
        await host.end()
    return _FAILED if code is None else code


def _on_signals(app: ProxyTui) -> None:
    """Somebody ends us, or the terminal is gone."""
    if sys.platform != "win32":
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, app.end)
        loop.add_signal_handler(signal.SIGHUP, app.leave_lost_terminal)
