"""One log file: appended to in whole lines, put away under a name of its own when it is full or a day has gone."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_PRIVATE = 0o600


class StreamFile:
    """Opened when something is to be written, and again where somebody removed or replaced it. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1
        self._size = 0
        self._day = ""

    def append(self, data: bytes) -> None:
        """All of it or, on a full disk, nothing: no line is cut in two."""
        self._open()
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError:
            os.ftruncate(self._handle, self._size)
            raise
        self._size += len(data)

    def is_due(self, limit_bytes: int) -> bool:
        """Whether it is full, or from another day."""
        self._open()
        return self._size > 0 and (self._size >= limit_bytes or self._day != _day_of(datetime.now(UTC).timestamp()))

    def put_away(self) -> None:
        """Make room for a new file. The old one's name tells when, and hides no older one."""
        self.close()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        target = self._path.with_name(f"{self._path.stem}-{stamp}.jsonl")
        count = 1
        while target.exists() or target.with_suffix(".jsonl.gz").exists():
            count += 1
            target = self._path.with_name(f"{self._path.stem}-{stamp}-{count}.jsonl")
        self._path.rename(target)

    def close(self) -> None:
        """Give the file back."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _open(self) -> None:
        if self._handle >= 0 and self._is_still_there():
            return
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._handle = os.open(self._path, _FLAGS, _PRIVATE)
        found = os.fstat(self._handle)
        self._size = found.st_size
        self._day = _day_of(found.st_mtime)

    def _is_still_there(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._handle))
        except FileNotFoundError:
            return False


def _day_of(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
