"""Summaries are made once, found again, waited for no longer than it is worth, and nobody's request fails for one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from proxy_core.chat import Answer, Conversation, StopReason, Text, Usage, with_messages
from proxy_core.errors import UpstreamError
from proxy_core.ledger import SideCall, Stage
from proxy_core.pipeline.condensing import Condensed, Condenser
from proxy_core.pipeline.setup import Setup
from proxy_core.routing.route import Route, choose_route
from proxy_core.settings import BUILTIN_SERVERS, ProxySettings
from proxy_core.stores.summaries import FileSummaryStore
from proxy_core.tokens.count import count_conversation
from tests.proxy_core.context.talks import SUMMARY, Step, broken, read

USAGE = Usage(10, 9_000, 0, 500)
GOOD = Answer("i", "m", (Text(SUMMARY),), StopReason.END_TURN, USAGE)
BODY_BYTES = 10**9


def setup_of(**fields: object) -> Setup:
    values = {"real_text_model_tokens": 20_000, "real_vision_model_tokens": 10_000, **fields}
    return Setup(ProxySettings.model_validate(values), BUILTIN_SERVERS[0])


def talk_of(turns: int, picture: bool = False, dialect: str = "anthropic") -> Conversation:
    """Some 1000 tokens a turn: warning at 15 300, critical at 17 000, beyond the window at 20 000."""
    steps = [Step(f"Step {number}.", results=("word " * 780,)) for number in range(turns)]
    last = Step("Look.", follow="What is this?", picture=picture)
    talk = read(dialect, (*steps, last))
    return replace(talk, model="glm-4.6", sampling=replace(talk.sampling, max_tokens=None))


async def count(conversation: Conversation) -> int:
    return count_conversation(conversation, lambda text: len(text) // 4)


@dataclass
class Model:
    """Answers in turn with these, or raises them; waits for `go` first."""

    answers: list[Answer | Exception] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[tuple[Conversation, Route, float]] = field(default_factory=list)

    async def ask(
        self, stage: Stage, conversation: Conversation, route: Route, key: str, settings: ProxySettings, limit_s: float
    ) -> Answer:
        assert (stage, key) == (Stage.SUMMARY, "k")
        self.asked.append((conversation, route, limit_s))
        await self.go.wait()
        answer = self.answers.pop(0) if self.answers else GOOD
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Bench:
    """A condenser with its model, and a clock that is set by hand."""

    folder: Path
    model: Model = field(default_factory=Model)
    now: float = 1_000.0
    condensers: list[Condenser] = field(default_factory=list)
    setup: Setup = field(default_factory=setup_of)

    def open(self) -> Condenser:
        """A new one on the same folder, as after a restart."""
        store = FileSummaryStore(self.folder, lambda: self.now)
        self.condensers.append(Condenser(self.model, count, store, clock=lambda: self.now, time=lambda: self.now))
        return self.condensers[-1]

    async def condense(self, talk: Conversation, **options: object) -> Condensed:
        return await self._call(self.condensers[-1].condense, talk, **{"body_bytes": BODY_BYTES, **options})

    async def condense_now(self, talk: Conversation, **options: object) -> Condensed:
        return await self._call(self.condensers[-1].condense_now, talk, **options)

    async def preview(self, talk: Conversation) -> Condensed:
        return await self._call(self.condensers[-1].preview, talk)

    async def _call(self, way: Callable, talk: Conversation, trimmed: Conversation | None = None, **options: object):
        route = choose_route(talk, self.setup.settings, self.setup.server)
        return await way(talk, trimmed or talk, route, "k", self.setup, **options)

    async def prepare(self) -> None:
        """Let what is made in the background be finished."""
        await asyncio.gather(*self.condensers[-1]._flights.values())


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path / "summaries")
    made.model.go.set()
    made.open()
    yield made
    for condenser in made.condensers:
        await condenser.close()


async def test_a_body_that_cannot_reach_the_ceiling_is_not_even_counted(bench):
    talk = talk_of(18)
    assert (await bench.condense(talk, body_bytes=30_599)).conversation is talk
    assert (await bench.condense(talk, body_bytes=30_600)).cuts


@pytest.mark.parametrize("fields", [{"enable_message_condensation": False}, {"real_text_model_tokens": 200_000}])
async def test_calm_or_switched_off_it_goes_as_it_is(bench, fields):
    bench.setup = setup_of(**fields)
    talk = talk_of(18)
    result = await bench.condense(talk)
    assert result == Condensed(talk) and result.conversation is talk
    assert bench.model.asked == []


async def test_near_the_ceiling_a_summary_is_prepared_while_nobody_waits(bench):
    bench.model.go.clear()
    talk = talk_of(16)
    async with asyncio.timeout(10):
        assert (await bench.condense(talk)).conversation is talk
        await asyncio.sleep(0)
        assert (await bench.condense(talk_of(16))).conversation == talk
    bench.model.go.set()
    await bench.prepare()
    assert len(bench.model.asked) == 1
    result = await bench.condense(talk_of(17))
    assert await count(result.conversation) < 8_000
    assert len(bench.model.asked) == 1


async def test_at_the_ceiling_the_request_waits_and_the_ledger_adds_up(bench):
    talk = talk_of(18)
    result = await bench.condense(talk)
    (cut,) = result.cuts
    before, after = await count(talk), await count(result.conversation)
    assert after <= 0.5 * before
    assert (cut.stage, cut.saved_tokens) == (Stage.SUMMARY, before - after)
    assert cut.items == len(talk.messages) - len(result.conversation.messages) + 1
    assert cut.added_tokens > 100
    assert result.side_calls == (SideCall(Stage.SUMMARY, "glm-4.6", USAGE),)
    assert (await bench.condense(talk)).side_calls == ()
    assert broken(result.conversation, "anthropic") == []


async def test_the_summary_holds_for_the_turns_to_come_and_after_a_restart(bench):
    sent = (await bench.condense(talk_of(18))).conversation
    bench.open()
    for turns in range(19, 24):
        following = (await bench.condense(talk_of(turns))).conversation
        assert following.messages[: len(sent.messages) - 2] == sent.messages[:-2]
        assert (await bench.preview(talk_of(turns))).conversation == following
    assert len(bench.model.asked) == 1


@pytest.mark.parametrize(("dialect", "first"), [("anthropic", 0), ("openai", 1)])
async def test_it_is_extended_when_the_ceiling_is_reached_again(bench, dialect, first):
    once = (await bench.condense(talk_of(18, dialect=dialect))).conversation
    twice = (await bench.condense(talk_of(31, dialect=dialect))).conversation
    asked = bench.model.asked[1][0]
    assert asked.messages[: len(once.messages) - 2] == once.messages[:-2]
    assert await count(twice) < 8_500
    assert twice.messages[: first + 1] == once.messages[: first + 1]
    assert not set(twice.messages[first + 1 :]) & set(once.messages[:-2])
    assert broken(twice, dialect) == [] and twice.messages[first + 1].role == "assistant"
    later = (await bench.condense(talk_of(32, dialect=dialect))).conversation
    assert later.messages[: len(twice.messages) - 2] == twice.messages[:-2]
    assert len(bench.model.asked) == 2


async def test_the_summary_is_asked_for_by_the_prompt_as_it_was_sent(bench):
    talk = talk_of(18)
    trimmed = replace(talk, user_id="edited")
    await bench.condense(talk, trimmed=trimmed)
    ((asked, route, limit_s),) = bench.model.asked
    assert all(one is other for one, other in zip(asked.messages[:-1], trimmed.messages, strict=False))
    assert (asked.user_id, asked.system, asked.tools) == ("edited", talk.system, talk.tools)
    assert route == choose_route(talk, bench.setup.settings, bench.setup.server)
    assert limit_s == 180.0


async def test_another_model_gets_a_transcript(bench):
    bench.setup = setup_of(condensation_model="glm-4.5-air", real_text_model_tokens=20_000)
    await bench.condense(talk_of(18))
    ((asked, route, _),) = bench.model.asked
    assert (route.model, len(asked.messages)) == ("glm-4.5-air", 1)


async def test_the_configured_model_that_serves_anyway_gets_the_prompt_it_knows(bench):
    bench.setup = setup_of(condensation_model="glm-4.6")
    talk = talk_of(18)
    await bench.condense(talk)
    assert bench.model.asked[0][0].messages[0] is talk.messages[0]


async def test_of_a_prompt_beyond_all_windows_as_much_is_covered_as_can_be_read(bench):
    result = await bench.condense(talk_of(45))
    assert 16_000 < await count(bench.model.asked[0][0]) < 18_800
    assert result.cuts[0].removed_tokens > 16_000


async def test_a_picture_at_the_end_has_the_turns_before_it_summarised_by_the_text_model(bench):
    result = await bench.condense(talk_of(12, picture=True))
    ((_, route, _),) = bench.model.asked
    assert (route.model, route.dialect) == ("glm-4.6", "anthropic")
    assert await count(result.conversation) <= 5_000
    assert (await bench.condense(talk_of(12))).cuts == ()
    assert (await bench.condense(talk_of(12, picture=True))).conversation == result.conversation


async def test_a_changed_history_has_nothing_put_into_it(bench):
    await bench.condense(talk_of(18))
    talk = talk_of(12)
    compacted = with_messages(talk, (replace(talk.messages[0], parts=(Text("Compacted."),)), *talk.messages[1:]))
    assert (await bench.condense(compacted)).conversation is compacted


async def test_the_upstream_is_believed_when_it_says_too_long(bench):
    talk = talk_of(10)
    assert (await bench.condense(talk)).conversation is talk
    result = await bench.condense_now(talk)
    assert await count(result.conversation) < 0.5 * await count(talk)
    assert (await bench.condense(talk)).conversation == result.conversation


async def test_a_prompt_that_cannot_be_made_shorter_is_not_to_be_sent_again(bench):
    talk = talk_of(18)
    refused = (await bench.condense(talk)).conversation
    assert len(refused.messages) < len(talk.messages)
    bench.model.answers = [UpstreamError("Down.")]
    assert await bench.condense_now(talk, messages=len(refused.messages)) == Condensed(talk)
    assert await bench.condense_now(talk_of(0)) == Condensed(talk_of(0))


NONSENSE = replace(GOOD, parts=(Text("I cannot do that."),))


@pytest.mark.parametrize("fault", [NONSENSE, UpstreamError("Down."), ValueError("odd"), TimeoutError()])
async def test_a_failure_costs_nothing_but_the_summary_and_is_not_repeated_at_once(bench, fault, caplog):
    bench.model.answers = [fault, fault]
    talk = talk_of(18)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert (await bench.condense(talk)).conversation is talk
    assert (len(bench.model.asked), len(caplog.records)) == (1, 1)
    bench.now += 61
    await bench.condense(talk)
    bench.now += 61
    await bench.condense(talk)
    assert len(bench.model.asked) == 2
    bench.now += 61
    assert (await bench.condense(talk)).cuts


async def test_after_a_success_a_failure_counts_as_the_first_again(bench):
    bench.model.answers = [NONSENSE, GOOD, NONSENSE]
    for turns in (18, 18, 31, 31):
        result = await bench.condense(talk_of(turns))
        bench.now += 61
    assert len(bench.model.asked) == 4
    assert await count(result.conversation) < 8_500


async def test_figures_that_do_not_shrink_mean_that_it_goes_as_it_is(bench):
    async def same(_: Conversation) -> int:
        return 18_000

    bench.condensers[-1]._count = same
    talk = talk_of(18)
    assert (await bench.condense(talk)).conversation is talk


async def test_a_summary_larger_than_its_turns_is_not_used(bench):
    bench.model.answers = [replace(GOOD, parts=(Text(SUMMARY + "x" * 100_000),))]
    talk = talk_of(18)
    assert (await bench.condense(talk)).conversation is talk


async def test_who_waits_too_long_goes_and_the_next_turn_has_it(bench):
    bench.setup = setup_of(condensation_timeout=0.01)
    bench.model.go.clear()
    talk = talk_of(18)
    assert (await bench.condense(talk)).conversation is talk
    bench.model.go.set()
    await bench.prepare()
    assert (await bench.condense(talk_of(19))).cuts
    assert len(bench.model.asked) == 1


async def test_requests_of_one_conversation_share_one_call_and_who_leaves_stops_nobody(bench):
    bench.model.go.clear()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(bench.condense(talk_of(turns))) for turns in (18, 18, 19)]
        while not bench.model.asked:
            await asyncio.sleep(0.001)
        waiting[0].cancel()
        bench.model.go.set()
    assert len(bench.model.asked) == 1
    assert all(task.result().cuts for task in waiting[1:])


async def test_a_fault_of_our_own_lets_the_request_go(bench, caplog):
    talk = talk_of(18)
    shorter = with_messages(talk, talk.messages[:-2])
    result = await bench.condense(talk, trimmed=shorter)
    assert result.conversation is shorter
    assert "could not be condensed" in caplog.text


async def test_an_unknown_model_for_summaries_lets_the_request_go(bench, caplog):
    bench.setup = setup_of(condensation_model="nobody")
    talk = talk_of(18)
    for _ in range(2):
        assert (await bench.condense(talk)).conversation is talk
    assert len(caplog.records) == 1


async def test_closing_gives_up_what_is_made(bench):
    bench.model.go.clear()
    await bench.condense(talk_of(16))
    await bench.condensers[-1].close()
    assert bench.condensers[-1]._flights == {}
    bench.model.go.set()
    assert (await bench.condense(talk_of(18))).cuts == ()
