"""Smaller prompts: the edits in their order, each with what it did written into the ledger.

volatile lines → old environment blocks → old pictures → (the route is chosen) → the oldest turns

What an answer reports is heard here again: token ratios are learned, and edits that cost a session the upstream's cache
end for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from proxy_core.chat import Conversation, Text, all_parts
from proxy_core.context.edits import Edited
from proxy_core.context.environment import drop_old_environments
from proxy_core.context.environment_blocks import OPENING
from proxy_core.context.sessions import Hold, SessionGates, Turn, edit_within, session_of
from proxy_core.context.volatile import steady_prefix
from proxy_core.events import Exchange
from proxy_core.ledger import NOTHING_DONE, Cut, Ledger, SideCall, Stage
from proxy_core.pipeline.condensing import Condensed, Condenser
from proxy_core.pipeline.describing import Described, Describer
from proxy_core.pipeline.prompt_count import BegunCount, PromptCounter
from proxy_core.pipeline.setup import Setup
from proxy_core.routing.route import Route
from proxy_core.settings import ProxySettings
from proxy_core.stores.ratios import RatioStore
from proxy_core.tokens.guess import guess_tokens

log = logging.getLogger(__name__)

_SURE_SAMPLES = 30
_SAMPLE_EVERY = 8
"""Once a model is known well, only so many of its requests are counted to learn from."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What must be known of a trimmed conversation until its answer is complete: not the conversation itself, which a
    long stream would keep in memory. messages: how many the client sent."""

    session: str
    ledger: Ledger
    messages: int


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A conversation on its way through the edits. original: as the client sent it; session: whose it is.

    whole: the conversation before a summary took the place of its oldest turns; None: none did.
    """

    original: Conversation
    conversation: Conversation
    session: str = ""
    ledger: Ledger = NOTHING_DONE
    holds: dict[Stage, Hold] = field(default_factory=dict)
    whole: Conversation | None = None

    @property
    def trace(self) -> Trace:
        """What `Trimmer.settle` needs."""
        return Trace(self.session, self.ledger, len(self.original.messages))

    def with_edit(
        self, conversation: Conversation, cuts: tuple[Cut, ...], side_calls: tuple[SideCall, ...] = ()
    ) -> Trimmed:
        """The same after one more edit."""
        ledger = replace(
            self.ledger, cuts=(*self.ledger.cuts, *cuts), side_calls=(*self.ledger.side_calls, *side_calls)
        )
        return replace(self, conversation=conversation, ledger=ledger)


