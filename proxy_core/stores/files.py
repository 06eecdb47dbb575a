"""Small private files, each written whole or not at all. Blocking: call these in a thread."""

from __future__ import annotations

import uuid
from pathlib import Path

DAMAGED_SUFFIX = ".damaged"


def ensure_folder(folder: Path) -> None:
    """Make it, for its owner alone. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file (0600) in one step, so that every reader, also in another process, sees the old or the new one.

    Raises OSError; then no half of it is left.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        temporary.touch(mode=0o600, exist_ok=False)
        temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def set_aside(path: Path) -> Path:
    """Rename a damaged file beside itself, over one from before, and return its new place. Raises OSError."""
    return path.replace(path.with_name(path.name + DAMAGED_SUFFIX))
