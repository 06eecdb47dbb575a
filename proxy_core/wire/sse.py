"""Server-sent events, both ways, across any cut of the bytes.

Reference: WHATWG HTML, "Interpreting an event stream". Lines end in LF, CRLF or CR; an empty line ends an
event; `data` lines are joined with LF; lines that start with a colon are comments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import orjson

from proxy_core.errors import UpstreamError

MAX_EVENT_BYTES = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
# Two line ends in a row. Atomic, lest a CRLF be taken for two; a CR at the very end may still get its LF.
_EMPTY_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r(?!\Z))")
_LONGEST_END = 4


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event, or one lone comment (`data` is then None).

    name: the `event:` field, "" where absent. raw: the bytes it came as, terminator included, so that a relay
    can pass it on untouched.
    """

    name: str
    data: bytes | None
    raw: bytes


class SseDecoder:
    """Bytes in, complete events out. What is cut stays here until the rest arrives; no byte is looked at twice, but
    for the few that may be half of an empty line."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._at_start = True
        self._has_cr = False

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Events completed by this chunk. Raises UpstreamError for an event beyond all measure."""
        if self._at_start:
            chunk = self._without_bom(chunk)
        self._has_cr = self._has_cr or b"\r" in chunk
        looked_at = max(0, len(self._pending) - _LONGEST_END + 1)
        buffer: bytes | bytearray = chunk
        if self._pending:
            self._pending += chunk
            buffer = self._pending
        events: list[SseEvent] = []
        start = 0
        while (end := self._event_end(buffer, max(start, looked_at))) > 0:
            events.append(_parse_event(bytes(buffer[start:end])))
            start = end
        self._keep(buffer, start)
        return events

    def flush(self) -> list[SseEvent]:
        """The body ended: a last event without its empty line is still read, if it is whole lines."""
        rest, self._pending = bytes(self._pending), bytearray()
        if not rest.strip():
            return []
        # A trailing CR may have been held back as half a CRLF; the event itself is complete then.
        return [_parse_event(rest + (b"\n" if rest.endswith((b"\n", b"\r")) else b"\n\n"))]

    def _without_bom(self, chunk: bytes) -> bytes:
        head = bytes(self._pending) + chunk
        self._pending.clear()
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._pending += head
            return b""
        self._at_start = False
        return head.removeprefix(_BOM)

    def _event_end(self, buffer: bytes | bytearray, start: int) -> int:
        """Index behind the next empty line, or -1 where it has not arrived. Almost all streams know LF only."""
        if not self._has_cr:
            end = buffer.find(b"\n\n", start)
            return end + 2 if end >= 0 else -1
        found = _EMPTY_LINE.search(buffer, start)
        return found.end() if found else -1

    def _keep(self, buffer: bytes | bytearray, start: int) -> None:
        if buffer is self._pending:
            del self._pending[:start]
        elif start < len(buffer):
            self._pending += buffer[start:]
        if len(self._pending) > MAX_EVENT_BYTES:
            raise UpstreamError(f"The upstream sent a single event larger than {MAX_EVENT_BYTES // 2**20} MiB.")


def _parse_event(raw: bytes) -> SseEvent:
    name = ""
    data: list[bytes] = []
    lines = raw.split(b"\n") if b"\r" not in raw else raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    for line in lines:
        if line.startswith(b"data:"):
            data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode("utf-8", "replace")
        elif line == b"data":
            data.append(b"")
    if not data:
        return SseEvent(name, None, raw)
    return SseEvent(name, data[0] if len(data) == 1 else b"\n".join(data), raw)


def encode_event(data: bytes, name: str = "") -> bytes:
    """One event as bytes. `data` must hold no line break (JSON from orjson never does)."""
    if name:
        return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
    return b"data: " + data + b"\n\n"


def encode_json(payload: object, name: str = "") -> bytes:
    """One event that carries JSON."""
    return encode_event(orjson.dumps(payload), name)


def encode_comment(text: str) -> bytes:
    """A comment: clients ignore it, connections stay alive by it."""
    return b": " + text.encode() + b"\n\n"


def encode_silence(event: SseEvent) -> bytes:
    """What to pass on of an event without data: a comment, itself if it is one. SDKs try to parse the missing data."""
    return event.raw if event.raw.startswith(b":") and not event.name else encode_comment("ping")
