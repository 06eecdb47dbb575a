"""A reader and a writer, joined, where bytes cannot simply pass: the same face as a relay within one dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from proxy_core.chat import Delta, Failed, Finished
from proxy_core.dialects.base import StreamReader, StreamWriter
from proxy_core.dialects.restraint import UNRESTRAINED, Restraint, Restraints, nothing_counted
from proxy_core.errors import ProxyError
from proxy_core.tokens.scaling import scale_delta
from proxy_core.wire.sse import SseEvent


@runtime_checkable
class FallibleWriter(Protocol):
    """A writer that may end its stream with an error of its own. failure: that error, once it has."""

    failure: ProxyError | None


class Telling:
    """Deltas as the client shall hear them, in its bytes: with its prompt so many times as large as it is."""

    def __init__(
        self,
        writer: StreamWriter,
        needed: Restraints = UNRESTRAINED,
        estimate_prompt: Callable[[], int] = nothing_counted,
        prompt_scale: float = 1.0,
    ) -> None:
        self._writer = writer
        self._fallible = writer if isinstance(writer, FallibleWriter) else None
        self._restraint = Restraint(needed, estimate_prompt)
        self._prompt_scale = prompt_scale
        self._is_over = False

    def tell(self, deltas: list[Delta]) -> tuple[bytes, list[Delta]]:
        """The bytes, and what they mean: a failure where the writer found that it cannot tell all of it.

        What they mean has the upstream's own figures. Nothing behind the end.
        """
        if self._is_over:
            return b"", []
        deltas = self._restraint.feed(deltas)
        scale = self._prompt_scale
        told = deltas if scale == 1.0 else [scale_delta(delta, scale) for delta in deltas]
        data = b"".join([self._writer.write(delta) for delta in told])
        failure = self._fallible.failure if self._fallible else None
        if failure is not None and not (deltas and isinstance(deltas[-1], Failed)):
            deltas = [*(delta for delta in deltas if not isinstance(delta, Finished)), Failed(failure)]
        self._is_over = bool(deltas) and isinstance(deltas[-1], Failed | Finished)
        return data, deltas


class Crossing:
    """Upstream events in, the client's bytes out, through the deltas in the middle."""

    def __init__(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        needed: Restraints = UNRESTRAINED,
        estimate_prompt: Callable[[], int] = nothing_counted,
        prompt_scale: float = 1.0,
    ) -> None:
        self._reader = reader
        self._telling = Telling(writer, needed, estimate_prompt, prompt_scale)

    def relay(self, event: SseEvent) -> tuple[bytes, list[Delta]]:
        """What this event means, in the client's bytes."""
        return self._telling.tell(self._reader.read(event))

    def close(self) -> tuple[bytes, list[Delta]]:
        """The body ended; an error event unless a proper end was seen."""
        return self._telling.tell(self._reader.close())

    def say(self, deltas: list[Delta]) -> tuple[bytes, list[Delta]]:
        """What the upstream did not say: pings of ours, or that it broke off."""
        return self._telling.tell(deltas)
