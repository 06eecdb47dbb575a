"""A second start: the first instance shows its window, and this one ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from app.control.client import ControlError, find_instance
from app.errors import EXIT_SETTINGS, EndingError

PATIENCE_S = 5.0
"""The first one may have begun a moment ago, and not listen yet."""
STEP_S = 0.25


def raise_first(home: Path, patience_s: float = PATIENCE_S, wait: Callable[[float], None] = time.sleep) -> int:
    """Ask the owner of the data folder to show its window; the exit code. Raises EndingError where it cannot."""
    tries = max(1, round(patience_s / STEP_S))
    for _ in range(tries):
        first = find_instance(home)
        if first is not None:
            try:
                first.show()
            except ControlError as error:
                raise EndingError("Already running", f"It is running already: {error}", EXIT_SETTINGS) from error
            return 0
        wait(STEP_S)
    message = f"Another instance uses {home}, but does not answer. End it first, or choose another folder with --home."
    raise EndingError("Already running", message, EXIT_SETTINGS)
