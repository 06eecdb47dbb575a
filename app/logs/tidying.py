"""Log files that were put away: compressed, and cleared out when they are too old or too many. Raises OSError."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

_DAY_S = 86_400.0
_LEVEL = 6
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def tidy(folder: Path, streams: Iterable[str], days: int, most_bytes: int) -> None:
    """Compress what is not yet, then delete what is older than so many days, and the oldest until all fits.

    Only files with names that we give are touched. A file that was half compressed when the program died is done anew.
    """
    if not folder.is_dir():
        return
    names = re.compile(rf"({'|'.join(streams)})-\d{{8}}T\d+(-\d+)?\.jsonl(\.gz)?(\.part)?")
    found = [path for path in folder.iterdir() if names.fullmatch(path.name)]
    for path in found:
        if path.suffix == ".part":
            path.unlink()
    for path in found:
        if path.suffix == ".jsonl":
            compress(path)
    _clear_out([path for path in folder.iterdir() if names.fullmatch(path.name)], folder, streams, days, most_bytes)


def compress(path: Path) -> None:
    """Replace a file by its .gz, of the same age; a crash leaves one of the two whole."""
    target = path.with_name(f"{path.name}.gz")
    part = path.with_name(f"{target.name}.part")
    try:
        with (
            path.open("rb") as plain,
            os.fdopen(os.open(part, _NEW, 0o600), "wb") as raw,
            gzip.GzipFile("", "wb", _LEVEL, raw) as packed,
        ):
            shutil.copyfileobj(plain, packed)
        found = path.stat()
        os.utime(part, (found.st_atime, found.st_mtime))
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    path.unlink()


def _clear_out(old: list[Path], folder: Path, streams: Iterable[str], days: int, most_bytes: int) -> None:
    by_age = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in old)
    current = [folder / f"{stream}.jsonl" for stream in streams]
    room = most_bytes - sum(path.stat().st_size for path in current if path.exists())
    room -= sum(size for _, size, _ in by_age)
    too_old = time.time() - days * _DAY_S
    for age, size, path in by_age:
        if age < too_old or room < 0:
            path.unlink()
            room += size
