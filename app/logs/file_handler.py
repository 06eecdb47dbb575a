"""From log records to entries of the files: which stream, and what is known about the line."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping

from app.logs.console import ACCESS_LOG
from app.logs.files import Entry, Facts, LogFiles
from proxy_core.request_id import REQUEST_ID
from proxy_core.upstream.traffic import BODIES_LOG, TRAFFIC_LOG

_STREAM_OF: Mapping[str, str] = {ACCESS_LOG: "access", TRAFFIC_LOG: "upstream", BODIES_LOG: "upstream"}


class FileHandler(logging.Handler):
    """Hands each record on to the writer. A record's `fields` beat its sentence."""

    def __init__(self, files: LogFiles) -> None:
        super().__init__()
        self.files = files

    def emit(self, record: logging.LogRecord) -> None:
        """Only what must be done at once: the request, the words and the traceback are of this moment."""
        facts: Facts = {"level": record.levelname.lower(), "logger": record.name}
        if request_id := REQUEST_ID.get():
            facts["request_id"] = request_id
        fields = record.__dict__.get("fields")
        try:
            facts |= fields if isinstance(fields, dict) else {"event": record.getMessage()}
        except (TypeError, ValueError, KeyError):  # words and values that do not go together
            self.handleError(record)
            return
        if record.exc_info and record.exc_info[1] is not None:
            facts["exception"] = "".join(traceback.format_exception(record.exc_info[1])).rstrip()
        self.files.put(Entry(_STREAM_OF.get(record.name, "application"), record.created, facts))
