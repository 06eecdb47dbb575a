"""Whether a server is worth asking: the circuit breaker, a pure state machine with the clock given.

closed → open after some failures in a row → after a while half open, where one request probes it → closed or open.

Several proxies may share what they know (`BreakerStore`): each counts for itself, what one finds open is open for all,
and one of them probes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Protocol

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


class BreakerStore(Protocol):
    """Where the state of servers is shared. Nothing here fails for a fault of the store."""

    def watch(self, open_s: float, tell: Callable[[Mapping[str, str]], None]) -> None:
        """Open ones may be probed after so long. tell: called now and then; servers that are not closed → "open" or
        "half_open"."""
        ...

    async def admits(self, server: str) -> str | None:
        """ "closed", "probe" (go, all depends on it), "open", "half_open"; None: nobody can say."""
        ...

    def tell(self, server: str, what: str) -> None:
        """What became of a server: "opened", "closed", or "dropped" (its probe ended without a word)."""
        ...


def _tell_nobody(what: str) -> None:
    """For a proxy that is alone."""


@dataclass(slots=True)
class Breaker:
    """One server's. clock: seconds, of any origin. tell: what others should know, in the words of `BreakerStore`.

    is_shared: others know that it is not closed.
    """

    clock: Callable[[], float]
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    opened_at: float = 0.0
    is_probed: bool = False
    tell: Callable[[str], None] = _tell_nobody
    is_shared: bool = False

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
        if self.state is not BreakerState.CLOSED:
            self.tell("closed")
        self.close()

    def failed(self) -> None:
        """An outage."""
        self.failures += 1
        if self.failures >= FAILURES or self.state is not BreakerState.CLOSED:
            self.state, self.opened_at = BreakerState.OPEN, self.clock()
            self.tell("opened")

    def dropped(self) -> None:
        """The request ended without a word from the server, as its client left: the next one may probe."""
        self.is_probed = False
        if self.state is not BreakerState.CLOSED:
            self.tell("dropped")

    def close(self) -> None:
        """Worth asking, as far as anybody knows."""
        self.state, self.failures, self.is_shared = BreakerState.CLOSED, 0, False

    def hear(self, state: BreakerState) -> None:
        """Others know it so: not closed."""
        if self.state is BreakerState.CLOSED:
            self.opened_at = self.clock()
        self.state, self.is_shared = state, True


class Breakers:
    """Those of all servers, by name. shared: where other proxies tell of theirs."""

    def __init__(self, clock: Callable[[], float], shared: BreakerStore | None = None) -> None:
        self._clock = clock
        self._shared = shared
        self._breakers: dict[str, Breaker] = {}
        if shared is not None:
            shared.watch(OPEN_S, self._hear)

    def of(self, server: str) -> Breaker:
        """The breaker of one server."""
        if server not in self._breakers:
            tell = partial(self._shared.tell, server) if self._shared is not None else _tell_nobody
            self._breakers[server] = Breaker(self._clock, tell=tell)
        return self._breakers[server]

    async def admits(self, server: str) -> bool:
        """Whether the request at hand may go there; who got a yes must tell the outcome to the server's breaker."""
        breaker = self.of(server)
        match None if self._shared is None else await self._shared.admits(server):
            case "closed" if breaker.is_shared:  # another's probe went well
                breaker.close()
                return True
            case "probe":
                breaker.hear(BreakerState.HALF_OPEN)
                return True
            case "open" | "half_open" as state:
                breaker.hear(BreakerState(state))
                return False
            case _:  # nobody can say, or nobody but this proxy knows that the server is down
                return breaker.admits()

    def _hear(self, states: Mapping[str, str]) -> None:
        """What others know holds; what only this proxy knows, as the store was gone, is told again."""
        for server, state in states.items():
            self.of(server).hear(BreakerState.HALF_OPEN if state == "half_open" else BreakerState.OPEN)
        for server, breaker in self._breakers.items():
            if server not in states and breaker.is_shared:
                breaker.close()
            elif server not in states and breaker.state is BreakerState.OPEN:
                breaker.tell("opened")

    def states(self) -> Iterable[tuple[str, BreakerState]]:
        """How each server stands, by its name."""
        return ((server, breaker.state) for server, breaker in self._breakers.items())

    def reset(self) -> None:
        """Everybody is trusted again."""
        for breaker in self._breakers.values():
            breaker.succeeded()
        self._breakers.clear()
