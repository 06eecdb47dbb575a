"""Small files, whole or not at all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from proxy_core.stores.files import ensure_folder, set_aside, write_whole


def test_a_file_is_private_and_whole(tmp_path):
    folder = tmp_path / "a" / "b"
    ensure_folder(folder)
    write_whole(folder / "x", b"old")
    write_whole(folder / "x", b"new")
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("x", b"new")]
    if sys.platform != "win32":
        assert (folder.stat().st_mode & 0o777, (folder / "x").stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    write_whole(tmp_path / "x", b"old")

    def full(path: Path, data: bytes) -> int:
        path.open("wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "x", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", b"old")]


def test_what_is_damaged_lies_aside_once(tmp_path):
    for data in (b"one", b"two"):
        (tmp_path / "x.json").write_bytes(data)
        set_aside(tmp_path / "x.json")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x.json.damaged", b"two")]
