from __future__ import annotations

import errno
import os

import pytest

from app.logs.stream_file import StreamFile


def test_a_full_disk_cuts_no_line_in_two(tmp_path, monkeypatch):
    file = StreamFile(tmp_path / "a.jsonl")
    file.append(b"first\n")
    write, written = os.write, []

    def half(handle: int, data: memoryview) -> int:
        if written:
            raise OSError(errno.ENOSPC, "full")
        written.append(write(handle, data[:3]))
        return 3

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="full"):
        file.append(b"second\n")
    monkeypatch.undo()
    file.append(b"third\n")
    file.close()
    assert (tmp_path / "a.jsonl").read_bytes() == b"first\nthird\n"


@pytest.mark.parametrize(("size", "age_s", "due"), [(0, 0, False), (9, 0, False), (10, 0, True), (1, 200_000, True)])
def test_a_file_is_put_away_when_it_is_full_or_of_another_day(tmp_path, size, age_s, due):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x" * size)
    moment = path.stat().st_mtime - age_s
    os.utime(path, (moment, moment))
    file = StreamFile(path)
    assert file.is_due(10) is due
    file.close()


def test_two_files_put_away_in_the_same_moment_are_both_kept(tmp_path, monkeypatch):
    class Still:
        @staticmethod
        def now(_zone: object) -> object:
            return Still

        @staticmethod
        def strftime(_form: str) -> str:
            return "20260101T000000000000"

    monkeypatch.setattr("app.logs.stream_file.datetime", Still)
    for text in ("one", "two"):
        (tmp_path / "a.jsonl").write_text(text)
        StreamFile(tmp_path / "a.jsonl").put_away()
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["one", "two"]
