"""Data folders with files in them, and what the program reads from there."""

from __future__ import annotations

from pathlib import Path

from app.settings.load import Loaded, load

FILES = {"config": "config.yaml", "servers": "servers.yaml", "home_dotenv": ".env"}


def write_home(folder: Path, **texts: str | bytes) -> Path:
    """A data folder; config, servers and home_dotenv are the files' contents."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    for name, text in texts.items():
        (home / FILES[name]).write_bytes(text if isinstance(text, bytes) else text.encode())
    return home


def load_home(
    folder: Path,
    *,
    dotenv: str | bytes | None = None,
    environ: dict[str, str] | None = None,
    flags: dict[str, object] | None = None,
    demo: bool = False,
    **texts: str | bytes,
) -> Loaded:
    """What is loaded from these sources and nothing else. dotenv: the current folder's."""
    home = write_home(folder, **texts)
    cwd = folder / "cwd"
    cwd.mkdir(exist_ok=True)
    if dotenv is not None:
        (cwd / ".env").write_bytes(dotenv if isinstance(dotenv, bytes) else dotenv.encode())
    return load(home, flags, cwd, demo=demo, environ=environ or {})


def told(loaded: Loaded) -> list[str]:
    """The problems as a person reads them, paths cut to file names."""
    return [str(problem).replace(str(loaded.home.parent) + "/", "") for problem in loaded.problems]
