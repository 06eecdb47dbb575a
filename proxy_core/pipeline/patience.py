"""A streamed reply that is still being waited for, while the client already hears that we are alive.

Queueing, retries and thinking can take minutes before the upstream's first byte. For the first seconds nothing is
sent, so that an early error keeps its real status; after that the stream is begun with keep-alives, and an error is
told inside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass

from proxy_core.chat import Delta, Failed
from proxy_core.errors import ProxyError
from proxy_core.pipeline.record import ExchangeRecord
from proxy_core.pipeline.setup import WholeReply
from proxy_core.pipeline.stream import StreamedReply
from proxy_core.wire.sse import encode_comment

_KEEP_ALIVE = encode_comment("keep-alive")
_OK = 200


@dataclass(frozen=True, slots=True)
class Opening:
    """How a stream begins before its reply is there. say: writes deltas in the client's dialect."""

    say: Callable[[Delta], bytes]
    headers: Mapping[str, str]


class PatientReply:
    """Owns the task that waits for the upstream. Whoever gets it must `close()` it, which ends the task."""

    def __init__(
        self,
        waiting: asyncio.Task[WholeReply | StreamedReply],
        record: ExchangeRecord,
        opening: Opening,
        beat_s: float,
    ) -> None:
        self.headers = opening.headers
        self._waiting = waiting
        self._record = record
        self._say = opening.say
        self._beat_s = beat_s
        self._inner: StreamedReply | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Keep-alives until the reply is there, then the reply."""
        yield _KEEP_ALIVE
        while not (await asyncio.wait({self._waiting}, timeout=self._beat_s))[0]:
            yield _KEEP_ALIVE
        try:
            reply = self._waiting.result()
        except ProxyError as error:
            yield self.interrupt(error)
            self._record.finish(_OK)
            return
        if isinstance(reply, WholeReply):
            yield reply.body
            return
        self._inner = reply
        async for chunk in reply.chunks():
            yield chunk

    def interrupt(self, error: ProxyError) -> bytes:
        """What tells the client that this stream ends here and is not complete."""
        if self._inner is not None:
            return self._inner.interrupt(error)
        self._record.hear([failed := Failed(error)])
        return self._say(failed)

    async def close(self, error: BaseException | None = None) -> None:
        """Done, or given up: nothing is waited for any longer."""
        inner = self._inner or await _give_up(self._waiting)
        if inner is not None:
            await inner.close(error)
        elif error is not None:
            self._record.fail(error)


async def _give_up(waiting: asyncio.Task[WholeReply | StreamedReply]) -> StreamedReply | None:
    """End the task; the stream that it came back with in the same moment, if it did."""
    waiting.cancel()
    await asyncio.wait({waiting})
    if waiting.cancelled() or waiting.exception() is not None:
        return None
    reply = waiting.result()
    return reply if isinstance(reply, StreamedReply) else None


async def with_patience(
    coming: Coroutine[object, object, WholeReply | StreamedReply],
    record: ExchangeRecord,
    open_stream: Callable[[], Opening],
    beat_s: float,
) -> WholeReply | StreamedReply | PatientReply:
    """The reply if it comes within the first beat, else one that keeps the client company until it comes.

    open_stream: asked only then, since much of what it says is not known before.
    """
    waiting = asyncio.get_running_loop().create_task(coming)
    try:
        done, _ = await asyncio.wait({waiting}, timeout=beat_s)
    except asyncio.CancelledError as left:
        if (reply := await _give_up(waiting)) is not None:
            await reply.close(left)
        raise
    return waiting.result() if done else PatientReply(waiting, record, open_stream(), beat_s)
