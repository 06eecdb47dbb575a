"""What stands behind /metrics: the counters, and the gauges that others know the values of."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from proxy_core.stores.descriptions import DescriptionStore, StoreSize
from proxy_core.telemetry.metrics import Metrics, Reading
from proxy_core.upstream.breaker import Breakers, BreakerState
from proxy_core.upstream.throttle import Throttle

_MOST_LANES = 100
"""Clients may invent models, and each has a lane."""
_OPENNESS = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 0.5, BreakerState.OPEN: 1.0}


class Scrape:
    """Asked by whoever scrapes."""

    def __init__(
        self, metrics: Metrics, throttle: Throttle, breakers: Breakers, descriptions: DescriptionStore
    ) -> None:
        self._metrics = metrics
        self._throttle = throttle
        self._breakers = breakers
        self._descriptions = descriptions
        self._size = StoreSize()
        for source in (self._lanes, self._openness, self._store):
            metrics.add_source(source)

    async def read(self) -> bytes:
        """The exposition format, as text."""
        self._size = await self._descriptions.size()
        return self._metrics.render()

    def _lanes(self) -> Iterable[Reading]:
        sums: dict[tuple[str, str], list[int]] = {}
        for server, model, lane in self._throttle.lanes():
            figures = (lane.in_flight, lane.waiting, lane.limit)
            sums[server, model] = [
                sum(pair) for pair in zip(sums.get((server, model), (0, 0, 0)), figures, strict=True)
            ]
        for (server, model), (in_flight, waiting, limit) in islice(sums.items(), _MOST_LANES):
            labels = (("server", server), ("model", model))
            yield Reading("lane_in_flight", "Requests in a lane.", in_flight, labels)
            yield Reading("lane_waiting", "Requests in front of a lane.", waiting, labels)
            yield Reading("lane_limit", "Places of a lane.", limit, labels)

    def _openness(self) -> Iterable[Reading]:
        for server, state in self._breakers.states():
            text = "1 while requests pass a server by, 0.5 while one probes it."
            yield Reading("breaker_open", text, _OPENNESS[state], (("server", server),))

    def _store(self) -> Iterable[Reading]:
        yield Reading("descriptions", "Pictures described.", self._size.pictures)
        yield Reading("descriptions_bytes", "Bytes of their descriptions.", self._size.stored_bytes)
