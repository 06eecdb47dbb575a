"""One logging setup: lines for people, or JSON where a machine reads along. Nothing secret gets through."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from proxy_core.redact import redact_text

_ACCESS_LOG = "aiohttp.access"
_PLAIN = (bool, int, float, type(None))


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Redacts the finished line, so that no argument, traceback or library can slip past."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for people."""
        return redact_text(super().format(record))


def setup_logging(level: str, *, structured: bool, stream: TextIO | None = None) -> None:
    """Log to stderr from now on; may be called again to change anything.

    level: a name such as "INFO". structured: JSON lines, unless a person watches the terminal.
    """
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(as_json=structured and not out.isatty(), colors=out.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.captureWarnings(True)
    logging.getLogger(_ACCESS_LOG).disabled = True  # exchanges are logged once, by the pipeline
    set_level(level)


def set_level(level: str) -> None:
    """Change what is logged, at once. Libraries stay a step quieter: their DEBUG shows headers and bodies."""
    root = logging.getLogger()
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level]))
    for name in ("app", "proxy_core"):
        logging.getLogger(name).setLevel(level)


def _formatter(*, as_json: bool, colors: bool) -> logging.Formatter:
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
    ]
    done = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if as_json:
        ending: list[Processor] = [
            done,
            structlog.processors.format_exc_info,
            _redact_values,
            structlog.processors.JSONRenderer(),
        ]
        return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=ending)
    plain = structlog.dev.plain_traceback  # rich ones show local variables, and with them keys and prompts
    lines = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)
    return _RedactingFormatter(foreign_pre_chain=shared, processors=[done, lines])


def _redact_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Redacts before JSON is made: afterwards a pattern could swallow a closing quote."""
    return {key: value if isinstance(value, _PLAIN) else redact_text(str(value)) for key, value in event.items()}
