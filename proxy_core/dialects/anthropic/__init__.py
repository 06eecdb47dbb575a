"""The Messages API of Anthropic, as Claude Code speaks it and as z.ai's `/api/anthropic` answers it."""

from __future__ import annotations

from proxy_core.dialects.anthropic.answers import read_answer, touch_answer, write_answer
from proxy_core.dialects.anthropic.errors import status_of, write_error
from proxy_core.dialects.anthropic.relay import AnthropicRelay
from proxy_core.dialects.anthropic.requests import NAME, read_request, write_request
from proxy_core.dialects.anthropic.stream import AnthropicStreamReader
from proxy_core.dialects.anthropic.writer import AnthropicStreamWriter
from proxy_core.dialects.base import Dialect
from proxy_core.dialects.upstream_errors import read_error


def _credential(key: str) -> tuple[str, str]:
    return "x-api-key", key


DIALECT = Dialect(
    name=NAME,
    path="/v1/messages",
    # Newer clients send a newer date; nothing says that the upstream knows it (protocols 0.1).
    headers={"anthropic-version": "2023-06-01"},
    credential=_credential,
    read_request=read_request,
    write_request=write_request,
    read_answer=read_answer,
    write_answer=write_answer,
    touch_answer=touch_answer,
    open_reader=AnthropicStreamReader,
    open_writer=AnthropicStreamWriter,
    open_relay=AnthropicRelay,
    read_error=read_error,
    write_error=write_error,
    status_of=status_of,
    starts_with_usage=True,
)
