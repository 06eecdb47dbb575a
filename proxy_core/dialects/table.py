"""The list of rooms: a new dialect is a new row.

DIALECTS are those of the upstreams, CLIENT_DIALECTS all that a door may speak.
"""

from __future__ import annotations

from proxy_core.dialects import anthropic, completions, openai, responses
from proxy_core.dialects.base import ClientDialect, Dialect

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (anthropic.DIALECT, openai.DIALECT)}
CLIENT_DIALECTS: dict[str, ClientDialect] = DIALECTS | {
    dialect.name: dialect for dialect in (responses.DIALECT, completions.DIALECT)
}
