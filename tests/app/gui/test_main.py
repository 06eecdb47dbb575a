"""The program's border: what escapes is told, signals end it, the exit code is zero."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QtMsgType

from app.gui.main import _log_qt, hook_faults

ROOT = Path(__file__).parents[3]
NO_KEYRING = "keyring.backends.fail.Keyring"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_zero(tmp_path: Path, number: signal.Signals) -> None:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHON_KEYRING_BACKEND": NO_KEYRING}
    command = [sys.executable, "-m", "app", "--demo", "--port", "0", "--home", str(tmp_path)]
    program = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    ends = time.monotonic() + 60
    while not (tmp_path / "runtime.json").exists() and time.monotonic() < ends:
        time.sleep(0.05)
    program.send_signal(number)
    _, complaints = program.communicate(timeout=60)
    assert (program.returncode, "Traceback" in complaints) == (0, False), complaints
    assert not (tmp_path / "runtime.json").exists()


@pytest.fixture
def _own_hook():
    before = sys.excepthook
    yield
    sys.excepthook = before


@pytest.mark.usefixtures("_own_hook")
async def test_what_escapes_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    told: list[BaseException] = []
    hook_faults(told.append)
    fault = ValueError("broken")
    sys.excepthook(ValueError, fault, None)
    asyncio.get_running_loop().call_exception_handler({"message": "a callback", "exception": fault})
    asyncio.get_running_loop().call_exception_handler({"message": "no exception"})
    assert told == [fault, fault]
    assert caplog.text.count("ValueError: broken") == 2


def test_what_qt_says_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        _log_qt(QtMsgType.QtWarningMsg, None, "a complaint")
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("qt", "WARNING", "a complaint")
    ]
