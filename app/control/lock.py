"""Who owns a data folder. The lock decides (the system drops it when a process dies); runtime.json tells how to
reach the owner: `{"pid", "port", "host", "token", "version", "started_at", "kind"}`, readable by the user alone."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from app.paths import LOCK_FILE, RUNTIME_FILE, write_private
from proxy_core.version import __version__

FaceKind: TypeAlias = Literal["tray", "headless"]


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """What runtime.json says. host: where this computer reaches the instance. started_at: unix seconds."""

    pid: int
    port: int
    host: str
    token: str = field(repr=False)
    version: str
    started_at: float
    kind: FaceKind


_RECORD = TypeAdapter(InstanceRecord)


class Claim:
    """This process's hold on a data folder, until release() or its end. token: what control requests must show."""

    def __init__(self, home: Path, kind: FaceKind, lock: FileLock) -> None:
        self.token = secrets.token_urlsafe(32)
        self.kind: FaceKind = kind
        self._path = home / RUNTIME_FILE
        self._lock = lock
        self._announced: tuple[str, int] | None = None
        self._started_at = time.time()

    def announce(self, address: tuple[str, int] | None) -> None:
        """Tell others where this computer reaches the proxy; None: nowhere. Raises OSError."""
        if address == self._announced:
            return
        if address is None:
            self._path.unlink(missing_ok=True)
        else:
            host, port = address
            record = InstanceRecord(
                pid=os.getpid(),
                port=port,
                host=host,
                token=self.token,
                version=__version__,
                started_at=self._started_at,
                kind=self.kind,
            )
            write_private(self._path, json.dumps(asdict(record)) + "\n")
        self._announced = address

    def release(self) -> None:
        """Leave the folder to the next one."""
        with suppress(OSError):  # gone already, or not ours to write any more: nobody can read it as alive
            self.announce(None)
        self._lock.release()


def claim_home(home: Path, kind: FaceKind) -> Claim | None:
    """Own the data folder; None if another instance does. Raises OSError where the folder cannot be written."""
    lock = FileLock(home / LOCK_FILE, mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    with suppress(OSError):  # left over by an instance that was killed
        (home / RUNTIME_FILE).unlink(missing_ok=True)
    return Claim(home, kind, lock)


def is_held(home: Path) -> bool:
    """Whether some process holds the data folder, be it only to end."""
    path = home / LOCK_FILE
    if not path.exists():
        return False
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def read_record(home: Path) -> InstanceRecord | None:
    """What runtime.json says; None where it is missing, broken, or its process is gone."""
    try:
        record = _RECORD.validate_json((home / RUNTIME_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return record if _may_live(record.pid) else None


def _may_live(pid: int) -> bool:
    """Whether the process may exist; on Windows, where asking would signal it, only its port can tell."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
