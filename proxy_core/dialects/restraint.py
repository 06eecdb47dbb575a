"""What an upstream does not do by itself, done on its deltas before they are told to the client.

Each stage looks after one thing and takes the stream as it comes: text is held back only as far as its end may belong
to something that still has to be recognised. A whole answer goes the same way, unfolded and folded again, so that a
client gets the same whether it streams or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from proxy_core.chat import (
    Answer,
    BlockEnded,
    Delta,
    Failed,
    Finished,
    Pinged,
    Started,
    Stopped,
    StopReason,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
    merge_usage,
)
from proxy_core.dialects.fold import fold, unfold
from proxy_core.dialects.restrained_text import FenceFilter, TagFilter, end_that_may_begin


@dataclass(frozen=True, slots=True)
class Restraints:
    """What has to be done to one answer; by default nothing.

    stops: stop sequences that the upstream was not told. is_serial: only one tool call may go through.
    has_inline_tags: the model writes its thinking and box marks into the text. renamed_tools: name as sent → the
    client's own. strips_fences: the answer is JSON that was asked for in words and may stand in a code fence.
    """

    stops: tuple[str, ...] = ()
    is_serial: bool = False
    has_inline_tags: bool = False
    renamed_tools: Mapping[str, str] = field(default_factory=dict)
    strips_fences: bool = False

    @property
    def is_needed(self) -> bool:
        """Whether the answer may not simply pass."""
        return self != UNRESTRAINED


UNRESTRAINED = Restraints()


class Stage(Protocol):
    """One thing done to a stream."""

    def feed(self, delta: Delta) -> list[Delta]:
        """What may go on after this delta."""
        ...


class TextFilter(Protocol):
    """Visible text in, what becomes of it out; some of it may wait for more."""

    def feed(self, text: str) -> list[Delta]:
        """More text."""
        ...

    def flush(self) -> list[Delta]:
        """No text follows here: whatever waited."""
        ...


class TextStage:
    """A filter of text in the stream: its text ends with the block, the pings and figures in between do not count."""

    def __init__(self, text: TextFilter) -> None:
        self._text = text

    def feed(self, delta: Delta) -> list[Delta]:
        """The filter's deltas for text, what it held back before anything else that counts."""
        match delta:
            case TextDelta(text):
                return self._text.feed(text)
            case Started() | UsageDelta() | Pinged():
                return [delta]
            case _:
                return [*self._text.flush(), delta]


_MOST_SWALLOWED = 64
_CHARS_PER_TOKEN = 4


def nothing_counted() -> int:
    """The size of a prompt that nobody counted."""
    return 0


class StopScanner:
    """Ends the stream at the first of some stop sequences: the one that is complete first, the longest of several.

    The upstream's figures come last. Until then what it goes on saying is swallowed; where it says some 64 things
    more, breaks off or falls silent, the stream ends without it and with figures of our own.
    """

    def __init__(self, stops: Sequence[str], estimate_prompt: Callable[[], int] = nothing_counted) -> None:
        self._stops = stops
        self._estimate_prompt = estimate_prompt
        self._held = ""
        self._is_stopped = False
        self._is_over = False
        self._swallowed = 0
        self._output_chars = 0
        self._usage = Usage()

    def feed(self, delta: Delta) -> list[Delta]:
        """Text as far as no stop sequence can stand in it; after one nothing but figures and the end."""
        if self._is_over:
            return []
        self._note(delta)
        if self._is_stopped:
            return self._drain(delta)
        match delta:
            case TextDelta(text):
                return self._scan(self._held + text)
            case Started() | UsageDelta() | Pinged():
                return [delta]
            case _:
                held, self._held = self._held, ""
                return [*_told(held), delta]

    def _scan(self, text: str) -> list[Delta]:
        places = [(place + len(stop), place, stop) for stop in self._stops if (place := text.find(stop)) >= 0]
        if places:
            _, start, stop = min(places)
            self._is_stopped = True
            return [*_told(text[:start]), Stopped(StopReason.STOP_SEQUENCE, stop)]
        certain = end_that_may_begin(text, self._stops)
        self._held = text[certain:]
        return _told(text[:certain])

    def _note(self, delta: Delta) -> None:
        match delta:
            case TextDelta(text) | ThinkingDelta(text) | ToolCallDelta(fragment=text):
                self._output_chars += len(text)
            case Started(usage=Usage() as usage) | UsageDelta(usage):
                self._usage = merge_usage(self._usage, usage)
            case _:
                pass

    def _drain(self, delta: Delta) -> list[Delta]:
        if isinstance(delta, UsageDelta):
            return [delta]
        self._swallowed += 1
        self._is_over = isinstance(delta, Finished | Failed | Pinged) or self._swallowed > _MOST_SWALLOWED
        return [*self._missing_figures(), Finished()] if self._is_over else []

    def _missing_figures(self) -> list[Delta]:
        """An upstream that says 1 in advance has said nothing yet."""
        if self._usage.output_tokens > 1:
            return []
        said = max(1, self._output_chars // _CHARS_PER_TOKEN)
        prompt = 0 if self._usage.prompt_tokens else self._estimate_prompt()
        return [UsageDelta(merge_usage(self._usage, Usage(input_tokens=prompt, output_tokens=said)))]


def _told(text: str) -> list[Delta]:
    return [TextDelta(text)] if text else []


class FirstCallOnly:
    """Lets the first tool call through and no other."""

    def __init__(self) -> None:
        self._is_muted = False

    def feed(self, delta: Delta) -> list[Delta]:
        """Everything but further calls, their arguments and their ends."""
        match delta:
            case ToolCallStarted(index) | ToolCallDelta(index):
                self._is_muted = index > 0
                return [] if self._is_muted else [delta]
            case BlockEnded() if self._is_muted:
                self._is_muted = False
                return []
            case _:
                return [delta]


class OwnToolNames:
    """Gives tools the names back under which the client knows them."""

    def __init__(self, renamed: Mapping[str, str]) -> None:
        self._renamed = renamed

    def feed(self, delta: Delta) -> list[Delta]:
        """The delta, a tool call under the client's name."""
        if isinstance(delta, ToolCallStarted):
            return [replace(delta, name=self._renamed.get(delta.name, delta.name))]
        return [delta]


class Restraint:
    """All the stages that one answer needs, in the order in which a model's output means something."""

    def __init__(self, needed: Restraints, estimate_prompt: Callable[[], int] = nothing_counted) -> None:
        self._stages: list[Stage] = []
        if needed.has_inline_tags:
            self._stages.append(TextStage(TagFilter()))
        if needed.stops:
            self._stages.append(StopScanner(needed.stops, estimate_prompt))
        if needed.strips_fences:
            self._stages.append(TextStage(FenceFilter()))
        if needed.is_serial:
            self._stages.append(FirstCallOnly())
        if needed.renamed_tools:
            self._stages.append(OwnToolNames(needed.renamed_tools))

    def feed(self, deltas: list[Delta]) -> list[Delta]:
        """What these deltas become."""
        for stage in self._stages:
            deltas = [out for delta in deltas for out in stage.feed(delta)]
        return deltas


def restrain(answer: Answer, needed: Restraints) -> Answer:
    """A whole answer as its stream would have come out."""
    return fold(Restraint(needed).feed(unfold(answer))) if needed.is_needed else answer
