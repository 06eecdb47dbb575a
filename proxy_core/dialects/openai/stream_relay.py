"""A chat completion stream for a client of this very dialect: bytes pass as they came unless they must not.

Changed are the model's name where the client asked for another, a missing `object`, z.ai's own finish reasons and
arguments that are no text; a usage chunk that nobody asked for is held back. Each event is parsed once.
"""

from __future__ import annotations

import orjson

from proxy_core.chat import Delta, Failed, Finished, Stopped
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.openai.answers import completion_id, text_of, touch_choice
from proxy_core.dialects.openai.reasons import standard_finish, write_finish
from proxy_core.dialects.openai.stream_reader import DONE_DATA, OpenAiStreamReader, parse_chunk
from proxy_core.dialects.openai.stream_writer import DONE, error_end
from proxy_core.errors import UpstreamError
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.sse import SseEvent, encode_json, encode_silence

_OBJECT = "chat.completion.chunk"
_TOO_DEEP = "The upstream sent a chunk that is nested too deeply."


class OpenAiRelay:
    """Relays one stream and reads it on the way."""

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self._reader = OpenAiStreamReader()
        self._last: JsonObject = {}

    def relay(self, event: SseEvent) -> tuple[bytes, list[Delta]]:
        """The bytes to pass on and what they mean; neither once the stream is over."""
        data = event.data
        if self._reader.is_over:
            return b"", []
        if not data:
            return encode_silence(event), self._reader.read(event)
        if data.strip() == DONE_DATA:
            return self._end(self._reader.read_done(), event.raw)
        chunk = parse_chunk(data)
        deltas = self._reader.read_chunk(chunk)
        if chunk is None or self._reader.is_over:
            return self._end(deltas, b"")
        self._last = chunk
        passed = self._passed(chunk, event.raw)
        if passed is None:
            return self._end(self._reader.fail(UpstreamError(_TOO_DEEP, status=502)), b"")
        return passed, deltas

    def close(self) -> tuple[bytes, list[Delta]]:
        """The body ended: `[DONE]` if only that was missing, an error if the answer was not complete."""
        return self._end(self._reader.close(), DONE)

    def _passed(self, chunk: JsonObject, raw: bytes) -> bytes | None:
        """The chunk's bytes; None if it had to be changed and cannot be written again."""
        choices = chunk.get("choices")
        if choices == [] and chunk.get("usage") and not self._context.wants_usage:
            return b""
        first = choices[0] if isinstance(choices, list) and choices else None
        is_odd = isinstance(first, dict) and _is_odd(first)
        if chunk.get("model") == self._context.model and "object" in chunk and not is_odd:
            return raw
        touched = {**chunk, "object": _OBJECT, "model": self._context.model}
        if is_odd:
            touched["choices"] = [touch_choice(first, "delta")]
        try:
            return encode_json(touched)
        except orjson.JSONEncodeError:
            return None

    def _end(self, deltas: list[Delta], done: bytes) -> tuple[bytes, list[Delta]]:
        """The last bytes: `done` after a proper end, with the finish_reason that the upstream left out."""
        ending = b""
        for delta in deltas:
            if isinstance(delta, Failed):
                return error_end(delta.error), deltas
            if isinstance(delta, Stopped):
                ending = self._finish_chunk(delta)
            if isinstance(delta, Finished):
                ending += done
        return ending, deltas

    def _finish_chunk(self, stopped: Stopped) -> bytes:
        choice = {"index": 0, "delta": {}, "finish_reason": write_finish(stopped.reason)}
        return encode_json(
            {
                "id": text_of(self._last.get("id")) or completion_id("", self._context),
                "object": _OBJECT,
                "created": self._last.get("created", self._context.created),
                "model": self._context.model,
                "choices": [choice],
            }
        )


def _is_odd(choice: JsonObject) -> bool:
    finish = choice.get("finish_reason")
    if finish and standard_finish(finish) != finish:
        return True
    said = choice.get("delta")
    calls = said.get("tool_calls") if isinstance(said, dict) else None
    return isinstance(calls, list) and any(_has_object_arguments(call) for call in calls)


def _has_object_arguments(call: object) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    return isinstance(function, dict) and isinstance(function.get("arguments"), dict)
