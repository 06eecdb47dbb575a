"""The proxy as one object: everything of the core put together, ready to be hosted by a program or a script."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from proxy_core.dialects.base import Dialect
from proxy_core.events import EventBus
from proxy_core.jsontypes import JsonObject
from proxy_core.pipeline.condensing import Condenser
from proxy_core.pipeline.corridor import Corridor
from proxy_core.pipeline.describing import Describer
from proxy_core.pipeline.picture_fitting import PictureFitter
from proxy_core.pipeline.preview import Preview
from proxy_core.pipeline.prompt_count import PromptCounter
from proxy_core.pipeline.sending import Sender
from proxy_core.pipeline.setup import KeyOf, Setup
from proxy_core.pipeline.side_calls import SideCaller
from proxy_core.pipeline.trimming import Trimmer
from proxy_core.server.desk import Desk
from proxy_core.server.porter import Porter
from proxy_core.server.runner import Listener
from proxy_core.server.scrape import Scrape
from proxy_core.settings import BUILTIN_SERVERS, Server
from proxy_core.stores.bundle import Stores, file_stores
from proxy_core.telemetry.metrics import Metrics
from proxy_core.tokens.count import Encoder
from proxy_core.tokens.learning import Ratio
from proxy_core.upstream.client import UpstreamClient
from proxy_core.upstream.discovery import discover_models
from proxy_core.upstream.doctor import Examination, examine_key
from proxy_core.upstream.probe import Probe
from proxy_core.upstream.retry import Pace
from proxy_core.upstream.trial import KeyTrial, try_key


class Proxy:
    """A proxy on the running loop. setup is asked anew for every request, key_of for every upstream call.

    encoder: loads the token tables; called once, in a thread. routes: further doors of the host (control).
    pace: time and chance of retries. clock: unix seconds. on_listing: told when a client asks for the models.
    stores: what was paid for once, closed by whoever made them; without them it is kept in a temporary folder, for
    this proxy's life.
    """

    def __init__(
        self,
        *,
        setup: Callable[[], Setup],
        key_of: KeyOf,
        bus: EventBus,
        encoder: Callable[[], Encoder],
        routes: Sequence[web.RouteDef] = (),
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
        on_listing: Callable[[], None] = lambda: None,
        stores: Stores | None = None,
    ) -> None:
        self._setup = setup
        self._client = UpstreamClient()
        self._counter = PromptCounter(encoder, is_exact=lambda: setup().settings.enable_accurate_token_counting)
        self._fitter = PictureFitter()
        self._folder: TemporaryDirectory[str] | None = None
        if stores is None:
            self._folder = TemporaryDirectory(prefix="anthropic-proxy-")
            stores = file_stores(Path(self._folder.name), lambda: setup().settings.description_store_mb, clock)
        self.stores = stores
        pace = pace or Pace()
        sender = Sender(self._client, pace, clock, stores.limits)
        self._trimmer = self._make_trimmer(SideCaller(sender, bus, clock), pace.clock, clock)
        self._corridor = corridor = Corridor(
            setup=setup,
            key_of=key_of,
            bus=bus,
            sender=sender,
            trimmer=self._trimmer,
            counter=self._counter,
            fitter=self._fitter,
            pace=pace,
            clock=clock,
            shared=stores.breakers,
        )
        self.metrics = Metrics(bus)
        self._key_of = key_of
        self._probe = Probe(self.try_key, pace.clock)
        scrape = Scrape(self.metrics, sender.throttle, corridor.breakers, stores.descriptions)
        desk = Desk(corridor, lambda: self.in_flight, lambda: self.paused, on_listing, scrape.read, self._look_at)
        self._porter = Porter(setup, desk)
        self._listener = Listener(self._porter, routes)

    def _make_trimmer(self, caller: SideCaller, clock: Callable[[], float], time: Callable[[], float]) -> Trimmer:
        describer = Describer(caller, self.stores.descriptions, self._fitter, clock)
        condenser = Condenser(caller, self._counter.count, self.stores.summaries, clock=clock, time=time)
        return Trimmer(describer, condenser, self._counter, self.stores.ratios, clock)

    @property
    def address(self) -> tuple[str, int] | None:
        """Where it listens; None while it does not."""
        return self._listener.address

    @property
    def in_flight(self) -> int:
        """Chat requests being answered right now."""
        return self._porter.in_flight

    @property
    def paused(self) -> bool:
        """Whether chat requests are answered with 503."""
        return self._porter.paused

    @paused.setter
    def paused(self, value: bool) -> None:
        self._porter.paused = value

    async def start(self) -> None:
        """Open the client session and listen. Raises ListenError and its kind; then nothing is left open."""
        await self._client.open()
        await self.stores.open()
        self._counter.book = await self.stores.ratios.load()
        setup = self._setup()
        try:
            await self._listener.open(setup.settings.host, setup.settings.port, has_key=setup.access_key is not None)
        except BaseException:
            await self._end()
            raise

    async def rebind(self) -> None:
        """Listen where the settings now say. Raises ListenError; the old address then goes on."""
        setup = self._setup()
        await self._listener.rebind(setup.settings.host, setup.settings.port, has_key=setup.access_key is not None)

    async def stop(self, grace_s: float) -> None:
        """Accept nobody, let running requests end for so many seconds, cut the rest with a word, close everything."""
        await self._listener.close_door()
        await self._porter.leave(grace_s)
        await self._end()

    async def _end(self) -> None:
        self._probe.close()
        self.metrics.close()
        await self._listener.close()
        await self._trimmer.close()
        if self._folder is not None:
            await self.stores.close()
        await self._client.close()
        self._counter.close()
        self._fitter.close()
        if self._folder is not None:
            self._folder.cleanup()

    def ratios(self) -> tuple[Ratio, ...]:
        """What was learned of the models' own token figures."""
        return self._counter.book.rows()

    async def preview(self, dialect: Dialect, body: JsonObject) -> Preview:
        """What would become of a request of this dialect; nothing is sent, and no model asked.

        Raises BadRequestError and UnknownModelError, as for a real request.
        """
        return await self._corridor.preview(dialect, body)

    async def _look_at(self, server: Server) -> JsonObject:
        """Whether the server answers, for /health?deep=1."""
        key = await self._key_of(server.name)
        if key is None:
            return {"ok": False, "status": 0, "message": f"There is no key for {server.name}."}
        looked = await self._probe.look(server, key)
        facts = dataclasses.asdict(looked.trial)
        return facts | {"latency_ms": round(looked.trial.latency_ms), "age_s": round(looked.age_s, 1)}

    def reset_breakers(self) -> None:
        """Trust every server again: somebody chose one by hand."""
        self._corridor.breakers.reset()

    def breaker_state(self, server: str) -> str:
        """Whether a server is worth asking: closed (it is), open or half_open."""
        return self._corridor.breakers.of(server).state.value

    def cancel(self, request_id: str) -> bool:
        """Cut off one chat request that runs; False where none has this id."""
        return self._porter.cancel(request_id)

    async def try_key(self, server: Server, key: str) -> KeyTrial:
        """Whether the server takes this key: one tiny request. Never raises for what the upstream does."""
        return await try_key(self._client, self._setup().settings, server, key)

    async def discover_models(self, server: Server, key: str) -> tuple[str, ...]:
        """The ids of the models that a server lists. Raises UpstreamError where it lists none."""
        return await discover_models(self._client, self._setup().settings, server, key)

    async def examine_key(self, key: str, regions: Sequence[Server] = BUILTIN_SERVERS) -> Examination:
        """Which of these regions takes this key, with which plan. Never raises for what the upstreams do."""
        return await examine_key(self._client, self._setup().settings, key, regions=regions)
