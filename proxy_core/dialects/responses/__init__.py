"""OpenAI's Responses, which Codex speaks; no upstream is asked in it, so that it has a side for clients only."""

from __future__ import annotations

from proxy_core.dialects.base import ClientDialect
from proxy_core.dialects.responses.answers import write_answer
from proxy_core.dialects.responses.errors import status_of, write_error
from proxy_core.dialects.responses.requests import NAME, read_request
from proxy_core.dialects.responses.stream_writer import ResponsesStreamWriter

__all__ = ["DIALECT"]

DIALECT = ClientDialect(
    name=NAME,
    read_request=read_request,
    write_answer=write_answer,
    open_writer=ResponsesStreamWriter,
    write_error=write_error,
    status_of=status_of,
)
