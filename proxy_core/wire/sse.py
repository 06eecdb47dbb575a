"""Server-sent events, both ways, across any cut of the bytes.

Reference: WHATWG HTML, "Interpreting an event stream". Lines end in LF, CRLF or CR; an empty line ends an
event; `data` lines are joined with LF; lines that start with a colon are comments.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from proxy_core.errors import UpstreamError

MAX_EVENT_BYTES = 32 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


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
    """Bytes in, complete events out. What is cut stays here until the rest arrives."""

    def __init__(self) -> None:
        self._buffer = b""
        self._at_start = True

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Events completed by this chunk."""
        buffer = self._buffer + chunk if self._buffer else chunk
        if self._at_start:
            if _BOM.startswith(buffer[:3]) and len(buffer) < len(_BOM):
                self._buffer = buffer
                return []
            buffer = buffer.removeprefix(_BOM)
            self._at_start = False
        events: list[SseEvent] = []
        start = 0
        while (end := _event_end(buffer, start)) > 0:
            events.append(_parse_event(buffer[start:end]))
            start = end
        self._buffer = buffer[start:]
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise UpstreamError("The upstream sent a single event larger than 32 MiB.")
        return events

    def flush(self) -> list[SseEvent]:
        """The body ended: a last event without its empty line is still read, if it is whole lines."""
        rest, self._buffer = self._buffer, b""
        if not rest.strip():
            return []
        # A trailing CR may have been held back as half a CRLF; the event itself is complete then.
        return [_parse_event(rest + (b"\n" if rest.endswith((b"\n", b"\r")) else b"\n\n"))]


def _event_end(buffer: bytes, start: int) -> int:
    """Index behind the empty line that ends the event at `start`, or -1 where it has not arrived.

    The common LF case is one C-speed search; CR is looked for only where one is present.
    """
    lf = buffer.find(b"\n\n", start)
    if buffer.find(b"\r", start, lf if lf >= 0 else len(buffer)) < 0:
        return lf + 2 if lf >= 0 else -1
    return _event_end_with_cr(buffer, start)


def _event_end_with_cr(buffer: bytes, start: int) -> int:
    position = start
    size = len(buffer)
    is_line_empty = True
    while position < size:
        byte = buffer[position]
        if byte == 0x0D and position + 1 == size:
            return -1  # its LF may still come
        if byte in (0x0A, 0x0D):
            position += 2 if byte == 0x0D and buffer[position + 1] == 0x0A else 1
            if is_line_empty:
                return position
            is_line_empty = True
        else:
            is_line_empty = False
            position += 1
    return -1


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
