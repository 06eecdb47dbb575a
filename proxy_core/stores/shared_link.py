"""The way to the store that several proxies share: a Valkey or Redis server.

It may be slow, away or full at any time, and no request may suffer from that: every question has a short limit, and
after the first fault nothing is asked until a probe in the background finds the server well again. What is done
meanwhile stays with this proxy.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

ANSWER_S = 0.25
"""A request waits no longer for one answer."""
BEAT_S = 1.0
LEASE_MS = 15_000
"""What a proxy holds comes free so long after it was killed; as long as it lives, it says so with every beat."""
PREFIX = "anthropic-proxy:1:"
"""Of all keys. The number changes with the form of what is kept."""
SCHEMES = ("redis", "rediss", "valkey", "valkeys", "unix")
OPTIONS = frozenset(
    {"db", "username", "password", "ssl_ca_certs", "ssl_certfile", "ssl_cert_reqs", "ssl_check_hostname", "ssl_keyfile"}
)
"""What may stand behind the question mark of an address."""
_DAMAGED_KEPT_S = 7 * 86_400
_GIVES_UP_S = 3.0
"""The client leaves a server that is silent for so long; nobody waits for that."""
_END_S = 0.02
_MOST_POSTED = 10_000
_MOST_CONNECTIONS = 32

Word: TypeAlias = str | bytes | int | float
Command: TypeAlias = tuple[Word, ...]


class StoreGoneError(Exception):
    """The shared store does not answer: do it alone. Never leaves the rooms of the stores."""


def check_url(url: str) -> None:
    """Raises ValueError, in words without any part of the URL: it may hold a password."""
    try:
        parts = urlsplit(url)
        is_known, _ = parts.scheme in SCHEMES, parts.port
    except ValueError:
        raise ValueError("the address of the shared store cannot be read") from None
    if not is_known:
        raise ValueError("the address of the shared store must begin with redis://, rediss://, valkey:// or unix://")
    if not parse_qs(parts.query, keep_blank_values=True).keys() <= OPTIONS:
        raise ValueError("the address of the shared store has unknown options; known are " + ", ".join(sorted(OPTIONS)))
    if not (parts.path.strip("/") if parts.scheme == "unix" else parts.hostname):
        raise ValueError("the address of the shared store names no " + ("path" if parts.scheme == "unix" else "host"))


def secrets_of(url: str) -> tuple[str, ...]:
    """The passwords in an address, as they stand there and as they are meant."""
    parts = urlsplit(url)
    found = [parts.password or "", *parse_qs(parts.query).get("password", ())]
    return tuple(dict.fromkeys(form for one in found if one for form in (one, unquote(one))))


class SharedLink:
    """One proxy's connections. say: told once when the store goes and once when it is back. Made and used on a loop.

    name: of this proxy, for what it holds.
    """

    def __init__(self, url: str, say: Callable[[str], None]) -> None:
        check_url(url)
        self.name = uuid.uuid4().hex[:12]
        self.place = _place(url)
        self.is_up = False
        self._url = url
        self._say = say
        self._was_told_gone = False
        self._reason = ""
        self._client: Redis | None = None
        self._posted: deque[Sequence[Command]] = deque(maxlen=_MOST_POSTED)
        self._has_post = asyncio.Event()
        self._each_beat: list[Callable[[], Awaitable[None]]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._talks: set[asyncio.Task[list[object] | Exception]] = set()

    async def open(self) -> None:
        """Look for the store, and go on looking. Idempotent; never raises for the store."""
        if self._client is not None:
            return
        self._client = await asyncio.to_thread(_client, self._url)
        await self._probe()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._beat(), name="shared store beat"),
            loop.create_task(self._carry(), name="shared store post"),
        ]

    async def close(self) -> None:
        """Carry what is posted, then leave. Idempotent."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while self._posted and self.is_up:
            await self._carry_one()
        client, self._client, self.is_up = self._client, None, False
        while self._talks:
            for talk in self._talks:
                talk.cancel()
            await asyncio.wait(self._talks, timeout=_END_S)
        if client is not None:
            await client.aclose()

    def on_beat(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do this every BEAT_S while the store is there. work: may raise StoreGoneError."""
        self._each_beat.append(work)

    async def ask(self, *words: Word, within_s: float = ANSWER_S) -> object:
        """The answer to one command; None where its key holds something else. Raises StoreGoneError."""
        return (await self.ask_all([words], within_s))[0]

    async def ask_all(self, commands: Sequence[Command], within_s: float = ANSWER_S) -> list[object]:
        """The answers to several commands, sent at once. Raises StoreGoneError."""
        if not self.is_up:
            raise StoreGoneError
        return await self._send(commands, within_s)

    def post(self, *commands: Command) -> None:
        """Have this done soon and in order; it is lost where the store is gone."""
        if self.is_up:
            self._posted.append(commands)
            self._has_post.set()

    def set_aside(self, key: str) -> None:
        """Move a damaged value out of the way, for a person to look at."""
        log.warning("A value of the shared store was damaged; it lies aside there as %s:damaged.", key)
        self.post(("RENAME", key, f"{key}:damaged"), ("EXPIRE", f"{key}:damaged", _DAMAGED_KEPT_S))

    async def _send(self, commands: Sequence[Command], within_s: float) -> list[object]:
        """The client works in a task of its own: on Python 3.11 it loses cancellations that reach it."""
        if self._client is None:
            raise StoreGoneError
        talk = asyncio.get_running_loop().create_task(_talk(self._client, commands), name="shared store talk")
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        await asyncio.wait({talk}, timeout=within_s)
        answer = talk.result() if talk.done() and not talk.cancelled() else TimeoutError()
        if isinstance(answer, Exception):
            self._lost(answer)
            raise StoreGoneError
        return answer

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                if not self.is_up:
                    await self._probe()
                for work in self._each_beat if self.is_up else ():
                    await work()
            except StoreGoneError:
                continue
            except Exception:  # a supervisor's border: the beat goes on
                log.exception("The shared store could not be tended")

    async def _probe(self) -> None:
        try:
            await self._send([("PING",)], ANSWER_S)
        except StoreGoneError:
            self._tell_gone()
            return
        self.is_up = True
        if self._was_told_gone:
            self._was_told_gone = False
            self._tell(logging.INFO, f"The shared store at {self.place} is used again.")

    async def _carry(self) -> None:
        while True:
            await self._has_post.wait()
            self._has_post.clear()
            while self._posted:
                await self._carry_one()

    async def _carry_one(self) -> None:
        commands = self._posted.popleft()
        try:
            await self.ask_all(commands)
        except StoreGoneError:
            self._posted.clear()

    def _lost(self, error: Exception) -> None:
        """Nothing is said yet: a busy second is no loss. The error's text stays out: libraries quote addresses."""
        self.is_up, self._reason = False, type(error).__name__
        self._posted.clear()

    def _tell_gone(self) -> None:
        if not self._was_told_gone:
            self._was_told_gone = True
            words = f"The shared store at {self.place} cannot be used ({self._reason}): this proxy goes on by itself."
            self._tell(logging.WARNING, words)

    def _tell(self, level: int, sentence: str) -> None:
        log.log(level, sentence)
        self._say(sentence)


async def _talk(client: Redis, commands: Sequence[Command]) -> list[object] | Exception:
    """The answers, or why there are none."""
    from redis.exceptions import RedisError  # the library is loaded by those who share a store

    try:
        async with client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            return [_without_fault(answer) for answer in await pipeline.execute(raise_on_error=False)]
    except (RedisError, OSError, TimeoutError) as error:
        return error


def _without_fault(answer: object) -> object:
    """An answer; None where only the key was wrong. Raises what else the server complains of: it takes nothing."""
    if not isinstance(answer, Exception):
        return answer
    if "WRONGTYPE" in str(answer) or "no such key" in str(answer):
        return None
    raise answer


def _place(url: str) -> str:
    """What may be told of a URL."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or 6379}"


def _client(url: str) -> Redis:
    """Slow the first time: it loads the library."""
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    scheme, rest = url.split(":", 1)
    known: dict[str, Literal["redis", "rediss"]] = {"valkey": "redis", "valkeys": "rediss"}
    pool = BlockingConnectionPool.from_url(
        f"{known.get(scheme, scheme)}:{rest}",
        max_connections=_MOST_CONNECTIONS,
        timeout=ANSWER_S,
        protocol=2,
        socket_timeout=_GIVES_UP_S,
        socket_connect_timeout=_GIVES_UP_S,
        retry=Retry(NoBackoff(), 1),
    )
    return Redis.from_pool(pool)
