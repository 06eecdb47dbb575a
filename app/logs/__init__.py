"""What the program says: lines on the console for people, JSON lines in files, and nothing secret in either."""

from app.logs.hidden import hide
from app.logs.setup import close_files, open_files, rebound_files, set_level, setup_logging, tell_trouble, want_bodies

__all__ = [
    "close_files",
    "hide",
    "open_files",
    "rebound_files",
    "set_level",
    "setup_logging",
    "tell_trouble",
    "want_bodies",
]
