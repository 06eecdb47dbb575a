"""A reader and a writer, joined, where bytes cannot simply pass: the same face as a relay within one dialect."""

from __future__ import annotations

from proxy_core.chat import Delta
from proxy_core.dialects.base import StreamReader, StreamWriter
from proxy_core.dialects.restraint import UNRESTRAINED, Restraint, Restraints
from proxy_core.wire.sse import SseEvent


class Crossing:
    """Upstream events in, the client's bytes out, through the deltas in the middle."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, needed: Restraints = UNRESTRAINED) -> None:
        self._reader = reader
        self._writer = writer
        self._restraint = Restraint(needed)

    def relay(self, event: SseEvent) -> tuple[bytes, list[Delta]]:
        """What this event means, in the client's bytes."""
        return self._written(self._reader.read(event))

    def close(self) -> tuple[bytes, list[Delta]]:
        """The body ended; an error event unless a proper end was seen."""
        return self._written(self._reader.close())

    def _written(self, deltas: list[Delta]) -> tuple[bytes, list[Delta]]:
        deltas = self._restraint.feed(deltas)
        return b"".join([self._writer.write(delta) for delta in deltas]), deltas
