"""Long conversations through the whole proxy: condensed at the ceiling, and once more where the upstream insists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import anthropic
import openai
import pytest
import pytest_asyncio

from proxy_core.dialects.table import DIALECTS
from proxy_core.ledger import Stage
from tests.corridor import Corridor, call
from tests.fake_upstream import Reply
from tests.legs import LEGS, Leg, anthropic_body, ask, openai_body, seen
from tests.proxy_core.context_rig import CAP_S, PATHS, TOO_LONG, House, answer_counted, finished, open_house, worked

ON_ALL_LEGS = pytest.mark.parametrize("leg", LEGS, ids=str)
BODIES = {"anthropic": anthropic_body, "openai": openai_body}
SMALL = {"real_text_model_tokens": 20_000, "real_vision_model_tokens": 10_000}
"""Critical at 17 000, warning at 15 300; a turn of `worked` is some 1000."""


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "stores") as house:
        house.settings = SMALL
        yield house


def turns(house: House) -> list[object]:
    return list(seen(house.upstream.talks[-1]).turns)


def is_condensed(house: House) -> bool:
    return "<conversation_summary>" in str(turns(house)[0])


async def send(corridor: Corridor, leg: Leg, turns_: int, *, stream: bool = False) -> None:
    heard = await ask(corridor, leg, worked(turns_, model=leg.model), stream=stream)
    assert heard.text == "Hello, world."


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@ON_ALL_LEGS
async def test_the_oldest_turns_are_summarised_at_the_ceiling(house: House, leg: Leg, stream: bool) -> None:
    corridor = await house.open()
    await send(corridor, leg, 18, stream=stream)
    assert (is_condensed(house), len(house.upstream.summaries)) == (True, 1)
    assert turns(house)[-1] == ("user", (("text", "And now?"),))
    (exchange,) = finished(corridor)
    (cut,) = exchange.ledger.cuts
    assert (cut.stage, cut.saved_tokens > 8_000) == (Stage.SUMMARY, True)
    assert [(one.stage, one.usage.cached_tokens) for one in exchange.ledger.side_calls] == [(Stage.SUMMARY, 9_000)]
    assert [(own.door, own.outcome) for own in finished(corridor, "summary")] == [("summary", "done")]


@ON_ALL_LEGS
async def test_a_summary_serves_the_turns_behind_it_and_outlives_the_proxy(house: House, leg: Leg) -> None:
    corridor = await house.open()
    sent = []
    for number in (18, 19, 20):
        await send(corridor, leg, number)
        sent.append(turns(house)[:-1])
    corridor = await house.restart(corridor)
    await send(corridor, leg, 21)
    sent.append(turns(house)[:-1])
    assert len(house.upstream.summaries) == 1
    for before, after in pairwise(sent):
        assert after[: len(before) - 1] == before[:-1]


@ON_ALL_LEGS
async def test_a_summary_is_extended_only_at_the_next_ceiling(house: House, leg: Leg) -> None:
    corridor = await house.open()
    made = []
    for number in range(16, 34):
        await send(corridor, leg, number)
        made.append(len(house.upstream.summaries))
    assert made[-1] == 2
    assert made.index(2) - made.index(1) > 6


@pytest.mark.parametrize(
    "fault",
    [Reply(status=500, body={"error": {"code": "500", "message": "boom"}}), Reply(body={}), Reply()],
    ids=["fails", "nothing", "no summary"],
)
@ON_ALL_LEGS
async def test_without_a_summary_it_goes_as_it_is(house: House, leg: Leg, fault: Reply) -> None:
    corridor = await house.open()
    house.upstream.summary = fault
    await send(corridor, leg, 18)
    calls = len(house.upstream.summaries)
    await send(corridor, leg, 19)
    assert (is_condensed(house), calls >= 1) == (False, True)
    assert len(house.upstream.summaries) == calls


REFUSALS = {
    "1261": TOO_LONG,
    "1261 as a number": Reply(status=400, body={"error": {"code": 1261, "message": "no"}}),
    "a word": Reply(status=400, body={"error": {"code": "context_length_exceeded", "message": "no"}}),
    "a phrase": Reply(status=400, body={"error": {"message": "This model's maximum context length is 9 tokens."}}),
    "a phrase of 422": Reply(status=422, body={"error": {"message": "prompt is too long: 9 tokens > 8 maximum"}}),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
@ON_ALL_LEGS
async def test_what_the_upstream_calls_too_long_is_condensed_and_resent(
    house: House, leg: Leg, refusal: Reply, stream: bool
) -> None:
    corridor = await house.open()
    house.upstream.replies = [refusal]
    await send(corridor, leg, 8, stream=stream)
    assert (is_condensed(house), len(house.upstream.summaries), len(house.upstream.talks)) == (True, 1, 2)
    (exchange,) = finished(corridor)
    assert (exchange.outcome, exchange.retries) == ("done", 1)
    assert [cut.stage for cut in exchange.ledger.cuts] == [Stage.SUMMARY]
    assert len(exchange.ledger.side_calls) == 1


async def test_the_size_before_is_known_of_what_was_refused_too(house: House) -> None:
    corridor, leg = await house.open(), Leg("anthropic", "anthropic")
    house.upstream.replies = [TOO_LONG]
    await answer_counted(house, corridor, Reply(hold_at=0), send(corridor, leg, 8, stream=True))
    ledger = finished(corridor)[0].ledger
    assert 7_500 < ledger.tokens_before < 9_500
    assert corridor.proxy.ratios() == ()


@ON_ALL_LEGS
async def test_the_turn_after_a_refusal_has_its_summary_at_once(house: House, leg: Leg) -> None:
    corridor = await house.open()
    house.upstream.replies = [TOO_LONG]
    await send(corridor, leg, 8)
    await send(corridor, leg, 9)
    assert (is_condensed(house), len(house.upstream.summaries), len(house.upstream.talks)) == (True, 1, 3)


@ON_ALL_LEGS
async def test_a_short_body_that_was_refused_once_keeps_its_summary(house: House, leg: Leg) -> None:
    corridor = await house.open(real_text_model_tokens=60_000)
    house.upstream.replies = [TOO_LONG]
    for number in (8, 9, 10):
        await send(corridor, leg, number)
    assert (is_condensed(house), len(house.upstream.summaries), len(house.upstream.talks)) == (True, 1, 4)


@ON_ALL_LEGS
async def test_a_refusal_after_a_restart_takes_the_summary_there_is(house: House, leg: Leg) -> None:
    house.settings = {"real_text_model_tokens": 60_000}
    corridor = await house.open()
    house.upstream.replies = [TOO_LONG]
    await send(corridor, leg, 8)
    corridor = await house.restart(corridor)
    house.upstream.replies = [TOO_LONG]
    await send(corridor, leg, 9)
    assert (is_condensed(house), len(house.upstream.summaries)) == (True, 1)


@ON_ALL_LEGS
async def test_what_was_condensed_already_and_is_refused_is_condensed_further(house: House, leg: Leg) -> None:
    corridor = await house.open()
    await send(corridor, leg, 18)
    before = len(turns(house))
    house.upstream.replies = [TOO_LONG]
    await send(corridor, leg, 19)
    assert (is_condensed(house), len(house.upstream.summaries)) == (True, 2)
    assert len(turns(house)) < before
    exchange = finished(corridor)[1]
    assert (exchange.outcome, [cut.stage for cut in exchange.ledger.cuts]) == ("done", [Stage.SUMMARY])


@ON_ALL_LEGS
async def test_what_stays_too_long_is_told_to_the_client_once(house: House, leg: Leg) -> None:
    corridor = await house.open()
    house.upstream.reply = TOO_LONG
    with pytest.raises((anthropic.BadRequestError, openai.BadRequestError)):
        await send(corridor, leg, 8)
    assert len(house.upstream.summaries) <= 1
    assert len(house.upstream.talks) <= 2


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
async def test_a_dry_run_has_the_summary_there_is(house: House, dialect: str) -> None:
    corridor = await house.open()
    leg = Leg(dialect, dialect)
    await send(corridor, leg, 18)
    body = BODIES[dialect](worked(19, model=leg.model))
    sent = len(house.upstream.requests)
    preview = await corridor.proxy.preview(DIALECTS[dialect], body)
    assert len(house.upstream.requests) == sent
    await call(corridor, "POST", PATHS[dialect], body, {"x-api-key": "k" * 9})
    assert house.upstream.last.body["messages"] == preview.body["messages"]
    assert finished(corridor)[1].ledger.cuts == preview.ledger.cuts


async def test_a_dry_run_takes_no_call_out_of_the_ledger_to_come(house: House) -> None:
    """Made while nobody waited: at the warning level, it is told with the turn that first has it."""
    corridor = await house.open()
    leg = Leg("anthropic", "anthropic")
    await send(corridor, leg, 16)
    async with asyncio.timeout(CAP_S):
        while not finished(corridor, "summary"):
            await asyncio.sleep(0.01)
    preview = await corridor.proxy.preview(DIALECTS["anthropic"], anthropic_body(worked(17, model=leg.model)))
    assert (preview.ledger.side_calls, len(preview.ledger.cuts)) == ((), 1)
    await send(corridor, leg, 17)
    assert [len(one.ledger.side_calls) for one in finished(corridor)] == [0, 1]


async def test_switched_off_nothing_is_condensed(house: House) -> None:
    corridor = await house.open(enable_message_condensation=False)
    house.upstream.replies = [TOO_LONG]
    with pytest.raises(anthropic.BadRequestError):
        await send(corridor, LEGS[0], 8)
    await send(corridor, LEGS[0], 18)
    assert (is_condensed(house), house.upstream.summaries) == (False, [])
