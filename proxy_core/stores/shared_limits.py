"""Places of requests in flight that several proxies share: the limit of a key at a server and model holds over all.

A lane is a sorted set of tickets by the end of their lease, and a hash with the adaptive limit; one script does all
that happens to it, by the server's own clock. A living proxy renews the leases of its tickets with every beat, so the
places of a killed one come free. The rules are those of `upstream.throttle`, which goes on by itself without the store.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from proxy_core.stores.shared_link import LEASE_MS, PREFIX, Command, SharedLink, StoreGoneError

LANES = f"{PREFIX}lane:"
_STATE_KEPT_MS = 86_400_000
_LANE = """
local places, state, epochs, carried = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local verb, lease_ms, kept_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local first, highest, quiet_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local ticket = ARGV[7]
for place, kind in ipairs({'zset', 'hash', 'hash', 'set'}) do
  local found = redis.call('TYPE', KEYS[place]).ok
  if found ~= kind and found ~= 'none' then redis.call('DEL', KEYS[place]) end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function known(name, otherwise)
  return math.floor(tonumber(redis.call('HGET', state, name)) or otherwise)
end
local function remove(id)
  redis.call('ZREM', places, id)
  redis.call('HDEL', epochs, id)
  redis.call('SREM', carried, id)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', places, '-inf', now)) do remove(id) end
local limit = math.max(1, math.min(highest, known('limit', first)))
local epoch, is_rising, quiet_since = known('epoch', 0), known('rising', 1) == 1, known('quiet', now)
local granted = 0
if not is_rising then
  local minutes = math.floor((now - quiet_since) / quiet_ms)
  if minutes > 0 then
    quiet_since = quiet_since + minutes * quiet_ms
    limit = math.min(highest, limit + minutes)
  end
end
if verb == 'take' then
  if redis.call('ZSCORE', places, ticket) or redis.call('ZCARD', places) < limit then
    redis.call('ZADD', places, now + lease_ms, ticket)
    redis.call('HSET', epochs, ticket, epoch)
    granted = 1
  end
elseif verb == 'renew' then
  for place = 7, #ARGV do
    redis.call('ZADD', places, now + lease_ms, ARGV[place])
    redis.call('HSETNX', epochs, ARGV[place], epoch)
  end
elseif verb == 'accepted' then
  redis.call('SADD', carried, ticket)
  if is_rising and limit < highest then limit = limit + 1 end
elseif verb == 'refused' then
  local entered = tonumber(redis.call('HGET', epochs, ticket))
  remove(ticket)
  is_rising, quiet_since = false, now
  if entered == epoch then
    epoch = epoch + 1
    limit = math.max(1, math.floor(limit / 2), redis.call('SCARD', carried))
  end
else
  remove(ticket)
end
redis.call('HSET', state, 'limit', limit, 'epoch', epoch, 'rising', is_rising and 1 or 0, 'quiet', quiet_since)
redis.call('PEXPIRE', state, kept_ms)
for place = 1, 4 do
  if place ~= 2 then redis.call('PEXPIRE', KEYS[place], 2 * lease_ms) end
end
return {granted, limit, redis.call('ZCARD', places)}
"""


@dataclass(frozen=True, slots=True)
class Rules:
    """Of an adaptive limit: where it begins, its most, and the seconds after which a cut one grows by one."""

    first: int
    highest: int
    quiet_s: float


@dataclass(slots=True)
class SharedLane:
    """The places of one key at one server and model. limit, in_flight: as last heard.

    in_flight counts those of all proxies.
    """

    name: str
    rules: Rules
    link: SharedLink
    busy: dict[str, SharedLane]
    limit: int = 0
    in_flight: int = 0
    held: set[str] = field(default_factory=set)
    hearers: list[Callable[[], None]] = field(default_factory=list)

    def on_heard(self, tell: Callable[[], None]) -> None:
        """Have this called whenever limit and in_flight were heard."""
        self.hearers.append(tell)

    async def take(self, ticket: str) -> bool | None:
        """Whether it has a place now; None: the store is gone, and it goes without."""
        try:
            granted = self._hear(await self.link.ask(*self._command("take", ticket)))
        except StoreGoneError:
            granted = None
        except BaseException:  # whoever asked has left, and the answer may be yes
            self.link.post(self._command("leave", ticket))
            raise
        if granted is not False:  # without the store, too: it is told with the next beat that the store hears
            self.held.add(ticket)
            self.busy[self.name] = self
        return granted

    def accepted(self, ticket: str) -> None:
        """The upstream took the request."""
        self.link.post(self._command("accepted", ticket))

    def refused(self, ticket: str) -> None:
        """The upstream has too many in flight; the place is free."""
        self._end("refused", ticket)

    def leave(self, ticket: str) -> None:
        """The place is free, if it was taken. Idempotent."""
        self._end("leave", ticket)

    async def renew(self) -> None:
        """Say that all tickets are still in use. Raises StoreGoneError."""
        self._hear(await self.link.ask(*self._command("renew", *self.held)))

    def _end(self, verb: str, ticket: str) -> None:
        if ticket in self.held:
            self.held.discard(ticket)
            self.link.post(self._command(verb, ticket))
        if not self.held:
            self.busy.pop(self.name, None)

    def _hear(self, answer: object) -> bool | None:
        match answer:
            case [int() as granted, int() as limit, int() as in_flight]:
                self.limit, self.in_flight = limit, in_flight
                for tell in self.hearers:
                    tell()
                return bool(granted)
            case _:
                return None

    def _keys(self) -> list[str]:
        return [f"{LANES}{{{self.name}}}:{part}" for part in ("places", "state", "epochs", "carried")]

    def _command(self, verb: str, *tickets: str) -> Command:
        rules = self.rules
        figures = (LEASE_MS, _STATE_KEPT_MS, rules.first, rules.highest, round(rules.quiet_s * 1000))
        return ("EVAL", _LANE, 4, *self._keys(), verb, *figures, *tickets)


class SharedLimits:
    """The lanes of one proxy."""

    def __init__(self, link: SharedLink) -> None:
        self._link = link
        self._busy: dict[str, SharedLane] = {}
        link.on_beat(self._renew)

    def lane(self, name: str, first: int, highest: int, quiet_s: float) -> SharedLane:
        """A lane by its name, which may hold no secret. See `Rules`."""
        return SharedLane(name, Rules(first, highest, quiet_s), self._link, self._busy)

    async def _renew(self) -> None:
        """With each beat. Raises StoreGoneError."""
        for lane in tuple(self._busy.values()):
            await lane.renew()
