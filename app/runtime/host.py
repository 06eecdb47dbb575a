"""Runtime: the one place where everything is put together, started, changed and stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from aiohttp import web

from app.demo import DemoUpstream
from app.history.keeper import HistoryKeeper
from app.history.reading import History
from app.history.writer import Bounds
from app.logs import hide, tell_trouble
from app.logs.access import log_exchange
from app.paths import STATS_FOLDER, cache_folder, resources
from app.runtime.access import choose_access_key, keep_access_key
from app.runtime.ending import to_the_end
from app.runtime.importing import found_keys, found_notices
from app.runtime.keychain import KeyChain, given_keys
from app.runtime.keyverbs import KeyVerbs
from app.runtime.log_setup import LOGGING_FIELDS, configure_logging, tell_on_loop
from app.runtime.models import ModelWatch
from app.runtime.setup import authority, failover_server, make_setup, reachable_host
from app.runtime.supervisor import Supervisor
from app.secrets import SecretStore
from app.settings.book import ServerBook
from app.settings.keys import ACCESS_KEY_USER
from app.settings.load import DEMO_SERVER, Loaded
from app.settings.problems import SettingProblem, SettingsRefusedError
from app.settings.schema import Settings
from app.settings.store import SettingsStore
from app.state import AppState
from proxy_core.dialects.table import DIALECTS
from proxy_core.events import EventBus
from proxy_core.jsontypes import JsonObject
from proxy_core.pipeline.preview import Preview
from proxy_core.pipeline.setup import Setup
from proxy_core.server.proxy import Proxy
from proxy_core.server.runner import ListenError
from proxy_core.settings import DialectName, Server
from proxy_core.stores.bundle import open_stores
from proxy_core.stores.descriptions import DescriptionStore
from proxy_core.stores.shared_link import secrets_of
from proxy_core.telemetry.meter import Meter
from proxy_core.telemetry.series import STEP_S
from proxy_core.tokens.learning import Ratio
from proxy_core.tokens.tables import load_encoder

Address: TypeAlias = tuple[str, int]
_LISTENING_FIELDS = ("host", "port", "require_access_key")


class Runtime(KeyVerbs):
    """The program without a face.

    demo: add the built-in server. routes: further doors, made when this object is. announce: told where this
    computer reaches the proxy, and None when it no longer listens. Made and used on one loop.
    """

    def __init__(
        self,
        home: Path,
        loaded: Loaded,
        *,
        demo: bool,
        secrets: SecretStore,
        routes: Callable[[Runtime], Sequence[web.RouteDef]] = lambda _: (),
        announce: Callable[[Address | None], None] = lambda _: None,
    ) -> None:
        self.home = home
        self.loaded = loaded
        self.started_at = time.time()
        self.bus = EventBus()
        self.meter = Meter(self.bus, time.time)
        self.bus.subscribe(log_exchange)
        self.state = AppState(self.bus, self.meter)
        self.store = SettingsStore(loaded)
        self.servers = ServerBook(home, loaded.servers)
        self.secrets = secrets
        self.keys = KeyChain(secrets, given_keys(loaded), found_keys(loaded), time.monotonic)
        self.access_key = loaded.secrets.proxy_access_key
        self.found_keys = loaded.found_keys
        self._demo = DemoUpstream() if demo else None
        self._routes = routes(self)
        self._announce = announce
        self._tasks = Supervisor()
        self._changing = asyncio.Lock()
        self._stopping = asyncio.Lock()
        self._is_stopped = self._is_cut = self._wants_to_listen = False
        self._unsaid: list[str] = []
        cache = cache_folder(home, loaded.settings.cache_dir)
        shared = loaded.secrets.shared_store
        for secret in secrets_of(shared):
            hide(secret)
        self.stores = open_stores(shared, cache, lambda: self.store.current.description_store_mb, time.time, self._say)
        self._keeper = HistoryKeeper(home / STATS_FOLDER, self.bus, self._history_bounds, self._say, time.time)
        self._grace: asyncio.Timeout | None = None
        self._setup: Setup | None = None
        self.proxy = self._make_proxy()
        self.models = ModelWatch(
            lambda: self._current_setup().server,
            self.keys.key_of,
            lambda server, key: self.proxy.discover_models(server, key),
            self._forget_setup,
        )

    def _forget_setup(self) -> None:
        self._setup = None

    def _renew_proxy(self) -> None:
        """One that failed to start, or was stopped, does not start again."""
        paused = self.proxy.paused
        self.proxy = self._make_proxy()
        self.proxy.paused = paused

    def _make_proxy(self) -> Proxy:
        return Proxy(
            setup=self._current_setup,
            key_of=self.keys.key_of,
            bus=self.bus,
            encoder=lambda: load_encoder(resources() / "tokenizers"),
            routes=self._routes,
            on_listing=lambda: self.models.nudge(),
            stores=self.stores,
        )

    def _current_setup(self) -> Setup:
        if self._setup is None:
            hide(self.access_key)
            self._setup = make_setup(self.store.current, self.servers, self.access_key, self.models.models_of)
        return self._setup

    async def start(self, *, port: int | None = None) -> None:
        """Listen and begin to measure. Raises ListenError and its kind; then start() or apply() may try again.

        port: listen there in this run, whatever the settings say.
        """
        if self._demo is not None and DEMO_SERVER not in self.servers.names():
            self.servers.add_extra(await self._demo.start())
        if port is not None:
            self.store.use(self.store.check({"port": port}))
        self._setup = None
        self._unsaid = [*self.loaded.notices, *await self._settle_access(), *self._write_first_servers()]
        self._unsaid += found_notices(self.found_keys)
        self._wants_to_listen = True
        await self._listen()
        self._begin()
        self._show()

    async def _listen(self) -> None:
        try:
            await self.proxy.start()
        except BaseException:
            self._renew_proxy()
            raise

    def _begin(self) -> None:
        """It listens, and will go on: measure, and say what there is to say."""
        self._wants_to_listen = False
        tell_on_loop(self._say)
        self._keeper.start()
        self._tasks.start("meter", self._measure())
        self._tasks.start("keys", self._look_for_key())
        self._tasks.start("models", self.models.run())
        self._tell(self._unsaid)

    async def stop(self) -> None:
        """End everything: accept nobody, let streams end within the grace, cut the rest. Idempotent."""
        async with self._stopping:
            if self._is_stopped:
                return
            self._is_stopped, self._wants_to_listen = True, False
            self._announce(None)
            tell_trouble(None)
            await self._leave()
            await self._tasks.close()
            await self.stores.close()
            await self._keeper.close()
            if self._demo is not None:
                await self._demo.stop()
            self.state.show_listening("")
            self.state.close()
            self.meter.close()

    async def _leave(self) -> None:
        grace_s = 0.0 if self._is_cut else self.store.current.shutdown_grace
        try:
            async with asyncio.timeout(None) as self._grace:
                await self.proxy.stop(grace_s)
        except TimeoutError:  # cut() was called meanwhile
            await self.proxy.stop(0)

    def cut(self) -> None:
        """Wait for streams no longer, neither in a stop() that runs nor in one to come."""
        self._is_cut = True
        if self._grace is not None and not self._grace.expired():
            self._grace.reschedule(asyncio.get_running_loop().time())

    async def _measure(self) -> None:
        while True:
            due = time.monotonic() + STEP_S
            await asyncio.sleep(STEP_S)
            self.proxy.metrics.note_lag(time.monotonic() - due)
            self.meter.sample(time.time())

    async def _look_for_key(self) -> None:
        """Ask the keyring before the first request does, and say so if it cannot be asked."""
        await self.keys.key_of(self.store.current.current_server)
        if self.secrets.problem:
            self.state.add_notice(self.secrets.problem)

    @property
    def descriptions(self) -> DescriptionStore:
        """What pictures were described as."""
        return self.stores.descriptions

    @property
    def history(self) -> History:
        """What was settled, in this run and before; read it in a thread."""
        return self._keeper.history

    def _history_bounds(self) -> Bounds:
        return Bounds(self.store.current.history_days, self.store.current.history_mb)

    def ratios(self) -> tuple[Ratio, ...]:
        """What was learned of the models' own token figures."""
        return self.proxy.ratios()

    async def dry_run(self, dialect: str, body: JsonObject) -> Preview:
        """What would become of a request of this dialect ("anthropic", "openai"): nothing is sent, no model asked.

        Raises KeyError for an unknown dialect, and ProxyError as a real request would.
        """
        return await self.proxy.preview(DIALECTS[dialect], body)

    def pause(self) -> None:
        """Answer requests with 503 until resume()."""
        self.proxy.paused = True
        self.state.show_paused(True)

    def resume(self) -> None:
        """Take requests again."""
        self.proxy.paused = False
        self.state.show_paused(False)

    async def switch_server(self, name: str) -> None:
        """Send requests to this server, from the next one on. Raises UnknownServerError."""
        await self.apply({"current_server": self.servers.get(name).name})
        self.proxy.reset_breakers()

    async def apply(self, changes: Mapping[str, object]) -> None:
        """Change settings, here and in config.yaml, all or none; listen if start() could not.

        Raises SettingsRefusedError (a bad value), UnknownServerError, ListenError (the address cannot be had)
        and OSError (the file cannot be written); then everything is as before.
        """
        async with self._changing:
            before, key_before = self.store.current, self.access_key
            after = self.store.check(changes)
            self.servers.get(after.current_server)
            failover_server(after, self.servers)
            self.store.use(after)
            was_listening = self.proxy.address is not None
            try:
                self.access_key, is_made = await choose_access_key(self.keys, is_demanded=after.require_access_key)
                await self._rebind(retry=any(name in changes for name in _LISTENING_FIELDS))
                saving = asyncio.to_thread(self.store.save, before, self._kept_out(), changes)
                unsaved, is_cancelled = await to_the_end(saving)
            except BaseException:
                await to_the_end(self._take_back(before, key_before, was_listening=was_listening))
                raise
            self._after_change(before, began=self._wants_to_listen and self.proxy.address is not None)
            self._tell([self._unsaved_notice(name) for name in unsaved])
            if is_made and self.access_key is not None:
                self.keys.hold(ACCESS_KEY_USER, self.access_key)
                self._tasks.start("access key", self._keep_access_key(self.access_key))
            if is_cancelled:
                raise asyncio.CancelledError

    async def _keep_access_key(self, made: str) -> None:
        self._tell([await keep_access_key(self.keys, self.secrets, made)])

    async def _take_back(self, before: Settings, key_before: str | None, *, was_listening: bool) -> None:
        self.store.use(before)
        self.access_key = key_before
        if self.proxy.address is not None and not was_listening:
            await self.proxy.stop(0)
            self._renew_proxy()
        try:
            await self._rebind(retry=False)
        except ListenError as error:  # another program was quicker: better a proxy elsewhere than none
            self._tell([str(error)])
            self._show()

    def _kept_out(self) -> Collection[str]:
        """What must not be written: the demo is not there at the next start."""
        named = {field: getattr(self.store.current, field) for field in ("current_server", "failover_server")}
        return tuple(field for field, name in named.items() if self.servers.is_extra(name))

    async def _rebind(self, *, retry: bool) -> None:
        """Listen where the current settings say; refused where an open address would lose its access key.

        retry: begin to listen if start() could not.
        """
        self._setup = None
        if self.proxy.address is not None:
            await self.proxy.rebind()
        elif retry and self._wants_to_listen:
            await self._listen()

    def _after_change(self, before: Settings, *, began: bool) -> None:
        after = self.store.current
        if began:
            self._begin()
        if any(getattr(after, name) != getattr(before, name) for name in LOGGING_FIELDS):
            configure_logging(after)
        if after.current_server != before.current_server:
            self._tasks.start("keys", self._look_for_key())
            self.proxy.reset_breakers()
        self._show()

    def _unsaved_notice(self, field: str) -> str:
        value = getattr(self.store.current, field)
        return f"{field} = {value} holds for this run only: {self.store.fixed_by(field)} decides at the next start."

    async def put_server(self, server: Server) -> None:
        """Add or change a server. Raises SettingsRefusedError and OSError."""
        async with self._changing:
            await self._edit_servers(asyncio.to_thread(self.servers.put, server))

    async def remove_server(self, name: str) -> None:
        """Remove a server that is not in use. Raises SettingsRefusedError, UnknownServerError, OSError."""
        async with self._changing:
            other = failover_server(self.store.current, self.servers)
            if self.servers.get(name) in (other, self.servers.get(self.store.current.current_server)):
                raise SettingsRefusedError([SettingProblem("servers", name, "is in use; switch to another first")])
            await self._edit_servers(asyncio.to_thread(self.servers.remove, name))

    async def _edit_servers(self, editing: Coroutine[object, object, None]) -> None:
        _, is_cancelled = await to_the_end(editing)
        self._setup = None
        self._show()
        if is_cancelled:
            raise asyncio.CancelledError

    async def _settle_access(self) -> list[str]:
        demanded = self.store.current.require_access_key
        self.access_key, is_made = await choose_access_key(self.keys, is_demanded=demanded)
        made = self.access_key if is_made else None
        return [] if made is None else [await keep_access_key(self.keys, self.secrets, made)]

    def base_url(self, dialect: DialectName | str) -> str:
        """What a client of this dialect must be given; "" while nothing listens."""
        address = self.proxy.address
        if address is None:
            return ""
        suffix = "/v1" if DialectName(dialect) is DialectName.OPENAI else ""
        return f"http://{authority(address)}{suffix}"

    def _show(self) -> None:
        address = self.proxy.address
        self.state.show_servers(self.store.current.current_server, self.servers.names())
        self.state.show_listening(authority(address) if address else "")
        self._announce((reachable_host(address[0]), address[1]) if address else None)

    def _say(self, sentence: str) -> None:
        self._tell([sentence])

    def _tell(self, notices: list[str]) -> None:
        for notice in notices:
            self.state.add_notice(notice)

    def _write_first_servers(self) -> list[str]:
        try:
            self.servers.write_first()
        except OSError as error:
            return [f"Nothing can be kept in {self.home}: {error.strerror}."]
        return []
