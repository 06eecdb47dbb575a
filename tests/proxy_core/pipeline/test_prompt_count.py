"""Counting beside the waiting: off the loop, by what was learned, without a backlog that holds every conversation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from threading import Event, current_thread

import pytest

from proxy_core.chat import Conversation, Message, Text, Tool
from proxy_core.errors import BadRequestError, ProxyError
from proxy_core.pipeline.prompt_count import MOST_BEGUN, BegunCount, PromptCounter
from proxy_core.tokens.content import ContentClass, Estimate
from proxy_core.tokens.count import Encoder

TALK = Conversation("anthropic", "m", (Message("user", (Text("w" * 93),)),))
TOKENS = 3 + 4 + 93
"""One a character, and the frame."""
GUESS = 3 + 4 + 26


def bottomless() -> Conversation:
    schema: dict[str, object] = {}
    for _ in range(500):
        schema = {"items": schema}
    return Conversation("anthropic", "m", TALK.messages, tools=(Tool("t", schema=schema),))


@pytest.fixture
async def counter() -> AsyncIterator[PromptCounter]:
    made = PromptCounter(lambda: len)
    yield made
    made.close()


@contextmanager
def held_up() -> Iterator[tuple[PromptCounter, Event]]:
    """A counter that counts nothing until the event."""
    gate = Event()

    def encode(text: str) -> int:
        gate.wait(5)
        return len(text)

    counter = PromptCounter(lambda: encode)
    yield counter, gate
    gate.set()
    counter.close()


async def settled(begun: BegunCount) -> int:
    while begun.estimate is None:
        await asyncio.sleep(0.001)
    return begun()


def teach(counter: PromptCounter, ratio: float) -> None:
    estimate = Estimate({ContentClass.PROSE: TOKENS})
    for _ in range(50):
        assert counter.learn("glm-4.6", estimate, round(TOKENS * ratio))


async def test_the_prompt_is_counted_by_class(counter: PromptCounter) -> None:
    estimate = await counter.estimate(TALK)
    assert estimate == Estimate(dict.fromkeys(ContentClass, 0) | {ContentClass.PROSE: TOKENS})


async def test_a_figure_is_by_the_count_of_its_model(counter: PromptCounter) -> None:
    teach(counter, 1.3)
    figures = [await counter.count(TALK), await counter.count(TALK, "glm-4.6"), await counter.count(TALK, "other")]
    assert figures == [TOKENS, pytest.approx(130, abs=2), TOKENS]
    assert [counter.source(model) for model in ("glm-4.6", "other", "")] == ["calibrated", "estimate", "estimate"]
    assert await settled(counter.begin(TALK, 36, "glm-4.6")) == figures[1]
    assert await settled(counter.begin(TALK, 36)) == TOKENS


async def test_nothing_is_learned_from_what_was_not_counted(counter: PromptCounter) -> None:
    assert not counter.learn("glm-4.6", None, 100)
    assert counter.source("glm-4.6") == "estimate"


async def test_the_figure_is_a_guess_until_it_is_counted() -> None:
    with held_up() as (counter, gate):
        begun = counter.begin(TALK, 36)
        assert (begun(), begun.estimate) == (10, None)
        gate.set()
        assert await settled(begun) == TOKENS


def test_with_several_counts_waiting_the_next_is_a_guess() -> None:
    with held_up() as (counter, gate):
        begun = [counter.begin(TALK, 36) for _ in range(MOST_BEGUN + 3)]
        assert [count() for count in begun] == [10] * len(begun)
        assert len(counter._begun) == MOST_BEGUN
        gate.set()
        counter._submit(lambda: None).result(5)
        assert not counter._begun
        assert [count() for count in begun] == [TOKENS] * MOST_BEGUN + [10] * 3


async def test_what_cannot_be_counted_is_guessed_in_passing_and_refused_if_asked_for(counter: PromptCounter) -> None:
    begun = counter.begin(bottomless(), 36)
    with pytest.raises(BadRequestError, match=r"tools\.0"):
        await counter.count(bottomless())
    assert (begun(), begun.estimate) == (10, None)


async def test_without_exact_counting_no_table_is_loaded() -> None:
    loaded: list[str] = []

    def load() -> Encoder:
        loaded.append(current_thread().name)
        return len

    is_exact = False
    counter = PromptCounter(load, is_exact=lambda: is_exact)
    assert (await counter.count(TALK), loaded) == (GUESS, [])
    assert (await counter.estimate(TALK)).is_guess
    assert await counter.in_thread(counter.tokens_of, "w" * 36) == 10
    is_exact = True
    assert (await counter.count(TALK), loaded) == (TOKENS, ["count"])
    assert not (await counter.estimate(TALK)).is_guess
    counter.close()


def test_what_was_learned_of_counts_says_nothing_of_guesses() -> None:
    counter = PromptCounter(lambda: len, is_exact=lambda: False)
    teach(counter, 1.3)
    assert counter.source("glm-4.6") == "estimate"
    assert counter.learn("glm-4.6", Estimate({ContentClass.PROSE: 10}, is_guess=True), 10)
    assert counter.source("glm-4.6") == "calibrated"


async def test_tables_that_cannot_be_had_are_said_once_and_done_without(caplog: pytest.LogCaptureFixture) -> None:
    def load() -> Encoder:
        raise ProxyError("The token table is damaged.", hint="Install again.")

    counter = PromptCounter(load)
    assert [await counter.count(TALK) for _ in range(3)] == [GUESS] * 3
    assert (await counter.estimate(TALK)).is_guess
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "Install again." in caplog.text
    counter.close()


async def test_stages_count_in_the_thread_and_share_its_memory() -> None:
    counted: list[str] = []

    def encode(text: str) -> int:
        counted.append(current_thread().name)
        return len(text)

    counter = PromptCounter(lambda: encode)
    await counter.count(TALK)

    def stage(text: str, encode: Encoder) -> tuple[int, str]:
        return encode(text), current_thread().name

    assert await counter.in_thread(stage, "w" * 93, encode=counter.tokens_of) == (93, "count")
    assert counted == ["count"]
    counter.close()
