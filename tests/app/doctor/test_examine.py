from __future__ import annotations

import threading

import pytest

from app.doctor import examine as module
from app.doctor.examine import PROBES, examine
from app.doctor.ground import ok
from tests.app.doctor.grounds import make_ground


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


def test_every_probe_has_its_line(tmp_path):
    lines = examine(make_ground(tmp_path, online=False))
    assert [line.probe for line in lines] == [name for name, _ in PROBES]
    assert len(lines) >= 15
    assert all(line.finding.said and line.finding.said != "No answer" for line in lines)


def raises(_: object) -> None:
    raise OSError(5, "Input/output error")


def test_one_that_breaks_or_hangs_costs_its_own_line_only(tmp_path, monkeypatch):
    ended = threading.Event()
    hangs = lambda _: ok(str(ended.wait(10)))  # noqa: E731
    leaks = lambda _: ok("the key is sk-0123456789abcdef0123")  # noqa: E731
    monkeypatch.setattr(module, "PROBES", (("breaks", raises), ("hangs", hangs), ("leaks", leaks)))
    broken, hung, leaked = examine(make_ground(tmp_path), within_s=0.3)
    ended.set()
    assert (broken.finding.grade, hung.finding.grade, leaked.finding.grade) == ("fail", "warn", "pass")
    assert ("could not be looked at" in broken.finding.said, "0123456789" in leaked.finding.said) == (True, False)