class Trimmer:
    """Trims for all requests of one proxy. clock: seconds that never go back."""

    def __init__(
        self,
        describer: Describer,
        condenser: Condenser,
        counter: PromptCounter,
        ratios: RatioStore,
        clock: Callable[[], float],
    ) -> None:
        self._describer = describer
        self._condenser = condenser
        self._counter = counter
        self._ratios = ratios
        self._clock = clock
        self._gates = SessionGates()
        self._answered = 0

    async def trim(self, conversation: Conversation, setup: Setup, key: str) -> Trimmed:
        """All edits that do not depend on the model. key: for the calls of our own that they may need."""
        session = session_of(conversation)
        holds = dict(self._gates.held_back(session))
        ledger = Ledger(held_back=tuple(holds), why_held_back=tuple([hold.why for hold in holds.values()]))
        trimmed = Trimmed(conversation, conversation, session, ledger, holds)
        trimmed = self._steadied(trimmed, setup.settings)
        trimmed = await self._without_environments(trimmed, setup.settings)
        return await self._with_old_pictures_told(trimmed, setup, key)

    async def condense(self, trimmed: Trimmed, route: Route, key: str, setup: Setup, body_bytes: int) -> Trimmed:
        """With the oldest turns summarised where this route's model needs it."""
        done = await self._condenser.condense(trimmed.original, trimmed.conversation, route, key, setup, body_bytes)
        return _condensed(trimmed, done)

    async def condense_now(self, trimmed: Trimmed, route: Route, key: str, setup: Setup) -> Trimmed | None:
        """Shorter than before, since the upstream called it too long; None where that cannot be had."""
        whole = trimmed.conversation if trimmed.whole is None else trimmed.whole
        refused = len(trimmed.conversation.messages)
        done = await self._condenser.condense_now(trimmed.original, whole, route, key, setup, refused)
        bare = replace(trimmed, conversation=whole, ledger=_without_summary(trimmed.ledger), whole=None)
        return _condensed(bare, done) if done.cuts else None

    async def preview(self, conversation: Conversation, setup: Setup) -> Trimmed:
        """As `trim`, with what is known already and without asking any model."""
        settings = setup.settings.model_copy(update={"generate_image_descriptions": False})
        return await self.trim(conversation, replace(setup, settings=settings), "")

    async def preview_condensed(self, trimmed: Trimmed, route: Route, setup: Setup) -> Trimmed:
        """As `condense`, with the summaries that there are."""
        done = await self._condenser.preview(trimmed.original, trimmed.conversation, route, "", setup)
        return _condensed(trimmed, done)

    def wants_sample(self, model: str) -> bool:
        """Whether the next request of this model should be counted to learn from it."""
        return self._counter.book.samples(model) < _SURE_SAMPLES or self._answered % _SAMPLE_EVERY == 0

    def settle(self, trace: Trace, begun: BegunCount, exchange: Exchange) -> None:
        """The exchange has its outcome: fill in its ledger and learn from it.

        begun: the count of what was traced, which a refusal may have shortened since.
        """
        self._answered += 1
        estimate = begun.estimate
        if estimate is not None:
            is_as_counted = exchange.ledger is trace.ledger
            exchange.ledger = replace(exchange.ledger, tokens_before=begun() + trace.ledger.saved_tokens)
            estimate = estimate if is_as_counted else None
        if exchange.outcome != "done" or not exchange.usage.prompt_tokens:
            return
        if self._counter.learn(exchange.served_model, estimate, exchange.usage.prompt_tokens):
            self._ratios.note(self._counter.book)
        place = f"{exchange.server}/{exchange.served_model}"
        turn = Turn(exchange.ledger, exchange.usage, place, trace.messages, self._clock())
        for hold in self._gates.observe(trace.session, turn):
            log.warning("%s: %s", exchange.id, hold.why)

    async def close(self) -> None:
        """End what is under way."""
        await self._describer.close()
        await self._condenser.close()

    def _steadied(self, trimmed: Trimmed, settings: ProxySettings) -> Trimmed:
        """A line of some sixty characters: a guess at its tokens does."""
        if not settings.strip_volatile_prefixes:
            return trimmed
        edited = steady_prefix(trimmed.conversation, guess_tokens)
        return trimmed.with_edit(edited.conversation, edited.cuts)

    async def _without_environments(self, trimmed: Trimmed, settings: ProxySettings) -> Trimmed:
        strategy = settings.environment_deduplication_strategy
        if not settings.enable_environment_deduplication or strategy == "off" or not _has_environment(trimmed):
            return trimmed
        hold = trimmed.holds.get(Stage.ENVIRONMENT)

        def edit(conversation: Conversation) -> Edited:
            return drop_old_environments(conversation, strategy, self._counter.tokens_of)

        if hold is None:
            edited = await self._counter.in_thread(edit, trimmed.conversation)
        else:
            edited = await self._counter.in_thread(edit_within, trimmed.conversation, hold.messages, edit)
        return trimmed.with_edit(edited.conversation, edited.cuts)

    async def _with_old_pictures_told(self, trimmed: Trimmed, setup: Setup, key: str) -> Trimmed:
        conversation, hold = trimmed.conversation, trimmed.holds.get(Stage.PICTURES)
        if hold is None:
            done = await self._describer.replace(conversation, setup, key, guess_tokens)
            return trimmed.with_edit(done.conversation, done.cuts, done.side_calls)
        done = await self._described_within(conversation, hold.messages, setup, key)
        return trimmed.with_edit(done.conversation, done.cuts, done.side_calls)

    async def _described_within(self, conversation: Conversation, messages: int, setup: Setup, key: str) -> Described:
        """As if the conversation had ended after so many messages: the rest goes as it came."""
        head = replace(conversation, messages=conversation.messages[:messages])
        done = await self._describer.replace(head, setup, key, guess_tokens)
        if not done.cuts:
            return Described(conversation, (), done.side_calls)
        whole = (*done.conversation.messages, *conversation.messages[messages:])
        return replace(done, conversation=replace(conversation, messages=whole))


def _has_environment(trimmed: Trimmed) -> bool:
    return any(isinstance(part, Text) and OPENING in part.text for part in all_parts(trimmed.conversation))


def _condensed(trimmed: Trimmed, done: Condensed) -> Trimmed:
    edited = trimmed.with_edit(done.conversation, done.cuts, done.side_calls)
    return replace(edited, whole=trimmed.conversation) if done.cuts else edited


def _without_summary(ledger: Ledger) -> Ledger:
    return replace(ledger, cuts=tuple([cut for cut in ledger.cuts if cut.stage is not Stage.SUMMARY]))
