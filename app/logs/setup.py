"""Which lines go where. One console, and the files of at most one folder; both may be set up anew at any time."""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TextIO

from app.logs.console import ACCESS_LOG, ConsoleHandler
from app.logs.file_handler import FileHandler
from app.logs.files import LogBounds, LogFiles
from proxy_core.upstream.traffic import BODIES_LOG, TRAFFIC_LOG

log = logging.getLogger(__name__)

_SERVERS_OWN_LOG = "aiohttp.access"
_STREAM_LOGS = (ACCESS_LOG, TRAFFIC_LOG)


def setup_logging(level: str, *, structured: bool, stream: TextIO | None = None) -> None:
    """Log to stderr from now on; may be called again to change anything. Files that are open go on.

    level: a name such as "INFO". structured: JSON lines, unless a person watches the terminal.
    """
    root = logging.getLogger()
    files = [handler for handler in root.handlers if isinstance(handler, FileHandler)]
    root.handlers[:] = [ConsoleHandler(stream or sys.stderr, structured=structured), *files]
    logging.captureWarnings(True)
    logging.getLogger(_SERVERS_OWN_LOG).disabled = True  # exchanges are logged once, by the pipeline
    set_level(level)


def set_level(level: str) -> None:
    """Change what is logged, at once. Libraries stay a step quieter: their DEBUG shows headers and bodies."""
    root = logging.getLogger()
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level]))
    for name in ("app", "proxy_core"):
        logging.getLogger(name).setLevel(level)
    for handler in root.handlers:
        if isinstance(handler, ConsoleHandler):
            handler.setLevel(level)


def open_files(folder: Path, bounds: LogBounds) -> None:
    """Write to files in this folder, too, until the program ends; again: with other bounds."""
    root = logging.getLogger()
    if (handler := _file_handler()) is not None:
        if handler.files.folder == folder:
            handler.files.bounds = bounds
            return
        close_files()
    root.addHandler(FileHandler(LogFiles(folder, bounds)))
    for name in _STREAM_LOGS:  # streams of their own: whatever the level of the rest
        logging.getLogger(name).setLevel(logging.DEBUG)
    atexit.register(close_files)
    sys.excepthook = _log_crash
    threading.excepthook = _log_thread_crash


def rebound_files(bounds: LogBounds) -> None:
    """Other bounds for the files, where any are open."""
    if (handler := _file_handler()) is not None:
        open_files(handler.files.folder, bounds)


def tell_trouble(say: Callable[[str], None] | None) -> None:
    """Who hears, in any thread, that files cannot be written, and that they can again; None: the console alone."""
    if (handler := _file_handler()) is not None:
        handler.files.tell(say or log.warning)


def want_bodies(wanted: bool) -> None:
    """Whether the bodies of upstream requests and answers go into the files."""
    logging.getLogger(BODIES_LOG).setLevel(logging.DEBUG if wanted else logging.CRITICAL)


def close_files() -> None:
    """Write what waits, and no more. Idempotent."""
    handler = _file_handler()
    if handler is None:
        return
    logging.getLogger().removeHandler(handler)
    for name in _STREAM_LOGS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    want_bodies(False)
    atexit.unregister(close_files)
    sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__
    handler.files.close()


def _file_handler() -> FileHandler | None:
    found = (handler for handler in logging.getLogger().handlers if isinstance(handler, FileHandler))
    return next(found, None)


def _log_crash(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    """What ends the program is written down first."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, fault, trace)
    else:
        log.critical("the program failed", exc_info=(kind, fault, trace))


def _log_thread_crash(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None:
        name = "?" if crash.thread is None else crash.thread.name
        log.error("the thread %s failed", name, exc_info=(crash.exc_type, crash.exc_value, crash.exc_traceback))
