"""How a command ends: documented exit codes, and the one exception that carries a sentence to the person.

0 done · 1 it failed · 2 wrong use or a bad value · 3 the port is taken · 4 nothing runs · 130 interrupted
"""

from __future__ import annotations

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOT_RUNNING = 4
EXIT_INTERRUPTED = 130

CODES = "Exit codes: 0 done, 1 failed, 2 wrong use or bad value, 3 port taken, 4 nothing runs, 130 interrupted."


class CommandError(Exception):
    """The command cannot be done; `str()` is one sentence. hint: what to do about it, "" where nothing is known."""

    def __init__(self, message: str, hint: str = "", exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_code = exit_code


def not_running() -> CommandError:
    """The command needs a running instance."""
    return CommandError("The proxy is not running.", "Start it with: proxy-cli start", EXIT_NOT_RUNNING)
