"""A stream of deltas and a whole answer are the same thing, told twice: folding and unfolding."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from proxy_core.chat import (
    Answer,
    AnswerPart,
    BlockEnded,
    Delta,
    Failed,
    Finished,
    Started,
    Stopped,
    StopReason,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
    merge_usage,
)
from proxy_core.errors import UpstreamError


class Folder:
    """Collects deltas into the answer they add up to."""

    def __init__(self) -> None:
        self._started = Started(id="", model="")
        self._parts: list[Text | Thinking | ToolCall] = []
        self._texts: list[list[str]] = []
        self._calls: dict[int, int] = {}
        self._usage = Usage()
        self._stopped = Stopped(StopReason.END_TURN)
        self._is_finished = False
        self._extras: object = None
        self._is_block_open = False

    def add(self, delta: Delta) -> None:
        """Take one delta. Raises the error of a failed stream."""
        match delta:
            case Started():
                self._started = delta
                self._usage = merge_usage(self._usage, delta.usage or Usage())
            case UsageDelta(usage):
                self._usage = merge_usage(self._usage, usage)
            case Stopped():
                self._stopped = delta
            case Finished():
                self._is_finished = True
                self._extras = delta.extras or self._started.extras
            case Failed(error):
                raise error
            case _:
                self._add_content(delta)

    def _add_content(self, delta: Delta) -> None:
        match delta:
            case BlockEnded():
                self._is_block_open = False
            case TextDelta(text):
                self._grow(Text(text))
            case ThinkingDelta():
                self._grow(Thinking(delta.text, delta.signature, delta.redacted))
            case ToolCallStarted(index, call_id, name):
                self._calls[index] = len(self._parts)
                self._append(ToolCall(call_id, name, ""), "")
            case ToolCallDelta(index, fragment):
                self._texts[self._calls[index]].append(fragment)
            case _:
                pass

    def _grow(self, part: Text | Thinking) -> None:
        last = self._parts[-1] if self._parts and self._is_block_open else None
        self._is_block_open = True
        if isinstance(part, Text) and isinstance(last, Text):
            self._texts[-1].append(part.text)
        elif isinstance(part, Thinking) and isinstance(last, Thinking) and not part.redacted:
            self._texts[-1].append(part.text)
            self._parts[-1] = Thinking("", part.signature or last.signature)
        else:
            self._append(part, part.text)

    def _append(self, part: Text | Thinking | ToolCall, text: str) -> None:
        """Pieces are joined at the end only: joined one by one, many small ones take time by their square."""
        self._parts.append(part)
        self._texts.append([text])

    def answer(self) -> Answer:
        """The answer so far. Raises UpstreamError if the stream has not come to its end."""
        if not self._is_finished:
            raise UpstreamError("The upstream closed the stream before it was complete.", status=502)
        return Answer(
            id=self._started.id,
            model=self._started.model,
            parts=tuple(map(_with_text, self._parts, map("".join, self._texts))),
            stop=self._stopped.reason,
            usage=self._usage,
            stop_sequence=self._stopped.sequence,
            created=self._started.created,
            extras=self._extras,
        )


def _with_text(part: Text | Thinking | ToolCall, text: str) -> AnswerPart:
    return replace(part, arguments=text) if isinstance(part, ToolCall) else replace(part, text=text)


def fold(deltas: Iterable[Delta]) -> Answer:
    """The answer that these deltas add up to."""
    folder = Folder()
    for delta in deltas:
        folder.add(delta)
    return folder.answer()


def unfold(answer: Answer) -> list[Delta]:
    """The shortest stream that folds to this answer."""
    deltas: list[Delta] = [Started(answer.id, answer.model, answer.usage, answer.created, answer.extras)]
    calls = 0
    for part in answer.parts:
        match part:
            case Text(text):
                deltas.append(TextDelta(text))
            case Thinking():
                deltas.append(ThinkingDelta(part.text, part.signature, part.redacted))
            case ToolCall():
                deltas += [ToolCallStarted(calls, part.id, part.name), ToolCallDelta(calls, part.arguments)]
                calls += 1
        deltas.append(BlockEnded())
    return [*deltas, Stopped(answer.stop, answer.stop_sequence), UsageDelta(answer.usage), Finished()]
