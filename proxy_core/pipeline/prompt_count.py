"""How many tokens a prompt has, counted beside the waiting for the upstream and never in its way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Literal, ParamSpec, TypeAlias, TypeVar

from proxy_core.chat import Conversation
from proxy_core.errors import ProxyError
from proxy_core.pipeline.daemon_thread import DaemonThread
from proxy_core.tokens.content import Estimate
from proxy_core.tokens.count import Encoder, estimate_conversation
from proxy_core.tokens.guess import BYTES_PER_TOKEN, guess_tokens
from proxy_core.tokens.learning import RatioBook
from proxy_core.tokens.memory import TextMemory

log = logging.getLogger(__name__)

MOST_BEGUN = 4
_EncoderSource = Callable[[], Encoder]
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

TokenSource: TypeAlias = Literal["estimate", "calibrated"]
"""Where a figure comes from: counted here, or counted here and corrected by what the upstream reported before."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A figure for a client, and where it comes from."""

    tokens: int
    source: TokenSource


class PromptCounter:
    """Counts in one thread of its own; what it counted before costs next to nothing.

    load_encoder is called there, once, at the first need: the tables take some 50 MB, which a proxy that only passes on
    need not hold. Where they cannot be had, it guesses by length. book: what is learned of the models; may be exchanged
    at any time. is_exact: whether to count or to guess, asked anew each time.
    """

    def __init__(
        self, load_encoder: _EncoderSource, book: RatioBook | None = None, is_exact: Callable[[], bool] = lambda: True
    ) -> None:
        self.book = book or RatioBook()
        self._load = load_encoder
        self._is_exact = is_exact
        self._exact: TextMemory | None = None
        self._guess = TextMemory(guess_tokens)
        self._in_use = self._guess
        self._begun: set[Future[Estimate]] = set()
        self._thread = DaemonThread("count")

    async def estimate(self, conversation: Conversation) -> Estimate:
        """The prompt as it stands, by class. Raises BadRequestError for a tool that cannot be written."""
        return await asyncio.wrap_future(self._submit(partial(self._estimate, conversation)))

    async def count(self, conversation: Conversation, model: str = "") -> int:
        """Tokens of the prompt as it stands, by the count of the model that will get it. Raises like `estimate`."""
        return self.book.apply(model, await self.estimate(conversation))

    def source(self, model: str) -> TokenSource:
        """Where `count` gets its figures for this model from."""
        return "calibrated" if self.book.samples(model, is_guess=not self._is_exact()) else "estimate"

    def begin(self, conversation: Conversation, body_bytes: int, model: str = "") -> BegunCount:
        """Start counting for the model that gets this. What is returned gives the count whenever it is asked.

        With several counts waiting already, nothing is counted: each of them holds a whole conversation in memory.
        """
        if len(self._begun) >= MOST_BEGUN:
            return BegunCount(self, model, body_bytes, None)
        counting = self._submit(partial(self._estimate, conversation))
        self._begun.add(counting)
        counting.add_done_callback(self._begun.discard)
        return BegunCount(self, model, body_bytes, counting)

    def learn(self, model: str, estimate: Estimate | None, prompt_tokens: int) -> bool:
        """What the upstream reported for a prompt of this estimate. Returns whether the book has changed."""
        return estimate is not None and self.book.observe(model, estimate, prompt_tokens)

    async def in_thread(
        self, work: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Result:
        """A pure function that counts, run where counting does not hold up the loop; give it `tokens_of`."""
        return await asyncio.wrap_future(self._submit(partial(work, *args, **kwargs)))

    def tokens_of(self, text: str) -> int:
        """An `Encoder` that remembers, for what runs `in_thread`; elsewhere it would hold up the loop."""
        return self._in_use.count(text)

    def close(self) -> None:
        """Count no more; what waits is dropped, and nobody waits for the thread."""
        self._thread.close()

    def _submit(self, work: Callable[[], _Result]) -> Future[_Result]:
        return self._thread.submit(partial(self._work, self._is_exact(), work))

    def _work(self, is_exact: bool, work: Callable[[], _Result]) -> _Result:
        self._in_use = self._ready() if is_exact else self._guess
        return work()

    def _ready(self) -> TextMemory:
        if self._exact is None:
            try:
                self._exact = TextMemory(self._load())
            except ProxyError as error:
                log.error("Tokens are guessed by length: %s", error)
                self._exact = self._guess
        return self._exact

    def _estimate(self, conversation: Conversation) -> Estimate:
        estimate = estimate_conversation(conversation, self._in_use.weigh)
        return Estimate(estimate.by_class, is_guess=self._in_use is self._guess)


class BegunCount:
    """A count on its way: called, it gives the best figure there is by now."""

    def __init__(self, counter: PromptCounter, model: str, body_bytes: int, counting: Future[Estimate] | None) -> None:
        self._counter = counter
        self._model = model
        self._body_bytes = body_bytes
        self._counting = counting

    def __call__(self) -> int:
        """Tokens by the model's count; a guess by size where nothing is counted."""
        estimate = self.estimate
        if estimate is None:
            return round(self._body_bytes / BYTES_PER_TOKEN)
        return self._counter.book.apply(self._model, estimate)

    @property
    def estimate(self) -> Estimate | None:
        """What was counted; None as long as it is not done, or if it cannot be done."""
        counting = self._counting
        if counting is None or not counting.done() or counting.cancelled() or counting.exception() is not None:
            return None
        return counting.result()
