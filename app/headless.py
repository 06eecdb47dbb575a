"""The smallest face: the proxy in the foreground, ended by a signal. Qt is never imported."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from app.control.hosting import host_runtime
from app.control.lock import Claim, claim_home
from app.control.routes import Face
from app.errors import EXIT_SETTINGS, EndingError, home_ending, listen_ending
from app.paths import LOGS_FOLDER, ensure_home
from app.runtime import Runtime
from app.runtime.ending import unless_ended
from app.runtime.log_setup import configure_logging
from app.secrets import KeyringStore, SecretStore
from app.settings.load import Loaded
from proxy_core.server.runner import ListenError

log = logging.getLogger(__name__)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(home: Path, loaded: Loaded, *, demo: bool, secrets: SecretStore | None = None) -> int:
    """Serve until told to stop; the exit code. Raises EndingError where it cannot begin."""
    if loaded.problems:
        raise EndingError("Settings", "\n".join(str(problem) for problem in loaded.problems), EXIT_SETTINGS)
    try:
        ensure_home(home)
    except OSError as error:
        if not home.is_dir():  # one that is there, but read-only, may hold the settings; nothing is kept then
            raise home_ending(home, error) from error
    configure_logging(loaded.settings)
    asyncio.run(_serve(home, loaded, demo, secrets or KeyringStore()))
    return 0


async def _serve(home: Path, loaded: Loaded, demo: bool, secrets: SecretStore) -> None:
    claim, remark = _claim(home)
    if claim is not None:
        configure_logging(loaded.settings, home / LOGS_FOLDER)
    told_to_stop = asyncio.Event()
    face = Face("headless", show=lambda: False, stop=told_to_stop.set)
    runtime = host_runtime(home, loaded, demo=demo, secrets=secrets, face=face, claim=claim)
    _on_signals(lambda: _stop_or_cut(told_to_stop, runtime))
    try:
        await unless_ended(told_to_stop, runtime.start())
        if remark:
            log.warning(remark)
        if runtime.proxy.address is not None:
            _say_ready(runtime)
        await told_to_stop.wait()
    except ListenError as error:
        raise listen_ending(error) from error
    finally:
        await runtime.stop()
        if claim is not None:
            claim.release()


def _claim(home: Path) -> tuple[Claim | None, str]:
    """The hold on the folder, or why there is none. Headless runs either way: its port decides."""
    try:
        claim = claim_home(home, "headless")
    except OSError as error:
        return None, f"{home} cannot be written ({error.strerror}): no control, no log files."
    if claim is None:
        return None, f"Another instance uses {home}; this one runs beside it: no control, no log files."
    return claim, ""


def _stop_or_cut(told_to_stop: asyncio.Event, runtime: Runtime) -> None:
    if told_to_stop.is_set():
        runtime.cut()
    told_to_stop.set()


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def _say_ready(runtime: Runtime) -> None:
    seen = runtime.state.snapshot()
    sys.stdout.write(f"Listening on http://{seen.address} (server {seen.server})\n")
    sys.stdout.flush()
