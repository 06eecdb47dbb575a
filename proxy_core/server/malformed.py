"""What the log hears of bytes that are not HTTP: that they came, never the bytes, which may be a prompt or a key."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from aiohttp.http_exceptions import HttpProcessingError

log = logging.getLogger(__name__)
"""The server's own logger: aiohttp tells it of what it cannot parse, before anybody was let in."""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from; a chain does not loop, but is not followed for ever either."""
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def hide_bytes(record: logging.LogRecord) -> bool:
    """Filter: a record of malformed HTTP becomes one line with the kind of the fault. Always True."""
    error = record.exc_info[1] if record.exc_info else None
    if any(isinstance(link, HttpProcessingError) for link in _chain(error)):
        record.msg, record.args = "Malformed HTTP refused (%s).", (type(error).__name__,)
        record.exc_info = record.exc_text = None
        record.levelno = min(record.levelno, logging.WARNING)
        record.levelname = logging.getLevelName(record.levelno)
    return True


log.addFilter(hide_bytes)
