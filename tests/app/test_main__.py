from __future__ import annotations

import pytest

from proxy_core.version import __version__
from tests.app.programs import run_program


def test_version(tmp_path):
    ended = run_program(tmp_path, "--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"anthropic-proxy {__version__}\n", "")


def test_help_names_every_flag(tmp_path):
    ended = run_program(tmp_path, "--help")
    flags = ("--headless", "--demo", "--host", "--port", "--server", "--log-level", "--home", "--version")
    assert [flag for flag in flags if flag not in ended.stdout] == []


def test_without_a_display_it_says_what_to_do(tmp_path):
    ended = run_program(tmp_path)
    expected = "There is no display to show a tray icon on. Use --headless to run the proxy without one.\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", expected)


@pytest.mark.parametrize("missing", ["PySide6", "qasync", "pyqtgraph"])
def test_without_the_desktop_part_it_says_what_to_do(tmp_path, missing):
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\n_find = u.find_spec\n"
        f"u.find_spec = lambda name, *a: None if name == {missing!r} else _find(name, *a)\n"
    )
    path = {"PYTHONPATH": f"{tmp_path}:{run_program.__globals__['ROOT']}", "DISPLAY": ":9"}
    ended = run_program(tmp_path, **path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert [word in ended.stderr for word in (missing, "pip install", "--headless")] == [True, True, True]


def test_an_unknown_flag_is_refused(tmp_path):
    ended = run_program(tmp_path, "--hedless")
    assert (ended.returncode, "--headless" in ended.stderr) == (2, True)
