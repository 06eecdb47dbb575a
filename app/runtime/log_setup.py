"""From settings to what is logged, and where."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from app.logs import open_files, rebound_files, setup_logging, tell_trouble, want_bodies
from app.logs.files import LogBounds
from app.settings.schema import Settings

LOGGING_FIELDS = ("log_level", "debug", "enable_structured_logging", "log_days", "log_mb", "log_upstream_bodies")


def configure_logging(settings: Settings, folder: Path | None = None) -> None:
    """Log as these settings say, from now on. folder: write files there, too; None: go on with those that are open."""
    setup_logging("DEBUG" if settings.debug else settings.log_level, structured=settings.enable_structured_logging)
    bounds = LogBounds(settings.log_days, settings.log_mb)
    if folder is None:
        rebound_files(bounds)
    else:
        open_files(folder, bounds)
    want_bodies(settings.log_upstream_bodies)


def tell_on_loop(say: Callable[[str], None]) -> None:
    """Have `say` hear of trouble with the log files, on the running loop."""
    loop = asyncio.get_running_loop()

    def pass_on(sentence: str) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(say, sentence)

    tell_trouble(pass_on)
