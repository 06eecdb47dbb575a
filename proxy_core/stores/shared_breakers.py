"""Which servers are down, known to all proxies: one hash, server → when its breaker opened and until when it is probed.

Each proxy counts failures for itself; what one of them finds open is open for all, and one of them probes. One script
does all that happens to it, by the shared server's own clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proxy_core.stores.shared_link import PREFIX, Command, SharedLink, StoreGoneError

BREAKERS = f"{PREFIX}breakers"
_PROBE_MS = 60_000
"""A probe that told no outcome in that time is forgotten: its proxy may have been killed."""
_MOST_OPENS = 10
"""So many times its open time after it opened, a breaker that nobody asked for is forgotten."""
_BREAKERS = """
local key, verb, open_ms, probe_ms, most, server = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local found = redis.call('TYPE', key).ok
if found ~= 'hash' and found ~= 'none' then redis.call('DEL', key) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function put(name, opened, probed)
  redis.call('HSET', key, name, string.format('%.0f %.0f', opened, probed))
  redis.call('PEXPIRE', key, open_ms * most)
end
local function state_of(name)
  local opened, probed = string.match(redis.call('HGET', key, name) or '', '^(%d+) (%d+)$')
  if not opened then return 'closed' end
  opened, probed = tonumber(opened), tonumber(probed)
  if opened > now or now - opened > open_ms * most then return 'closed' end
  if now - opened < open_ms then return 'open', opened end
  return now < probed and 'half_open' or 'due', opened
end
if verb == 'states' then
  local states = {}
  for _, name in ipairs(redis.call('HKEYS', key)) do
    local state = state_of(name)
    if state == 'closed' then
      redis.call('HDEL', key, name)
    else
      states[#states + 1] = name
      states[#states + 1] = state == 'half_open' and state or 'open'
    end
  end
  return states
end
local state, opened = state_of(server)
if verb == 'admits' then
  if state ~= 'due' then return state end
  put(server, opened, now + probe_ms)
  return 'probe'
elseif verb == 'opened' then
  put(server, now, 0)
elseif verb == 'closed' then
  redis.call('HDEL', key, server)
elseif opened then
  put(server, opened, 0)
end
return state
"""


class SharedBreakers:
    """The breakers of all servers, over all proxies."""

    def __init__(self, link: SharedLink) -> None:
        self._link = link
        self._open_ms = 0
        self._hearer: Callable[[Mapping[str, str]], None] | None = None
        link.on_beat(self._look)

    def watch(self, open_s: float, tell: Callable[[Mapping[str, str]], None]) -> None:
        """To be called first. tell: from now on called with every beat: servers that are not closed → "open" or
        "half_open"."""
        self._open_ms, self._hearer = round(open_s * 1000), tell

    async def admits(self, server: str) -> str | None:
        """ "closed", "probe" (go, all depends on it), "open", "half_open"; None: nobody can say."""
        try:
            answer = await self._link.ask(*self._command("admits", server))
        except StoreGoneError:
            return None
        return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else None

    def tell(self, server: str, what: str) -> None:
        """What became of a server: "opened", "closed", or "dropped" (its probe ended without a word)."""
        self._link.post(self._command(what, server))

    async def _look(self) -> None:
        """With each beat. Raises StoreGoneError."""
        if self._hearer is None:
            return
        answer = await self._link.ask(*self._command("states", ""))
        words = [word.decode("utf-8", "replace") for word in _list(answer) if isinstance(word, bytes)]
        states = dict(zip(words[::2], words[1::2], strict=False))
        self._hearer(states)

    def _command(self, verb: str, server: str) -> Command:
        return ("EVAL", _BREAKERS, 1, BREAKERS, verb, self._open_ms, _PROBE_MS, _MOST_OPENS, server)


def _list(answer: object) -> list[object]:
    return answer if isinstance(answer, list) else []
