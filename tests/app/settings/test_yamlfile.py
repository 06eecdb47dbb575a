from __future__ import annotations

import threading

import pytest
from filelock import FileLock

from app.settings.yamlfile import EDIT_LOCK, edit_mapping, read_mapping


def test_two_that_change_a_file_at_once_take_turns(tmp_path):
    path = tmp_path / "config.yaml"
    other = threading.Thread(target=edit_mapping, args=(path, lambda data: data.update(b=2)))

    def change(data):
        other.start()
        other.join(0.2)
        data["a"] = 1

    edit_mapping(path, change)
    other.join()
    assert read_mapping(path) == {"a": 1, "b": 2}


def test_one_that_waits_in_vain_for_its_turn_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("app.settings.yamlfile._TURN_S", 0.01)
    with FileLock(tmp_path / EDIT_LOCK), pytest.raises(OSError, match="another program is changing it"):
        edit_mapping(tmp_path / "config.yaml", lambda data: data.update(a=1))
