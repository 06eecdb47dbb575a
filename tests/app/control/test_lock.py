from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from app.control.lock import claim_home, read_record


def test_one_owner_at_a_time(tmp_path):
    first = claim_home(tmp_path, "tray")
    second = claim_home(tmp_path, "headless")
    first.release()
    third = claim_home(tmp_path, "headless")
    third.release()
    assert (first is not None, second, third is not None) == (True, None, True)


def test_the_record_is_private_and_ends_with_the_claim(tmp_path):
    claim = claim_home(tmp_path, "tray")
    claim.announce(("127.0.0.1", 5000))
    path = tmp_path / "runtime.json"
    written = json.loads(path.read_text())
    mode = path.stat().st_mode & 0o777
    claim.release()
    assert set(written) == {"pid", "port", "host", "token", "version", "started_at", "kind"}
    assert (written["pid"], written["port"], written["token"], mode) == (os.getpid(), 5000, claim.token, 0o600)
    assert not path.exists()


def test_a_moved_listener_is_announced_anew(tmp_path):
    claim = claim_home(tmp_path, "headless")
    ports = []
    for port in (5000, 5001):
        claim.announce(("127.0.0.1", port))
        ports.append(read_record(tmp_path).port)
    claim.announce(None)
    assert (ports, read_record(tmp_path)) == ([5000, 5001], None)
    claim.release()


def test_the_token_shows_in_no_representation(tmp_path):
    claim = claim_home(tmp_path, "headless")
    claim.announce(("127.0.0.1", 5000))
    record = read_record(tmp_path)
    claim.release()
    assert record.token == claim.token
    assert claim.token not in repr(record) + repr(claim)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_broken_record_is_none(tmp_path, text):
    (tmp_path / "runtime.json").write_text(text)
    assert read_record(tmp_path) is None


def test_the_record_of_a_dead_process_is_none_and_goes_with_the_next_claim(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    record = {"pid": ended.pid, "port": 1, "host": "127.0.0.1", "token": "t", "version": "0", "started_at": 0}
    (tmp_path / "runtime.json").write_text(json.dumps({**record, "kind": "tray"}))
    seen = read_record(tmp_path)
    claim_home(tmp_path, "tray").release()
    assert (seen, (tmp_path / "runtime.json").exists()) == (None, False)
