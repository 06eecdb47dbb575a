"""Bodies that are quick to send and long to read: millions of empty lists would stall every stream for many seconds.

No thread helps, since the parser holds the interpreter's lock. The longest conversations have some ten thousand
objects and lists; the bounds are far above that, and cost nothing to check for bodies that are mostly text.
"""

from __future__ import annotations

from itertools import chain

from proxy_core.errors import BadRequestError
from proxy_core.jsontypes import JsonObject
from proxy_core.server.bodies import parse_body

MOST_MARKS = 1_500_000
"""Opening brackets and commas. Those in texts count, too: nobody can tell them apart before parsing, and a text with
so many of them fits into no model's window."""
MOST_CONTAINERS = 100_000
"""Objects and lists."""


def parse_bounded(raw: bytes) -> JsonObject:
    """The JSON object in a body, unless it would take too long. Raises BadRequestError."""
    brackets = raw.count(b"{") + raw.count(b"[")
    if brackets + raw.count(b",") > MOST_MARKS:
        raise _too_many()
    body = parse_body(raw)
    if brackets > MOST_CONTAINERS and not _is_within(body, MOST_CONTAINERS):
        raise _too_many()
    return body


def _is_within(body: JsonObject, limit: int) -> bool:
    """Whether there are at most so many containers; no more of them are looked at. Level by level: no recursion."""
    level: list[object] = [body]
    seen = 0
    while level and seen <= limit:
        seen += len(level)
        level = [item for holder in level[: limit + 1] for item in _items(holder) if isinstance(item, (dict, list))]
    return seen <= limit


def _items(holder: object) -> chain[object]:
    return chain(holder.values() if isinstance(holder, dict) else holder if isinstance(holder, list) else ())


def _too_many() -> BadRequestError:
    return BadRequestError("The body has too many objects, lists and fields to be read.", hint="Send a shorter one.")
