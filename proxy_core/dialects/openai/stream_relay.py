"""A chat completion stream for a client of this very dialect: bytes pass as they came unless they must not.

Changed are the model's name where the client asked for another, the size of the prompt where it is told larger, a
missing `object`, a finish_reason that is z.ai's own or contradicts the calls, and calls told otherwise than by the
standard (`stream_calls`): they are told anew, as our reader understood them. A usage chunk that nobody asked for is
held back. A role said in every delta, as z.ai does, passes: it is no reason to render a whole stream anew. Each event
is parsed once.
"""

from __future__ import annotations

import orjson

from proxy_core.chat import Delta, Failed, Finished, Stopped, ToolCallDelta, ToolCallStarted, Usage
from proxy_core.dialects.arguments import bad_arguments
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.openai.answers import completion_id, text_of
from proxy_core.dialects.openai.messages import function_call
from proxy_core.dialects.openai.reasons import (
    is_cut,
    read_usage,
    scaled_usage,
    standard_finish,
    write_finish,
    write_usage,
)
from proxy_core.dialects.openai.stream_calls import is_foreign
from proxy_core.dialects.openai.stream_reader import DONE_DATA, OpenAiStreamReader, parse_chunk
from proxy_core.dialects.openai.stream_writer import DONE, error_end
from proxy_core.dialects.unsaid_usage import chars_of, filled
from proxy_core.errors import UpstreamError
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.sse import SseEvent, encode_json, encode_silence

_CALL_FIELDS = ("tool_calls", "function_call")
_OBJECT = "chat.completion.chunk"
_TOO_DEEP = "The upstream sent a chunk that is nested too deeply."


