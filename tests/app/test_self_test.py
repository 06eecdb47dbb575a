from __future__ import annotations

import pytest

from app.self_test import SelfTestError, demand, run
from tests.app.programs import ROOT, run_program

PARTS = ("resources", "token tables", "keyring", "libraries")
REQUESTS = ("listening", "OpenAI dialect", "Anthropic dialect, streamed", "counting")
DESKTOP = ("desktop libraries", "Qt", "listening", "icons", "tray", "windows")
ASKED_NOT = "skip desktop: left out, as asked"
NO_QT = "skip desktop: PySide6 is not installed: headless only"


def marks(stdout: str) -> dict[str, str]:
    """Check → ok or FAIL."""
    lines = [line for line in stdout.splitlines() if line.startswith(("ok ", "FAIL "))]
    return {line[5:].partition(":")[0]: line[:4].strip() for line in lines}


def without(tmp_path, module: str) -> dict[str, str]:
    """An environment in which a module cannot be found."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u, sys\n_find = u.find_spec\n"
        f"u.find_spec = lambda name, *a: None if name == {module!r} else _find(name, *a)\n"
        f"sys.modules[{module!r}] = None\n"
    )
    return {"PYTHONPATH": f"{tmp_path}:{ROOT}"}


def test_every_part_is_tried(tmp_path):
    ended = run_program(tmp_path, "--self-test")
    assert (ended.returncode, ended.stdout.endswith("All is well.\n")) == (0, True), ended.stderr
    assert marks(ended.stdout) == dict.fromkeys((*PARTS, *REQUESTS, *DESKTOP), "ok")
    assert not (tmp_path / ".anthropic-proxy").exists()


@pytest.mark.parametrize(
    ("flag", "missing", "said"), [("--headless", "nothing", ASKED_NOT), ("--self-test", "PySide6", NO_QT)]
)
def test_without_a_desktop_it_says_so(tmp_path, flag, missing, said):
    ended = run_program(tmp_path, "--self-test", flag, **without(tmp_path, missing))
    assert (ended.returncode, said in ended.stdout.splitlines()) == (0, True), ended.stderr
    assert marks(ended.stdout) == dict.fromkeys((*PARTS, *REQUESTS), "ok")


@pytest.mark.parametrize(
    ("missing", "check"), [("secretstorage", "keyring"), ("PySide6.QtWidgets", "desktop libraries")]
)
def test_a_missing_part_fails_with_its_name(tmp_path, missing, check):
    ended = run_program(tmp_path, "--self-test", **without(tmp_path, missing))
    assert (ended.returncode, marks(ended.stdout)[check]) == (1, "FAIL")
    assert missing in ended.stdout
    assert "All is well" not in ended.stdout


def test_resources_that_are_not_there_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("app.self_test.resources", lambda: tmp_path)
    with pytest.raises(SelfTestError, match=r"lacks theme\.qss"):
        run(headless=True)
    assert "FAIL resources" in capsys.readouterr().out


def test_the_flag_is_hidden(tmp_path):
    assert "--self-test" not in run_program(tmp_path, "--help").stdout


def test_what_holds_is_no_fault():
    demand("something", "never said")
    with pytest.raises(SelfTestError, match="said"):
        demand("", "said")
