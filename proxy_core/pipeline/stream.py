"""One streamed reply on its way to the client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping

from proxy_core.chat import Delta, Failed, Pinged
from proxy_core.dialects.base import StreamRelay
from proxy_core.errors import ProxyError, UpstreamError
from proxy_core.pipeline.record import ExchangeRecord
from proxy_core.upstream.client import UpstreamReply
from proxy_core.upstream.echoes import bytes_without_key, without_key
from proxy_core.wire.sse import SseDecoder, SseEvent, encode_comment

EVENT_STREAM = "text/event-stream"
_KEEP_ALIVE = encode_comment("keep-alive")
_OK = 200


def stream_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Our own headers and those of every event stream."""
    return {**headers, "content-type": f"{EVENT_STREAM}; charset=utf-8", "cache-control": "no-cache"}


class StreamedReply:
    """Bytes for the client as the upstream's arrive. Whoever gets it must `close()` it.

    A stream that breaks says so in the client's own dialect and never looks finished; `say` tells that and the
    pings after each `beat_s` of the upstream's silence. key: what the upstream was sent, masked where it repeats it.
    """

    def __init__(
        self,
        upstream: UpstreamReply,
        relay: StreamRelay,
        record: ExchangeRecord,
        say: Callable[[list[Delta]], tuple[bytes, list[Delta]]],
        headers: Mapping[str, str],
        beat_s: float,
        key: str = "",
    ) -> None:
        self.headers = headers
        self._upstream = upstream
        self._relay = relay
        self._record = record
        self._say = say
        self._beat_s = beat_s
        self._key = key
        self._has_begun = False
        self.when_closed: Callable[[], None] = lambda: None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Complete events only, joined as they arrived together."""
        decoder = SseDecoder()
        try:
            async for chunk in self._upstream.chunks(self._beat_s):
                if out := self._turn(decoder.feed(chunk)) if chunk else self._beat():
                    yield out
                if self._record.has_ended:
                    break
            else:
                if out := self._turn(decoder.flush()) + self._end():
                    yield out
        except UpstreamError as error:
            yield self.interrupt(error)
        self._record.finish(_OK)

    def _beat(self) -> bytes:
        """A ping, which some dialects know only inside of a stream that has begun."""
        return self._hear(*self._say([Pinged()])) if self._has_begun else _KEEP_ALIVE

    def _turn(self, events: list[SseEvent]) -> bytes:
        out: list[bytes] = []
        for event in events:
            data, deltas = self._relay.relay(event)
            out.append(self._hear(data, deltas))
            self._has_begun = self._has_begun or any(not isinstance(delta, Pinged) for delta in deltas)
        return b"".join(out)

    def _end(self) -> bytes:
        if self._record.has_ended:
            return b""
        return self._hear(*self._relay.close())

    def _hear(self, data: bytes, deltas: list[Delta]) -> bytes:
        """The bytes for the client, with the record told what they mean. A failure comes last if at all."""
        if deltas and isinstance(failed := deltas[-1], Failed):
            without_key(failed.error, self._key)
            data = bytes_without_key(data, self._key)
        self._record.hear(deltas)
        return data

    def interrupt(self, error: ProxyError) -> bytes:
        """What tells the client that this stream ends here and is not complete; nothing once it has ended."""
        if self._record.has_ended:
            return b""
        return self._hear(*self._say([Failed(without_key(error, self._key))]))

    async def close(self, error: BaseException | None = None) -> None:
        """Done, or given up: the upstream's connection is closed unless its body came to an end."""
        try:
            if error is not None:
                self._record.fail(error)
            elif self._record.exchange.outcome == "done":
                await self._upstream.drain()
        finally:  # a client that has all it wanted may leave during the drain
            self._record.finish(_OK)
            self._upstream.close()
            self.when_closed()
