"""Surroundings for probes: files, environment and a running instance as a test wants them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.control.client import ControlClient
from app.control.lock import InstanceRecord
from app.doctor.ground import Ground
from app.settings.load import load
from tests.app.homes import write_home

NOWHERE = "http://127.0.0.1:9"
SERVERS = f"own:\n  endpoint: {NOWHERE}\n"


def make_ground(folder: Path, *, environ: dict[str, str] | None = None, **further: object) -> Ground:
    """A ground of files alone; texts of files by `config`, `servers`, `home_dotenv`; the rest replaces its fields."""
    texts = {name: str(further.pop(name)) for name in ("config", "servers", "home_dotenv") if name in further}
    home = write_home(folder, **{"servers": SERVERS, "config": "port: 0\n"} | texts)
    home.chmod(0o700)
    loaded = load(home, environ=environ or {}, cwd=folder)
    made = Ground(home, loaded, None, {}, environ or {}, True, folder, "linux")
    return replace(made, **further)


def client(port: int = 5000) -> ControlClient:
    """Of an instance that nobody asks."""
    return ControlClient(InstanceRecord(1, port, "127.0.0.1", "t", "0", 0.0, "headless"))
