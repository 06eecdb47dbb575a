"""What Prometheus scrapes: counters fed by the bus, gauges asked for at each scrape. Names begin with `llm_proxy_`.

| name | labels | meaning |
|---|---|---|
| `llm_proxy_requests_total` | door, server, model, outcome | settled requests; outcome done, failed, cancelled |
| `llm_proxy_errors_total` | server, kind | failed requests by class of error |
| `llm_proxy_request_seconds` | server, stream | histogram, from the request's arrival to its end |
| `llm_proxy_first_token_seconds` | server | histogram, to the first token |
| `llm_proxy_queue_seconds` | server | histogram, wait for a place in the lane |
| `llm_proxy_tokens_total` | server, model, kind | kind fresh, cached, output, thinking (part of output) |
| `llm_proxy_saved_tokens_total` | stage | tokens that an edit kept out of prompts |
| `llm_proxy_retries_total` | server | further tries |
| `llm_proxy_in_flight` | | requests being answered |
| `llm_proxy_lane_in_flight`, `_waiting`, `_limit` | server, model | a lane as it stands |
| `llm_proxy_breaker_open` | server | 1 while requests pass a server by, 0.5 while one probes it |
| `llm_proxy_descriptions`, `llm_proxy_descriptions_bytes` | | the store of picture descriptions |
| `llm_proxy_loop_lag_seconds` | | how late the event loop woke up last |
| `llm_proxy_info` | version | 1 |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from proxy_core.events import Event, EventBus, Exchange, ExchangeFinished, ExchangeStarted
from proxy_core.version import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "llm_proxy"
_SPANS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_MOST_NAMES = 60
"""Different models or servers as labels: clients invent names, and each one is kept for ever."""
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reading:
    """One gauge's value at this moment; name without the prefix."""

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


Source: TypeAlias = Callable[[], Iterable[Reading]]


class Metrics:
    """The figures of one proxy. Everything runs on the loop."""

    def __init__(self, bus: EventBus) -> None:
        self._registry = CollectorRegistry()
        self._names: set[str] = set()
        self._sources: list[Source] = []
        self._make_instruments()
        self._registry.register(_Asked(self._sources))
        self._leave = bus.subscribe(self._hear)

    def _make_instruments(self) -> None:
        registry = self._registry
        Info(_PREFIX, "The program.", registry=registry).info({"version": __version__})
        self._requests = Counter(
            f"{_PREFIX}_requests", "Settled requests.", ("door", "server", "model", "outcome"), registry=registry
        )
        self._errors = Counter(f"{_PREFIX}_errors", "Failed requests.", ("server", "kind"), registry=registry)
        self._tokens = Counter(f"{_PREFIX}_tokens", "Tokens reported.", ("server", "model", "kind"), registry=registry)
        self._saved = Counter(f"{_PREFIX}_saved_tokens", "Tokens kept out of prompts.", ("stage",), registry=registry)
        self._retries = Counter(f"{_PREFIX}_retries", "Further tries.", ("server",), registry=registry)
        self._in_flight = Gauge(f"{_PREFIX}_in_flight", "Requests being answered.", registry=registry)
        self._lag = Gauge(f"{_PREFIX}_loop_lag_seconds", "How late the loop woke up last.", registry=registry)
        self._seconds = self._histogram("request_seconds", "From arrival to end.", ("server", "stream"))
        self._first = self._histogram("first_token_seconds", "To the first token.", ("server",))
        self._queue = self._histogram("queue_seconds", "Wait for a place.", ("server",))

    def _histogram(self, name: str, text: str, labels: tuple[str, ...]) -> Histogram:
        return Histogram(f"{_PREFIX}_{name}", text, labels, buckets=_SPANS, registry=self._registry)

    def add_source(self, source: Source) -> None:
        """Ask for these gauges, too, at each scrape."""
        self._sources.append(source)

    def note_lag(self, seconds: float) -> None:
        """How late the loop was."""
        self._lag.set(max(seconds, 0.0))

    def render(self) -> bytes:
        """The exposition format, as text."""
        return generate_latest(self._registry)

    def close(self) -> None:
        """Hear no more."""
        self._leave()
        self._leave = lambda: None

    def _hear(self, event: Event) -> None:
        match event:
            case ExchangeStarted():
                self._in_flight.inc()
            case ExchangeFinished(exchange):
                self._in_flight.dec()
                self._settle(exchange)

    def _settle(self, exchange: Exchange) -> None:
        server, model = self._bounded(exchange.server), self._bounded(exchange.served_model)
        self._requests.labels(exchange.door, server, model, exchange.outcome).inc()
        if exchange.outcome == "failed":
            self._errors.labels(server, exchange.error_kind or "unknown").inc()
        if exchange.duration_s is not None:
            self._seconds.labels(server, str(exchange.stream).lower()).observe(exchange.duration_s)
        if exchange.first_token_s is not None:
            self._first.labels(server).observe(exchange.first_token_s)
        if exchange.queued_s:
            self._queue.labels(server).observe(exchange.queued_s)
        if exchange.retries:
            self._retries.labels(server).inc(exchange.retries)
        self._settle_tokens(exchange, server, model)

    def _settle_tokens(self, exchange: Exchange, server: str, model: str) -> None:
        usage = exchange.usage
        for kind, count in (
            ("fresh", usage.input_tokens + usage.cache_write_tokens),
            ("cached", usage.cached_tokens),
            ("output", usage.output_tokens),
            ("thinking", usage.thinking_tokens or 0),
        ):
            if count:
                self._tokens.labels(server, model, kind).inc(count)
        for cut in exchange.ledger.cuts:
            if cut.saved_tokens > 0:
                self._saved.labels(cut.stage.value).inc(cut.saved_tokens)

    def _bounded(self, name: str) -> str:
        if name in self._names or len(self._names) < _MOST_NAMES:
            self._names.add(name)
            return name
        return _OTHER


class _Asked(Collector):
    """Gauges that others know the values of."""

    def __init__(self, sources: list[Source]) -> None:
        self._sources = sources

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Each name once, with all its labels."""
        families: dict[str, GaugeMetricFamily] = {}
        for reading in (reading for source in self._sources for reading in source()):
            names = [name for name, _ in reading.labels]
            name = f"{_PREFIX}_{reading.name}"
            family = families.setdefault(name, GaugeMetricFamily(name, reading.help, labels=names))
            family.add_metric([value for _, value in reading.labels], reading.value)
        return families.values()
