"""OpenAI chat completions, as z.ai and bigmodel.cn speak them: one row for `table.DIALECTS`."""

from __future__ import annotations

from proxy_core.dialects.base import Dialect
from proxy_core.dialects.openai.answers import read_answer, touch_answer, write_answer
from proxy_core.dialects.openai.errors import status_of, write_error
from proxy_core.dialects.openai.requests import NAME, read_request, write_request
from proxy_core.dialects.openai.stream_reader import OpenAiStreamReader
from proxy_core.dialects.openai.stream_relay import OpenAiRelay
from proxy_core.dialects.openai.stream_writer import OpenAiStreamWriter
from proxy_core.dialects.upstream_errors import read_error

__all__ = ["DIALECT"]


def _credential(key: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {key}"


DIALECT = Dialect(
    name=NAME,
    path="/chat/completions",
    # Without it the China host explains its errors in Chinese.
    headers={"Accept-Language": "en-US,en"},
    credential=_credential,
    read_request=read_request,
    write_request=write_request,
    read_answer=read_answer,
    write_answer=write_answer,
    touch_answer=touch_answer,
    open_reader=OpenAiStreamReader,
    open_writer=OpenAiStreamWriter,
    open_relay=OpenAiRelay,
    read_error=read_error,
    write_error=write_error,
    status_of=status_of,
)
