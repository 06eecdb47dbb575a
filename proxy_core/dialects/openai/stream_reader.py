"""z.ai's chat completion stream → deltas.

    state      what is taken                         what ends it
    before     the first chunk                       Started → open
    open       text, reasoning, tool calls, usage    finish_reason: Stopped → finished; [DONE]: Stopped, Finished → over
                                                     [DONE] amid a tool call: Failed → over
    finished   usage only                            [DONE] or end of the body: Finished → over
    over       nothing

From every state an error chunk, unreadable JSON or finish_reason `network_error` leads to Failed → over, and so does
the end of the body before a finish_reason. Usage may stand in any chunk, also after the finish_reason.
"""

from __future__ import annotations

from enum import Enum, auto

import orjson

from proxy_core.chat import (
    Delta,
    Failed,
    Finished,
    Pinged,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
    UsageDelta,
)
from proxy_core.dialects.openai.answers import content_of, reasoning_of, text_of
from proxy_core.dialects.openai.extras import Extras
from proxy_core.dialects.openai.reasons import read_finish, read_usage
from proxy_core.dialects.openai.stream_calls import StreamedCalls
from proxy_core.dialects.upstream_errors import broken_off, error_of_body, is_error_body
from proxy_core.errors import ProxyError, UpstreamError
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.loose_json import load_loosely
from proxy_core.wire.sse import SseEvent

DONE_DATA = b"[DONE]"


class _State(Enum):
    BEFORE = auto()
    OPEN = auto()
    FINISHED = auto()
    OVER = auto()


def parse_chunk(data: bytes) -> JsonObject | None:
    """The object in an event's data, which may be JSON only almost; None if there is none."""
    try:
        parsed = orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            parsed = load_loosely(data)
        except ValueError:
            return None
    return parsed if isinstance(parsed, dict) else None


class OpenAiStreamReader:
    """Reads one stream. `read_chunk` and `read_done` are `read` for who has parsed the event already.

    keeps_extras: fields that we have no word for shall go along.
    """

    def __init__(self, *, keeps_extras: bool = True) -> None:
        self._extras = Extras() if keeps_extras else None
        self._state = _State.BEFORE
        self._calls = StreamedCalls()
        self._id = ""

    @property
    def is_over(self) -> bool:
        """Whether the last delta of this stream was given."""
        return self._state is _State.OVER

    @property
    def calls(self) -> StreamedCalls:
        """The tool calls so far."""
        return self._calls

    def read(self, event: SseEvent) -> list[Delta]:
        """The deltas of one event; nothing once the stream is over."""
        data = event.data
        if data is None:
            return [] if self.is_over else [Pinged()]
        if data.strip() == DONE_DATA:
            return self.read_done()
        return self.read_chunk(parse_chunk(data)) if data else []

    def read_chunk(self, chunk: JsonObject | None) -> list[Delta]:
        """The deltas of one parsed chunk; None stands for data that was no JSON object."""
        if self.is_over:
            return []
        if chunk is None:
            return self.fail(UpstreamError("The upstream sent a chunk that is not JSON.", status=502))
        if is_error_body(chunk):
            return self.fail(error_of_body(chunk))
        if self._extras is not None:
            self._extras.add(chunk, "delta")
        deltas: list[Delta] = [] if self._state is not _State.BEFORE else [self._start(chunk)]
        choices = chunk.get("choices")
        if isinstance(choices, list) and choices and self._state is _State.OPEN:
            self._read_choice(choices[0], deltas)
        usage = chunk.get("usage")
        if isinstance(usage, dict) and not self.is_over:
            deltas.append(UsageDelta(read_usage(usage)))
        return deltas

    def _start(self, chunk: JsonObject) -> Started:
        self._state = _State.OPEN
        self._id = text_of(chunk.get("id"))
        created = chunk.get("created")
        extras = None if self._extras is None else Extras(dict(self._extras.body))
        return Started(
            self._id, text_of(chunk.get("model")), None, created if isinstance(created, int) else None, extras
        )

    def _read_choice(self, choice: object, deltas: list[Delta]) -> None:
        if not isinstance(choice, dict):
            return
        said = choice.get("delta")
        if isinstance(said, dict):
            self._read_delta(said, deltas)
        finish = choice.get("finish_reason")
        if (error := broken_off(finish)) is not None:
            deltas += self.fail(error)
        elif finish:
            self._finish(finish, deltas)

    def _read_delta(self, said: JsonObject, deltas: list[Delta]) -> None:
        if thinking := reasoning_of(said):
            deltas.append(ThinkingDelta(thinking))
        if text := content_of(said):
            deltas.append(TextDelta(text))
        calls = said.get("tool_calls")
        if isinstance(calls, list):
            deltas += self._calls.read(calls)
        legacy = said.get("function_call")
        if isinstance(legacy, dict):
            deltas += self._calls.read([{"index": 0, "function": legacy}])

    def _finish(self, finish: object, deltas: list[Delta]) -> None:
        self._state = _State.FINISHED
        deltas += self._calls.flush(self._id)
        deltas.append(Stopped(read_finish(finish, has_calls=self._calls.started > 0)))

    def read_done(self) -> list[Delta]:
        """`[DONE]` came: a proper end even without a finish_reason before it, unless a tool call was cut off."""
        deltas: list[Delta] = []
        match self._state:
            case _State.OVER:
                return deltas
            case _State.BEFORE:
                return self.fail(UpstreamError("The upstream ended the stream without an answer.", status=502))
            case _State.OPEN if self._calls.are_cut_off():
                return self.fail(UpstreamError("The upstream ended the stream amid a tool call.", status=502))
            case _State.OPEN:
                self._finish(None, deltas)
            case _State.FINISHED:
                pass
        self._state = _State.OVER
        return [*deltas, Finished(self._extras)]

    def close(self) -> list[Delta]:
        """The body ended; after a finish_reason that is a proper end even without `[DONE]`."""
        if self.is_over:
            return []
        if self._state is _State.FINISHED:
            return self.read_done()
        return self.fail(UpstreamError("The upstream closed the stream before it was complete.", status=502))

    def fail(self, error: ProxyError) -> list[Delta]:
        """End the stream with an error, whatever state it is in."""
        self._state = _State.OVER
        return [Failed(error)]
