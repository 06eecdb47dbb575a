from __future__ import annotations

import sys
import threading

import pytest
from rich.console import Console

from app.cli import watching
from app.cli.watching import run_watching, source_folders, stamp

SCRIPT = """
import pathlib, sys, time
runs = pathlib.Path(sys.argv[1])
count = int(runs.read_text() or 0) + 1
runs.write_text(str(count))
if count == 1:
    time.sleep(60)
sys.exit({2: 5}.get(count, 0))
"""


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(watching, "_PERIOD_S", 0.02)


def test_it_is_started_again_at_every_change(tmp_path):
    source, runs = tmp_path / "source", tmp_path / "runs"
    source.mkdir()
    runs.write_text("")
    ended = threading.Event()

    def edit() -> None:
        for number in range(600):
            (source / f"module{number}.py").write_text("")
            if ended.wait(0.1):
                return

    editor = threading.Thread(target=edit)
    editor.start()
    code = run_watching([sys.executable, "-c", SCRIPT, str(runs)], Console(quiet=True), [source])
    ended.set()
    editor.join()
    assert (code, int(runs.read_text()) >= 2) == (0, True)


def test_what_counts_as_a_change(tmp_path):
    before = stamp([tmp_path])
    (tmp_path / "notes.txt").write_text("")
    unchanged = stamp([tmp_path])
    (tmp_path / "module.py").write_text("")
    assert (before == unchanged, stamp([tmp_path]) == before, all(stamp(source_folders()))) == (True, False, True)
