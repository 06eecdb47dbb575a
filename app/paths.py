"""Where things lie on disk, and the one way in which we write there: privately and whole or not at all."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

CONFIG_FILE = "config.yaml"
SERVERS_FILE = "servers.yaml"
DOTENV_FILE = ".env"
RUNTIME_FILE = "runtime.json"
LOCK_FILE = "instance.lock"
CACHE_FOLDER = "cache"
LOGS_FOLDER = "logs"
STATS_FOLDER = "stats"


def default_home() -> Path:
    """The data folder where nothing else was asked for."""
    return Path.home() / ".anthropic-proxy"


def resources() -> Path:
    """Icons, catalogues and token tables: beside the package when installed, at the top of a checkout."""
    installed = Path(__file__).parent / "_resources"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "resources"


def cache_folder(home: Path, setting: str) -> Path:
    """Where what was paid for once is kept: CACHE_DIR, or `cache` in the data folder."""
    return Path(setting).expanduser() if setting else home / CACHE_FOLDER


def ensure_home(home: Path) -> None:
    """Make the data folder, readable by its owner alone. Raises OSError.

    A folder that somebody else fills (`--home /tmp`) keeps its mode: the files in it are private anyway.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    ours = home.name == default_home().name or not any(home.iterdir())
    if ours and home.stat().st_mode & 0o077:
        home.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Replace a file (0600) in one step, so that a crash leaves the old or the new one. Raises OSError.

    A link is followed, so that files kept elsewhere stay linked.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be read to a name of its own and return that. Raises OSError."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    target = path.with_name(f"{path.name}.broken-{stamp}")
    count = 1
    while target.exists():
        count += 1
        target = path.with_name(f"{path.name}.broken-{stamp}-{count}")
    return path.rename(target)
