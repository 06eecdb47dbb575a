"""How many requests may be in flight to one server and model, learned from what it takes.

The plans' limits are low and unpublished, and a refusal (code 1302) costs every agent a visible failure. So each
server and model has a lane. Its limit starts small and rises with every accepted request until the first refusal, as
TCP's slow start does; a refusal halves it, but not below what the server is carrying right now, and then it grows by
one for each quiet minute. Who finds the lane full waits in it, though not for ever: people before background work,
first come first served.

Where several proxies use the same keys, they may share the places of each: who has one here then asks for one there
(`LimitStore`). The limit is the shared one as long as it can be heard.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from math import inf
from typing import Protocol
from uuid import uuid4

from proxy_core.errors import ErrorKind, ProxyError

FIRST_LIMIT = 3
HIGHEST_LIMIT = 1000
QUIET_S = 60.0
_COME_AGAIN_S = 15.0
_LOOK_AGAIN_S = 0.05
_MOST_LANES = 1000


class SharedPlaces(Protocol):
    """A lane over several proxies. limit, in_flight: over all, as last heard."""

    limit: int
    in_flight: int

    def on_heard(self, tell: Callable[[], None]) -> None:
        """Have this called whenever limit and in_flight were heard."""
        ...

    async def take(self, ticket: str) -> bool | None:
        """Whether it has a place now; None: nobody can say, and it goes without."""
        ...

    def accepted(self, ticket: str) -> None:
        """The upstream took the request."""
        ...

    def refused(self, ticket: str) -> None:
        """The upstream has too many in flight; the place is free."""
        ...

    def leave(self, ticket: str) -> None:
        """The place is free, if it was taken. Idempotent."""
        ...


class LimitStore(Protocol):
    """Where places are shared. Nothing here fails for a fault of the store."""

    def lane(self, name: str, first: int, highest: int, quiet_s: float) -> SharedPlaces:
        """A lane by its name, whose limit begins at `first` and grows by one after each quiet time."""
        ...


@dataclass(eq=False, slots=True)
class Ticket:
    """One request's place in a lane. epoch: how many cuts the lane had seen when it entered. is_kept: the answer
    is a stream, at whose end the place is given back."""

    lane: Lane
    epoch: int
    has_left: bool = False
    is_kept: bool = False
    is_carried: bool = False
    name: str = field(default_factory=lambda: uuid4().hex)

    def accepted(self) -> None:
        """The upstream took the request."""
        self.is_carried = True
        self.lane.carried += 1
        self.lane.grow()
        if self.lane.shared is not None:
            self.lane.shared.accepted(self.name)

    def refused(self) -> bool:
        """The upstream has too many in flight. Leaves the lane; True if others are still in it, whose end will make
        room, so that waiting for a place is enough."""
        shared = self.lane.shared
        if shared is not None:
            shared.refused(self.name)
        self.leave()
        self.lane.cut(self.epoch)
        return self.lane.in_flight > 0 or (shared is not None and shared.in_flight > 1)

    def leave(self) -> None:
        """The request is over, however it ended. Idempotent."""
        if not self.has_left:
            self.has_left = True
            self.lane.carried -= self.is_carried
            if self.lane.shared is not None:
                self.lane.shared.leave(self.name)
            self.lane.release()


@dataclass(eq=False, slots=True)
class Lane:
    """The places of one server and model. clock: seconds, of any origin. carried: accepted and not yet over.

    shared: the same places over several proxies.
    """

    clock: Callable[[], float]
    shared: SharedPlaces | None = None
    limit: int = FIRST_LIMIT
    in_flight: int = 0
    carried: int = 0
    epoch: int = 0
    is_rising: bool = True
    quiet_since: float = 0.0
    foreground: deque[asyncio.Future[None]] = field(default_factory=deque)
    background: deque[asyncio.Future[None]] = field(default_factory=deque)
    quiet_timer: asyncio.TimerHandle | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        if self.shared is not None:
            self.shared.on_heard(self._hear)

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
        return sum(not waiter.done() for queue in (self.foreground, self.background) for waiter in queue)

    async def enter(self, *, is_background: bool, is_return: bool = False, within_s: float = inf) -> Ticket:
        """A place, as soon as there is one. is_return: was refused before, and stands in front.

        Raises ProxyError (overloaded) where none came free in time; the upstream was not asked then.
        """
        ticket = Ticket(self, self.epoch)
        try:
            async with asyncio.timeout(None if within_s == inf else within_s):
                await self._take_place(is_background=is_background, is_return=is_return)
                ticket.epoch = self.epoch
                await self._take_shared_place(ticket)
        except TimeoutError:
            raise _queue_fault(within_s) from None
        return ticket

    async def _take_place(self, *, is_background: bool, is_return: bool) -> None:
        self._recover()
        if self.in_flight >= self.limit or (self.waiting and not is_return):
            await self._wait(self.background if is_background else self.foreground, is_return=is_return)
        else:
            self.in_flight += 1

    async def _take_shared_place(self, ticket: Ticket) -> None:
        """One asks at a time, in the order in which they got their places here."""
        if self.shared is None:
            return
        try:
            async with self.turn:
                is_taken = await self.shared.take(ticket.name)
                while is_taken is False:
                    await asyncio.sleep(_LOOK_AGAIN_S)
                    is_taken = await self.shared.take(ticket.name)
        except BaseException:
            ticket.leave()
            raise

    def _hear(self) -> None:
        """The shared limit holds here, too."""
        if self.shared is not None:
            self.limit = self.shared.limit
            self._admit()

    async def _wait(self, queue: deque[asyncio.Future[None]], *, is_return: bool) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if is_return:
            queue.appendleft(waiter)
        else:
            queue.append(waiter)
        self._watch_quiet()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # the place was given in the same moment
                self.release()
            elif waiter in queue:
                queue.remove(waiter)
            raise
        finally:
            self._watch_quiet()

    def _watch_quiet(self) -> None:
        """While somebody waits, quiet minutes count even if nobody comes or goes."""
        if self.waiting and self.quiet_timer is None and not self.is_rising:
            due_s = max(0.0, self.quiet_since + QUIET_S - self.clock())
            self.quiet_timer = asyncio.get_running_loop().call_later(due_s, self._after_quiet)
        elif not self.waiting and self.quiet_timer is not None:
            self.quiet_timer.cancel()
            self.quiet_timer = None

    def _after_quiet(self) -> None:
        self.quiet_timer = None
        self._recover()
        self._watch_quiet()

    def release(self) -> None:
        """A place is free: to the next in the queue."""
        self.in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        """Give free places away; a place is taken the moment it is given, not when its owner wakes."""
        while self.in_flight < self.limit and (queue := self.foreground or self.background):
            waiter = queue.popleft()
            if not waiter.done():
                self.in_flight += 1
                waiter.set_result(None)

    def grow(self) -> None:
        """A request was accepted."""
        if self.is_rising and self.limit < HIGHEST_LIMIT:
            self.limit += 1
            self._admit()
        else:
            self._recover()

    def cut(self, epoch: int) -> None:
        """A refusal. Those of one burst count once: they entered before the limit was cut."""
        self.is_rising = False
        self.quiet_since = self.clock()
        if epoch == self.epoch:
            self.epoch += 1
            self.limit = max(1, self.limit // 2, self.carried)

    def _recover(self) -> None:
        """One more place for each quiet minute since the last refusal."""
        minutes = 0 if self.is_rising else int((self.clock() - self.quiet_since) // QUIET_S)
        if minutes > 0:
            self.quiet_since += minutes * QUIET_S
            self.limit = min(HIGHEST_LIMIT, self.limit + minutes)
            self._admit()


def _queue_fault(waited_s: float) -> ProxyError:
    return ProxyError(
        f"Too many requests are running: none of their places at this server came free within {waited_s:.0f} s.",
        kind=ErrorKind.OVERLOADED,
        hint="Run fewer agents at once, or try again later.",
        retry_after_s=_COME_AGAIN_S,
    )


class Throttle:
    """The lanes of all servers and models. shared: where other proxies have theirs; lanes are of one key each then."""

    def __init__(self, clock: Callable[[], float], shared: LimitStore | None = None) -> None:
        self._clock = clock
        self._shared = shared
        self._lanes: dict[tuple[str, str, str], Lane] = {}

    def lanes(self) -> Iterable[tuple[str, str, Lane]]:
        """All lanes with their servers and models; several of one pair where keys have lanes of their own."""
        return ((server, model, lane) for (server, model, _), lane in self._lanes.items())

    def lane(self, server: str, model: str, key: str = "") -> Lane:
        """The lane of one server and model. key: whom the server knows by it; told nobody."""
        mark = sha256(key.encode()).hexdigest()[:16] if self._shared is not None else ""
        name = (server, model, mark)
        if name not in self._lanes:
            self._forget_idle()
            self._lanes[name] = Lane(self._clock, self._share("/".join(name)))
        return self._lanes[name]

    def _share(self, name: str) -> SharedPlaces | None:
        return None if self._shared is None else self._shared.lane(name, FIRST_LIMIT, HIGHEST_LIMIT, QUIET_S)

    def _forget_idle(self) -> None:
        """Clients may bring any number of keys."""
        if self._shared is not None and len(self._lanes) >= _MOST_LANES:
            self._lanes = {name: lane for name, lane in self._lanes.items() if lane.in_flight or lane.waiting}
