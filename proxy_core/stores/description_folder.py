"""The files of descriptions: `<SHA-256>.json` and, where the picture could be opened, `<SHA-256>.jpg` beside it.

Blocking. Nothing here raises for what the disk does: it is logged once, until it is over.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TypeAlias

import orjson
from pydantic import TypeAdapter, ValidationError

from proxy_core.stores.descriptions import Description, is_sound
from proxy_core.stores.files import DAMAGED_SUFFIX, ensure_folder, set_aside, write_whole

log = logging.getLogger(__name__)

_NAME = re.compile(r"[0-9a-f]{64}")
_FORM = TypeAdapter(Description)
_MOST_FILE_BYTES = 256 * 1024

Stamp: TypeAlias = tuple[int, int, int]
"""Time, size and inode of a file: it is another one as soon as one of them differs."""


class Sight(Enum):
    """What a look at a file can show beside a description."""

    SAME = auto()
    MISSING = auto()
    UNREADABLE = auto()


@dataclass(frozen=True, slots=True)
class Filed:
    """A description as its file has it. thumbnail_bytes: of the file beside it."""

    description: Description
    stamp: Stamp
    thumbnail_bytes: int


class DescriptionFolder:
    """Reads and writes; keeps nothing but its doubts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._doubtful: dict[str, Stamp] = {}
        self._is_in_trouble = False

    def digests(self) -> set[str]:
        """Of all descriptions there are, damaged ones too."""
        try:
            return {path.stem for path in self._folder.glob("*.json") if _NAME.fullmatch(path.stem)}
        except OSError as error:
            self._tell_trouble(error)
            return set()

    def look(self, digest: str, known: Stamp | None) -> Filed | Sight:
        """The file, unless it is the one known already."""
        if _NAME.fullmatch(digest) is None:
            return Sight.MISSING
        try:
            stamp = _stamp(self._json(digest))
            return Sight.SAME if stamp == known else self._read(digest, stamp)
        except FileNotFoundError:
            return Sight.MISSING
        except OSError as error:
            self._tell_trouble(error)
            return Sight.UNREADABLE

    def write(self, description: Description, thumbnail: bytes | None) -> Filed | None:
        """Both files, or the first alone; None where the disk does not take them."""
        digest = description.digest
        if digest in self._doubtful:
            self._set_aside(digest, "not of its form")
        try:
            ensure_folder(self._folder)
            if thumbnail is not None:
                write_whole(self._thumbnail(digest), thumbnail)
            write_whole(self._json(digest), orjson.dumps(description, option=orjson.OPT_INDENT_2) + b"\n")
            filed = Filed(description, _stamp(self._json(digest)), self._thumbnail_bytes(digest))
        except OSError as error:
            self._tell_trouble(error)
            return None
        if self._is_in_trouble:
            self._is_in_trouble = False
            log.info("Descriptions of pictures can be written again.")
        return filed

    def thumbnail(self, digest: str) -> bytes | None:
        """The small picture; None where there is none."""
        try:
            return self._thumbnail(digest).read_bytes() if _NAME.fullmatch(digest) else None
        except OSError:
            return None

    def delete(self, digest: str) -> bool:
        """Whether both files are gone."""
        try:
            for path in (self._json(digest), self._thumbnail(digest)):
                path.unlink(missing_ok=True)
        except NotADirectoryError:
            return True
        except OSError as error:
            self._tell_trouble(error)
            return False
        return True

    def _read(self, digest: str, stamp: Stamp) -> Filed | Sight:
        """Raises OSError."""
        path = self._json(digest)
        try:
            description = _parse(path.read_bytes() if stamp[1] <= _MOST_FILE_BYTES else b"", digest)
        except ValueError as fault:
            return self._doubt(digest, stamp, fault)
        self._doubtful.pop(digest, None)
        return Filed(description, stamp, self._thumbnail_bytes(digest))

    def _doubt(self, digest: str, stamp: Stamp, fault: ValueError) -> Sight:
        """Seen once, somebody's editor may be in the middle of writing it; seen again unchanged, it is damaged."""
        if self._doubtful.get(digest) != stamp:
            self._doubtful[digest] = stamp
            return Sight.UNREADABLE
        self._set_aside(digest, "not of its form" if isinstance(fault, ValidationError) else str(fault))
        return Sight.MISSING

    def _set_aside(self, digest: str, why: str) -> None:
        self._doubtful.pop(digest, None)
        try:
            set_aside(self._json(digest))
        except FileNotFoundError:
            return
        except OSError as error:
            self._tell_trouble(error)
            return
        log.warning("A description was damaged (%s); it lies aside as %s.json%s.", why, digest, DAMAGED_SUFFIX)

    def _thumbnail_bytes(self, digest: str) -> int:
        try:
            return self._thumbnail(digest).stat().st_size
        except OSError:
            return 0

    def _json(self, digest: str) -> Path:
        return self._folder / f"{digest}.json"

    def _thumbnail(self, digest: str) -> Path:
        return self._folder / f"{digest}.jpg"

    def _tell_trouble(self, error: OSError) -> None:
        if not self._is_in_trouble:
            self._is_in_trouble = True
            log.warning("Descriptions of pictures cannot be kept on disk (%s); they stay in memory.", error.strerror)


def _stamp(path: Path) -> Stamp:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _parse(data: bytes, digest: str) -> Description:
    """Raises ValueError (pydantic's own is one)."""
    description = _FORM.validate_json(data)
    if description.digest != digest:
        raise ValueError("another picture's")
    if not is_sound(description):
        raise ValueError("with impossible figures")
    return description
