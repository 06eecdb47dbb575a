"""The list of rooms: a new dialect is a new row."""

from __future__ import annotations

from proxy_core.dialects import anthropic, openai
from proxy_core.dialects.base import Dialect

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (anthropic.DIALECT, openai.DIALECT)}
