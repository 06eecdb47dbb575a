from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from app.logs import close_files, hidden
from proxy_core.upstream.traffic import BODIES_LOG, TRAFFIC_LOG


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """A stream to log to; the logging of the test run is put back afterwards."""
    names = ("app", "app.access", "proxy_core", TRAFFIC_LOG, BODIES_LOG, "aiohttp.access")
    loggers = [logging.getLogger(), *map(logging.getLogger, names)]
    before = [(logger, logger.level, logger.disabled) for logger in loggers]
    root = logging.getLogger()
    handlers, hooks = root.handlers[:], (sys.excepthook, threading.excepthook)
    monkeypatch.setattr(hidden, "_hidden", {})
    yield io.StringIO()
    close_files()
    root.handlers[:] = handlers
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)
    for logger, level, disabled in before:
        logger.setLevel(level)
        logger.disabled = disabled
