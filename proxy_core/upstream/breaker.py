"""Whether a server is worth asking: the circuit breaker, a pure state machine with the clock given.

closed → open after some failures in a row → after a while half open, where one request probes it → closed or open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from proxy_core.errors import ErrorKind, UpstreamError
from proxy_core.upstream_codes import ErrorClass

FAILURES = 3
"""So many requests in a row, each with its own retries, before a server counts as down."""
OPEN_S = 60.0

_OUTAGE_CLASSES = frozenset({ErrorClass.OVERLOAD, ErrorClass.SERVER, ErrorClass.NETWORK})
_OUTAGE_KINDS = frozenset({ErrorKind.SERVER, ErrorKind.OVERLOADED, ErrorKind.TIMEOUT})


def is_outage(error: UpstreamError) -> bool:
    """Whether the server itself is in trouble: another one may do better. Refusals of this key or request are not."""
    if error.error_class is not None:
        return error.error_class in _OUTAGE_CLASSES
    return error.kind in _OUTAGE_KINDS


class BreakerState(StrEnum):
    """open: not asked. half_open: asked by one request, on which all depends."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(slots=True)
class Breaker:
    """One server's. clock: seconds, of any origin."""

    clock: Callable[[], float]
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    opened_at: float = 0.0
    is_probed: bool = False

    def admits(self) -> bool:
        """Whether the request at hand may go there; who got a yes must tell the outcome."""
        if self.state is BreakerState.OPEN and self.clock() - self.opened_at >= OPEN_S:
            self.state, self.is_probed = BreakerState.HALF_OPEN, False
        if self.state is BreakerState.HALF_OPEN and not self.is_probed:
            self.is_probed = True
            return True
        return self.state is BreakerState.CLOSED

    def succeeded(self) -> None:
        """The server answered, if only to refuse this one request."""
        self.state, self.failures = BreakerState.CLOSED, 0

    def failed(self) -> None:
        """An outage."""
        self.failures += 1
        if self.failures >= FAILURES or self.state is not BreakerState.CLOSED:
            self.state, self.opened_at = BreakerState.OPEN, self.clock()

    def dropped(self) -> None:
        """The request ended without a word from the server, as its client left: the next one may probe."""
        self.is_probed = False


class Breakers:
    """Those of all servers, by name."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}

    def of(self, server: str) -> Breaker:
        """The breaker of one server."""
        return self._breakers.setdefault(server, Breaker(self._clock))

    def states(self) -> Iterable[tuple[str, BreakerState]]:
        """How each server stands, by its name."""
        return ((server, breaker.state) for server, breaker in self._breakers.items())

    def reset(self) -> None:
        """Everybody is trusted again."""
        self._breakers.clear()
