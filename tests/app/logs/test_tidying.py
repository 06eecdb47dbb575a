from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest

from app.logs.tidying import compress, tidy

DAY_S = 86_400
STAMP = "20260101T000000000000"


def put(folder: Path, name: str, size: int = 1000, days: float = 0) -> Path:
    path = folder / name
    path.write_bytes(os.urandom(size))
    moment = time.time() - days * DAY_S
    os.utime(path, (moment, moment))
    return path


@pytest.mark.parametrize(
    ("days", "most_bytes", "left"), [(30, 10_000, "abc"), (5, 10_000, "ab"), (30, 2_600, "ab"), (30, 500, "")]
)
def test_the_oldest_go_first(tmp_path, days, most_bytes, left):
    for letter, age in zip("abc", (1, 3, 9), strict=True):
        put(tmp_path, f"access-{STAMP}-{ord(letter)}.jsonl.gz", days=age)
    put(tmp_path, "access.jsonl", 400)
    tidy(tmp_path, ("access",), days, most_bytes)
    kept = {path.name for path in tmp_path.iterdir()} - {"access.jsonl"}
    assert kept == {f"access-{STAMP}-{ord(letter)}.jsonl.gz" for letter in left}


def test_what_a_crash_left_half_done_is_done_anew(tmp_path):
    plain = put(tmp_path, f"access-{STAMP}.jsonl", days=2)
    text, age = plain.read_bytes(), plain.stat().st_mtime
    put(tmp_path, f"access-{STAMP}.jsonl.gz.part")
    tidy(tmp_path, ("access",), 30, 10**9)
    (packed,) = tmp_path.iterdir()
    assert (gzip.decompress(packed.read_bytes()), packed.stat().st_mode & 0o777) == (text, 0o600)
    assert packed.stat().st_mtime == pytest.approx(age)


def test_nobody_elses_file_is_touched(tmp_path):
    for name in ("notes.jsonl", "access-old.jsonl", f"other-{STAMP}.jsonl.gz", "access.jsonl"):
        put(tmp_path, name, days=900)
    tidy(tmp_path, ("access",), 1, 1)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_disk_without_room_for_the_packed_file_keeps_the_plain_one(tmp_path, monkeypatch):
    plain = put(tmp_path, f"access-{STAMP}.jsonl")
    monkeypatch.setattr("shutil.copyfileobj", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        compress(plain)
    assert list(tmp_path.iterdir()) == [plain]
