"""What ends the program: a title and a message for a person, and the exit code."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the listener brings aiohttp, which a mere --version need not wait for
    from proxy_core.server.runner import ListenError

EXIT_SETTINGS = 2
"""The program was told something it cannot obey."""
EXIT_PORT = 3
"""The port is taken."""
_FIRST_FREE_FOR_ALL = 1024


class EndingError(Exception):
    """The program cannot go on. `str()` is the message: one line, without a traceback."""

    def __init__(self, title: str, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.title = title
        self.message = message
        self.exit_code = exit_code


def listen_ending(error: ListenError) -> EndingError:
    """Why nothing can be served, and what to do."""
    from proxy_core.server.runner import PortInUseError  # imported already by whoever has such an error

    cause = error.__cause__
    denied = isinstance(cause, OSError) and cause.errno == errno.EACCES
    if denied and error.port < _FIRST_FREE_FOR_ALL:
        message = f"Port {error.port} on {error.host} needs administrator rights. Choose one above 1023 with --port."
        return EndingError("Port not allowed", message, EXIT_SETTINGS)
    if isinstance(error, PortInUseError):
        message = f"Port {error.port} on {error.host} is already in use. Choose another with --port."
        return EndingError("Port in use", message, EXIT_PORT)
    return EndingError("Cannot listen", str(error), EXIT_SETTINGS)


def home_ending(home: Path, error: OSError) -> EndingError:
    """The data folder cannot be used."""
    message = f"The data folder {home} cannot be used: {error.strerror}. Choose another with --home."
    return EndingError("No data folder", message, EXIT_SETTINGS)


def no_display() -> EndingError:
    """Nothing to show a window on."""
    message = "There is no display to show a tray icon on. Use --headless to run the proxy without one."
    return EndingError("No display", message, EXIT_SETTINGS)


def no_desktop(missing: str) -> EndingError:
    """Qt, or a shared library that it needs, is missing."""
    message = (
        f"The desktop part cannot be used ({missing}). Install it with: pip install 'anthropic-proxy[desktop]', "
        "or use --headless."
    )
    return EndingError("Desktop part missing", message, EXIT_SETTINGS)


def remedy(error: OSError) -> str:
    """What to do where a file of the data folder cannot be written."""
    if error.errno == errno.ENOSPC:
        return "The disk is full: make room, then say it again; nothing was changed."
    return "Look at the data folder and its permissions: proxy-cli doctor"
