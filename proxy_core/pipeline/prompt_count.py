"""How many tokens a prompt has, counted beside the waiting for the upstream and never in its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from proxy_core.chat import Conversation
from proxy_core.tokens.count import Encoder, count_conversation

MOST_BEGUN = 4
_CHARS_PER_TOKEN = 3.6
_EncoderSource = Callable[[], Encoder]


class PromptCounter:
    """Counts in one thread of its own. load_encoder is called there, once, at the first need: the tables take some
    50 MB, which a proxy that only passes on need not hold."""

    def __init__(self, load_encoder: _EncoderSource) -> None:
        self._load = load_encoder
        self._encoder: Encoder | None = None
        self._begun: set[Future[int]] = set()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="count")

    async def count(self, conversation: Conversation) -> int:
        """Tokens of the prompt as it stands."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._count, conversation)

    def begin(self, conversation: Conversation, body_bytes: int) -> Callable[[], int]:
        """Start counting; the returned function gives the count, or a guess by size where it is not done yet.

        With several counts waiting already, it is a guess at once: each of them holds a whole conversation in memory.
        """
        if len(self._begun) >= MOST_BEGUN:
            return lambda: round(body_bytes / _CHARS_PER_TOKEN)
        counting = self._executor.submit(self._count, conversation)
        self._begun.add(counting)
        counting.add_done_callback(self._begun.discard)

        def so_far() -> int:
            if counting.done() and not counting.cancelled() and counting.exception() is None:
                return counting.result()
            return round(body_bytes / _CHARS_PER_TOKEN)

        return so_far

    def close(self) -> None:
        """End the thread; what waits is dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _ready(self) -> Encoder:
        if self._encoder is None:
            self._encoder = self._load()
        return self._encoder

    def _count(self, conversation: Conversation) -> int:
        return count_conversation(conversation, self._ready())
