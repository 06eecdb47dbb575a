"""The calls for descriptions: one a picture, few at a time, with a memory for failures.

They outlive the request that began them, whose client may have left: they are paid for, and the next turn needs them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from proxy_core.chat import Answer, Conversation, Image, Message, StopReason, Text
from proxy_core.context.picture_prompt import ask_about, hint_of
from proxy_core.context.pictures import Standing, clean_description, is_nonsense
from proxy_core.errors import ErrorKind, ProxyError
from proxy_core.ledger import SideCall, Stage
from proxy_core.pictures import needs_fitting
from proxy_core.pipeline.backoff import Backoff
from proxy_core.pipeline.picture_fitting import PictureFitter
from proxy_core.pipeline.setup import Setup
from proxy_core.pipeline.side_calls import SideCaller
from proxy_core.routing.route import Route, choose_route
from proxy_core.stores.descriptions import DescriptionStore, Draft

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 4
MOST_UNDER_WAY = 64
"""Each holds a picture in memory."""
LONGEST_S = 120.0
"""No call takes longer, whether or not somebody waits."""
PICTURE_REST_S, SERVER_REST_S, LONGEST_REST_S = 30.0, 2.0, 3600.0
_LOOK_AGAIN_S = 0.2
"""While another proxy on the same store describes the picture."""
_THINKING_TOKENS = 2_048
"""For models that cannot do without, and whose thinking counts as output."""
_CHARS_PER_TOKEN = 8
"""More than any language has: a bound for upstreams that ignore max_tokens."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """text: "" where there is none. call: what was paid for it."""

    text: str = ""
    call: SideCall | None = None


@dataclass(frozen=True, slots=True)
class _Errand:
    """All that one call needs; not the conversation, which would stay in memory."""

    digest: str
    image: Image
    question: Conversation
    context: str
    route: Route
    key: str
    setup: Setup

    @property
    def picture_name(self) -> tuple[str, str, str]:
        return self.digest, self.route.server.name, self.route.model

    @property
    def server_name(self) -> tuple[str, str, str]:
        return self.route.server.name, self.route.model, self.key


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[Outcome]
    began: float


class Flights:
    """Owns the calls under way. clock: seconds that never go back."""

    def __init__(
        self, caller: SideCaller, store: DescriptionStore, fitter: PictureFitter, clock: Callable[[], float]
    ) -> None:
        self._caller = caller
        self._store = store
        self._fitter = fitter
        self._clock = clock
        self._places = asyncio.Semaphore(SIDE_BY_SIDE)
        self._under_way: dict[str, _Flight] = {}
        self._pictures = Backoff(clock, PICTURE_REST_S, LONGEST_REST_S)
        self._servers = Backoff(clock, SERVER_REST_S, LONGEST_REST_S)
        self._is_closed = False

    async def wait_for(
        self, pictures: dict[str, Standing], conversation: Conversation, setup: Setup, key: str
    ) -> dict[str, Outcome]:
        """What became of them within IMAGE_DESCRIPTION_TIMEOUT, by digest. `call` only where this request began it.

        A call that some request waited for in vain is not waited for again.
        """
        flights = {digest: self._under_way[digest] for digest in pictures if digest in self._under_way}
        own: dict[str, _Flight] = {}
        for digest, standing in pictures.items():
            if digest not in flights and (flight := self._begin(digest, standing, conversation, setup, key)):
                own[digest] = flight
        budget_s, now = setup.settings.image_description_timeout, self._clock()
        awaited = [one.task for one in (flights | own).values() if now - one.began < budget_s]
        if awaited:
            await asyncio.wait(awaited, timeout=budget_s)
        ended = {digest: _outcome(flight.task) for digest, flight in (flights | own).items() if flight.task.done()}
        return {digest: one if digest in own else Outcome(one.text) for digest, one in ended.items()}

    async def close(self) -> None:
        """Cut them off."""
        self._is_closed = True
        tasks = [flight.task for flight in self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(
        self, digest: str, standing: Standing, conversation: Conversation, setup: Setup, key: str
    ) -> _Flight | None:
        """None where it failed not long ago, where there is nothing to look at, or too much is under way."""
        is_empty = not (standing.image.data or standing.image.url)
        if self._is_closed or is_empty or len(self._under_way) >= MOST_UNDER_WAY:
            return None
        errand = _errand(digest, standing, conversation, setup, key)
        if not self._may_try(errand):
            return None
        task = asyncio.get_running_loop().create_task(self._fly(errand), name=f"describe {digest[:8]}")
        flight = self._under_way[digest] = _Flight(task, self._clock())
        task.add_done_callback(lambda _: self._under_way.pop(digest, None))
        return flight

    def _may_try(self, errand: _Errand) -> bool:
        return self._pictures.may_try(errand.picture_name) and self._servers.may_try(errand.server_name)

    async def _fly(self, errand: _Errand) -> Outcome:
        try:
            async with self._places:
                return await self._describe(errand)
        except ProxyError as error:
            log.info("A picture could not be described: %s (%s).", error.kind.value, error.code or error.status)
            self._blame(errand, error)
        except Exception:  # a border: nobody's request may fail for a description
            log.exception("A picture could not be described.")
            self._pictures.failed(errand.picture_name)
        return Outcome()

    async def _describe(self, errand: _Errand) -> Outcome:
        """Asks, unless another's call ended, or the server failed, while this one waited. Raises ProxyError."""
        ends = self._clock() + LONGEST_S
        while True:
            is_claimed = await self._store.claim(errand.digest)
            try:
                kept = await self._store.get(errand.digest)
                if kept is not None and not kept.is_to_be_made_again:
                    return Outcome(kept.text)
                if not self._may_try(errand):
                    return Outcome()
                if is_claimed or self._clock() >= ends:
                    return await self._ask(errand)
            finally:
                await self._store.unclaim(errand.digest)
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _ask(self, errand: _Errand) -> Outcome:
        """Raises ProxyError."""
        question = errand.question
        if needs_fitting(question):
            question = await self._fitter.fit(question)
        answer = await self._caller.ask(
            Stage.PICTURES, question, errand.route, errand.key, errand.setup.settings, LONGEST_S
        )
        self._servers.worked(errand.server_name)
        call = SideCall(Stage.PICTURES, errand.route.model, answer.usage)
        text = _read(answer, errand.setup.settings.image_description_max_tokens)
        if not text:
            log.info("A picture was answered with nothing that describes it (%s).", answer.stop.value)
            self._pictures.failed(errand.picture_name)
            return Outcome("", call)
        self._pictures.worked(errand.picture_name)
        draft = Draft(errand.digest, text, errand.route.model, errand.image, errand.context)
        return Outcome((await self._store.put(draft)).text, call)

    def _blame(self, errand: _Errand, error: ProxyError) -> None:
        """A refused picture is refused again; everything else may be the server's trouble."""
        is_picture = error.kind is ErrorKind.BAD_REQUEST
        self._pictures.failed(errand.picture_name, LONGEST_REST_S if is_picture else error.retry_after_s or 0.0)
        if not is_picture:
            self._servers.failed(errand.server_name, error.retry_after_s or 0.0)


