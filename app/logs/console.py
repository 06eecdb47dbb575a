"""The lines on stderr: for people, or JSON where a machine reads along."""

from __future__ import annotations

import logging
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from app.logs.hidden import without_secrets
from proxy_core.request_id import REQUEST_ID
from proxy_core.upstream.traffic import BODIES_LOG

ACCESS_LOG = "app.access"
_FOR_FILES = (ACCESS_LOG, BODIES_LOG)
_PLAIN = (bool, int, float, type(None))


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Redacts the finished line, so that no argument, traceback or library can slip past."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for people."""
        return without_secrets(super().format(record))


class ConsoleHandler(logging.StreamHandler[TextIO]):
    """Lines for people where `out` is a terminal or nothing else was asked for, JSON otherwise.

    What is made for the files alone is not shown: bodies, and the exchanges, which the pipeline tells in a sentence.
    """

    def __init__(self, out: TextIO, *, structured: bool) -> None:
        super().__init__(out)
        self.addFilter(lambda record: record.name not in _FOR_FILES)
        self.setFormatter(_formatter(as_json=structured and not out.isatty(), colors=out.isatty()))


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
        chain = [*shared, _add_request_id]
        return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=chain, processors=ending)
    plain = structlog.dev.plain_traceback  # rich ones show local variables, and with them keys and prompts
    lines = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)
    return _RedactingFormatter(foreign_pre_chain=shared, processors=[done, lines])


def _add_request_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Whose line it is; people find the id in the line itself where it matters."""
    if request_id := REQUEST_ID.get():
        event["request_id"] = request_id
    return event


def _redact_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Redacts before JSON is made: afterwards a pattern could swallow a closing quote."""
    return {key: value if isinstance(value, _PLAIN) else without_secrets(str(value)) for key, value in event.items()}