class OpenAiRelay:
    """Relays one stream and reads it on the way."""

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self._reader = OpenAiStreamReader(keeps_extras=False)
        self._last: JsonObject = {}
        self._finish: str | None = None
        self._has_finished = False
        self._lacks_usage = context.wants_usage
        self._output_chars = 0

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
        self._watch(chunk, deltas)
        if self._is_broken(deltas):
            return self._end([*deltas, *self._reader.fail(bad_arguments())], b"")
        if self._has_finished and chunk.get("choices"):
            return self._usage_alone(chunk), deltas
        passed = self._passed(chunk, deltas, event.raw)
        if passed is None:
            return self._end(self._reader.fail(UpstreamError(_TOO_DEEP, status=502)), b"")
        return passed, deltas

    def close(self) -> tuple[bytes, list[Delta]]:
        """The body ended: `[DONE]` if only that was missing, an error if the answer was not complete."""
        return self._end(self._reader.close(), DONE)

    def _watch(self, chunk: JsonObject, deltas: list[Delta]) -> None:
        """For a client that asked for usage: whether it came, and what it could be reckoned by."""
        if self._lacks_usage:
            said = chunk.get("usage")
            self._lacks_usage = not (isinstance(said, dict) and read_usage(said).prompt_tokens)
            self._output_chars += chars_of(deltas)

    def _usage_alone(self, chunk: JsonObject) -> bytes:
        """A chunk behind the finish_reason: no client waits for more of the answer, but for what it used."""
        if not chunk.get("usage") or not self._context.wants_usage:
            return b""
        return encode_json({**self._head(), "choices": [], "usage": self._told_usage(chunk)})

    def _told_usage(self, chunk: JsonObject) -> object:
        """What a chunk says of usage, as the client is told it; the very same where nothing has to change."""
        said = chunk.get("usage")
        return scaled_usage(said, self._context.prompt_scale) if isinstance(said, dict) else said

    def _is_broken(self, deltas: list[Delta]) -> bool:
        """Whether these end the answer as if it were whole, and a call in it is not."""
        is_over = any(isinstance(delta, Stopped) and not is_cut(delta.reason) for delta in deltas)
        return is_over and self._reader.calls.rests() is None

    def _passed(self, chunk: JsonObject, deltas: list[Delta], raw: bytes) -> bytes | None:
        """The chunk's bytes; None if it had to be changed and cannot be written again."""
        choices = chunk.get("choices")
        if choices == [] and chunk.get("usage") and not self._context.wants_usage:
            return b""
        first = choices[0] if isinstance(choices, list) and choices else None
        late, mended = self._mended(first, deltas) if isinstance(first, dict) else ([], first)
        usage = self._told_usage(chunk)
        is_regular = chunk.get("model") == self._context.model and "object" in chunk and usage is chunk.get("usage")
        if is_regular and mended is first and not late:
            return raw
        touched = {**chunk, "object": _OBJECT, "model": self._context.model}
        if "usage" in chunk:
            touched["usage"] = usage
        if mended is not first:
            touched["choices"] = [mended]
        try:
            return (self._own_chunk({"tool_calls": late}) if late else b"") + encode_json(touched)
        except orjson.JSONEncodeError:
            return None

    def _mended(self, choice: JsonObject, deltas: list[Delta]) -> tuple[list[JsonObject], JsonObject]:
        """Calls to tell in a chunk before, and the choice; the same object where nothing has to change."""
        finish, said = choice.get("finish_reason"), choice.get("delta")
        self._has_finished = self._has_finished or bool(finish)
        late = self._late_calls(deltas) if finish else []
        changes: JsonObject = {}
        if (
            isinstance(said, dict)
            and (told := self._mended_delta(said, [] if late else deltas, bool(late))) is not said
        ):
            changes["delta"] = told
        if finish and (settled := self._settled(finish, deltas)) != finish:
            changes["finish_reason"] = settled
        return late, {**choice, **changes} if changes else choice

    def _late_calls(self, deltas: list[Delta]) -> list[JsonObject]:
        """The calls of a last chunk, if any were held back until then or their arguments are not whole."""
        calls = self._reader.calls
        rests = self._rests(deltas)
        if not calls.is_odd and not rests:
            return []
        return _entries([*deltas, *(ToolCallDelta(index, rest) for index, rest in rests.items())])

    def _rests(self, deltas: list[Delta]) -> dict[int, str]:
        """What calls still lack when the answer ends. One that was cut by a limit says so by its finish_reason."""
        for delta in deltas:
            if isinstance(delta, Stopped):
                calls = self._reader.calls
                return calls.bare() if is_cut(delta.reason) else calls.rests() or {}
        return {}

    def _mended_delta(self, said: JsonObject, deltas: list[Delta], is_told: bool) -> JsonObject:
        """is_told: the calls went out in a chunk before."""
        has_calls = said.get("tool_calls") or said.get("function_call")
        if not has_calls or not (is_told or self._reader.calls.is_odd):
            return said
        entries = [*_foreign_entries(said.get("tool_calls")), *_entries(deltas)]
        mended = {key: value for key, value in said.items() if key not in _CALL_FIELDS}
        return {**mended, "tool_calls": entries} if entries else mended

    def _settled(self, finish: object, deltas: list[Delta]) -> object:
        """The finish_reason by what was told; said once, it stays."""
        if self._reader.calls.has_foreign:
            return standard_finish(finish)
        for delta in deltas:
            if isinstance(delta, Stopped):
                self._finish = write_finish(delta.reason)
        return self._finish or standard_finish(finish)

    def _end(self, deltas: list[Delta], done: bytes) -> tuple[bytes, list[Delta]]:
        """The last bytes: `done` after a proper end, with the finish_reason that the upstream left out."""
        if deltas and isinstance(failed := deltas[-1], Failed):
            return error_end(failed.error), deltas
        ending = b""
        for delta in deltas:
            if isinstance(delta, Stopped):
                held_back = _entries(deltas)
                ending = self._own_chunk({"tool_calls": held_back}) if held_back else b""
                ending += self._own_chunk({}, write_finish(delta.reason))
            if isinstance(delta, Finished):
                ending += self._reckoned() + done
        return ending, deltas

    def _reckoned(self) -> bytes:
        """The usage that was asked for and never came."""
        if not self._lacks_usage:
            return b""
        usage = filled(Usage(), self._context.told_prompt, self._output_chars)
        return encode_json({**self._head(), "choices": [], "usage": write_usage(usage)})

    def _own_chunk(self, said: JsonObject, finish: str | None = None) -> bytes:
        return encode_json({**self._head(), "choices": [{"index": 0, "delta": said, "finish_reason": finish}]})

    def _head(self) -> JsonObject:
        return {
            "id": text_of(self._last.get("id")) or completion_id("", self._context),
            "object": _OBJECT,
            "created": self._last.get("created", self._context.created),
            "model": self._context.model,
        }


def _entries(deltas: list[Delta]) -> list[JsonObject]:
    """The calls that deltas tell, as entries of `tool_calls`; one entry for each call."""
    names: dict[int, ToolCallStarted] = {}
    fragments: dict[int, str] = {}
    for delta in deltas:
        if isinstance(delta, ToolCallStarted):
            names[delta.index] = delta
            fragments.setdefault(delta.index, "")
        elif isinstance(delta, ToolCallDelta):
            fragments[delta.index] = fragments.get(delta.index, "") + delta.fragment
    return [{"index": index, **_entry(names.get(index), said)} for index, said in fragments.items()]


def _entry(started: ToolCallStarted | None, arguments: str) -> JsonObject:
    if started is None:
        return {"function": {"arguments": arguments}}
    return function_call(started.id, started.name, arguments)


def _foreign_entries(entries: object) -> list[JsonObject]:
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, dict) and is_foreign(entry)]