def _errand(digest: str, standing: Standing, conversation: Conversation, setup: Setup, key: str) -> _Errand:
    """The vision model of the same server, asked as a client would ask it for a picture."""
    settings = setup.settings
    alone = Conversation("", settings.autovision_model, (Message("user", (standing.image,)),))
    route = choose_route(alone, settings, setup.server, setup.discovered)
    tokens = settings.image_description_max_tokens
    room = tokens + _THINKING_TOKENS if route.facts.thinking == "always" else tokens
    question = replace(ask_about(conversation, standing, words_tokens=tokens, max_tokens=room), model=route.model)
    route = replace(route, reason="a picture to describe")
    return _Errand(digest, standing.image, question, hint_of(conversation, standing.index), route, key, setup)


def _read(answer: Answer, max_tokens: int) -> str:
    """The description in an answer; "" where there is none."""
    text = clean_description("".join(part.text for part in answer.parts if isinstance(part, Text)))
    if answer.stop is StopReason.REFUSAL or is_nonsense(text):
        return ""
    most = max_tokens * _CHARS_PER_TOKEN
    is_cut = answer.stop is StopReason.MAX_TOKENS or len(text) > most
    return text[:most] + "…" if is_cut else text


def _outcome(task: asyncio.Task[Outcome]) -> Outcome:
    return Outcome() if task.cancelled() else task.result()
