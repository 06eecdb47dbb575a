"""The last minutes in steps of one second, for graphs: a ring that never grows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

STEP_S = 1.0
CAPACITY = 600
"""Ten minutes."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One step. Rates are per second over the time since the step before; `at` is unix seconds at its end.

    output_tokens_per_s follows running streams by estimate. input_tokens_per_s counts whole prompts, cache included,
    when the upstream reports them; saved_tokens_per_s what those prompts were shorter by, as counted here: below zero
    where edits made them longer. failures: exchanges that failed within the step (a client that left is none).
    """

    at: float
    requests_per_s: float = 0.0
    output_tokens_per_s: float = 0.0
    input_tokens_per_s: float = 0.0
    in_flight: int = 0
    failures: int = 0
    saved_tokens_per_s: float = 0.0


class Series:
    """Samples, oldest first; the oldest falls out when the ring is full."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._ring: deque[Sample] = deque(maxlen=capacity)

    def __len__(self) -> int:
        return len(self._ring)

    def append(self, sample: Sample) -> None:
        """Add the newest."""
        self._ring.append(sample)

    @property
    def latest(self) -> Sample | None:
        """The newest, None before the first."""
        return self._ring[-1] if self._ring else None

    def samples(self, count: int = CAPACITY) -> tuple[Sample, ...]:
        """The newest `count`, oldest first."""
        return tuple(self._ring)[-count:] if count > 0 else ()
