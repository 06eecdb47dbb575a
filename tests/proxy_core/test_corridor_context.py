"""Smaller prompts through the whole proxy: steady beginnings and environment blocks, and what the ledger says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from proxy_core.chat import Answer, Conversation, StopReason, Text, ToolCall, ToolResult, Usage
from proxy_core.dialects.table import DIALECTS
from proxy_core.ledger import Stage
from tests.corridor import Corridor, call, open_openai
from tests.fake_upstream import Reply
from tests.legs import LEGS, Leg, anthropic_body, ask, openai_body, request, says, seen
from tests.proxy_core.context_rig import PATHS, House, answer_counted, block, finished, open_house, worked

ON_ALL_LEGS = pytest.mark.parametrize("leg", LEGS, ids=str)
BILLING = "x-anthropic-billing-header: cc_version=2.1.{0}; cc_entrypoint=cli; cch={0};"
LISTING = "# Current Workspace Directory (/w) Files\na.py"
BODIES = {"anthropic": anthropic_body, "openai": openai_body}


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "stores") as house:
        yield house


def turns(number: int) -> Conversation:
    """So many of the user's turns, each with its block; one of them within a result."""
    said = [says("Do it.", block(0, LISTING))]
    for turn in range(1, number):
        call_ = ToolCall(f"c{turn}", "run", "{}")
        result = ToolResult(call_.id, (Text(f"ran {turn}\n{block(turn, '# Notes', f'Kept {turn}')}"),))
        said += [says(f"Step {turn}", call_, role="assistant"), says(result)]
    return request(*said)


def user_texts(house: House) -> str:
    """All that the user says in the newest request."""
    return "\n".join(
        str(item) for role, items in seen(house.upstream.talks[-1]).turns if role == "user" for item in items
    )


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@ON_ALL_LEGS
async def test_old_environment_blocks_are_cut(house: House, leg: Leg, stream: bool) -> None:
    corridor = await house.open()
    await ask(corridor, leg, turns(4), stream=stream)
    told = user_texts(house)
    assert [told.count(f"{turn}:00") for turn in range(4)] == [1, 0, 0, 1]
    assert [told.count(f"ran {turn}") for turn in range(1, 4)] == [1, 1, 1]
    (cut,) = finished(corridor)[0].ledger.cuts
    assert (cut.stage, cut.items) == (Stage.ENVIRONMENT, 2)
    assert cut.removed_tokens > 0


@ON_ALL_LEGS
@pytest.mark.parametrize(
    ("changes", "blocks", "earlier"),
    [
        ({"environment_deduplication_strategy": "merge"}, 2, True),
        ({"environment_deduplication_strategy": "off"}, 4, False),
        ({"enable_environment_deduplication": False}, 4, False),
    ],
    ids=["merge", "off", "switched off"],
)
async def test_strategies(house: House, leg: Leg, changes: dict[str, object], blocks: int, earlier: bool) -> None:
    corridor = await house.open(**changes)
    await ask(corridor, leg, turns(4), stream=False)
    told = user_texts(house)
    assert told.count("<environment_details>") == blocks
    assert ("# Earlier" in told) is earlier
    assert [f"Kept {turn}" in told for turn in (1, 2, 3)] == [True] * 3


@ON_ALL_LEGS
async def test_a_turn_stands_in_the_next_one(house: House, leg: Leg) -> None:
    corridor = await house.open()
    sent = []
    for number in (3, 4, 5):
        await ask(corridor, leg, turns(number), stream=False)
        sent.append([str(message) for message in house.upstream.last.body["messages"]])
    for before, after in pairwise(sent):
        assert after[: len(before) - 1] == before[: len(before) - 1]


@pytest.mark.parametrize(("is_on", "left"), [(True, 0), (False, 1)], ids=["stripped", "left"])
@ON_ALL_LEGS
async def test_the_billing_header(house: House, leg: Leg, is_on: bool, left: int) -> None:
    corridor = await house.open(strip_volatile_prefixes=is_on)
    for turn in range(2):
        asked = request("Hi", system=(Text(f"{BILLING.format(turn)}\nYou are Claude Code."),))
        await ask(corridor, leg, asked, stream=False)
    first, second = (seen(one).system for one in house.upstream.talks)
    assert (first == second) is is_on
    assert first.count("billing-header") == left
    assert [cut.stage for cut in finished(corridor)[1].ledger.cuts] == [Stage.VOLATILE] * is_on


async def test_responses_clients_have_their_blocks_cut(house: House) -> None:
    corridor = await house.open()
    said = [{"role": "user", "content": f"Step {turn}\n{block(turn)}"} for turn in range(3)]
    asked = [said[0], {"role": "assistant", "content": "ok"}, said[1], {"role": "assistant", "content": "ok"}, said[2]]
    async with open_openai(f"{corridor.url}/v1") as client:
        await client.responses.create(model="glm-4.6", input=asked)
    assert [user_texts(house).count(f"{turn}:00") for turn in range(3)] == [0, 0, 1]
    assert finished(corridor)[0].ledger.cuts[0].items == 2


def reporting(prompt: int, cached: int = 0) -> Reply:
    """An answer with these figures, once its gate is opened."""
    usage = Usage(prompt - cached, cached, 0, 5)
    return Reply(answer=Answer("a", "glm-4.6", (Text("hi"),), StopReason.END_TURN, usage), hold_at=0)


@ON_ALL_LEGS
async def test_the_ledger_knows_before_and_cached(house: House, leg: Leg) -> None:
    corridor = await house.open()
    await answer_counted(house, corridor, reporting(120, 90), ask(corridor, leg, turns(4), stream=True))
    (exchange,) = finished(corridor)
    after = exchange.ledger.tokens_before - exchange.ledger.saved_tokens
    assert 0 < after < exchange.ledger.tokens_before
    assert exchange.usage.cached_tokens == 90


@ON_ALL_LEGS
async def test_what_upstreams_report_is_learned_and_kept(house: House, leg: Leg) -> None:
    corridor = await house.open()
    asked = worked(6)
    body = {**BODIES["anthropic"](asked), "model": "glm-4.6"}
    reported = round(await tokens_of(corridor, body) * 1.5)
    for _ in range(6):
        await answer_counted(house, corridor, reporting(reported), ask(corridor, leg, asked, stream=False))
    assert [ratio.model for ratio in corridor.proxy.ratios()] == ["glm-4.6"] * len(corridor.proxy.ratios())
    learned = await tokens_of(corridor, body)
    assert learned > 1.2 * reported / 1.5
    corridor = await house.restart(corridor)
    assert await tokens_of(corridor, body) == learned


async def tokens_of(corridor: Corridor, body: dict[str, object]) -> int:
    got = await call(corridor, "POST", "/v1/messages/count_tokens", body, {"x-api-key": "k" * 9})
    return got.body["input_tokens"]


def cached_turn(number: int, share: float) -> Reply:
    return reporting(1000 * number, round(1000 * (number - 1) * share))


async def test_a_session_that_loses_its_cache_ends_the_edit_and_says_so(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """The edit costs the cache on each turn: from then on only what was edited already stays edited."""
    corridor, leg = await house.open(), LEGS[0]
    for number in range(2, 8):
        reply = cached_turn(number, 0.2)
        await answer_counted(house, corridor, reply, ask(corridor, leg, turns(number), stream=False))
    ledger = finished(corridor)[-1].ledger
    assert ledger.held_back == (Stage.ENVIRONMENT,)
    assert "no longer cut" in ledger.why_held_back[0]
    assert ledger.why_held_back[0] in caplog.text
    held = len(house.upstream.talks[-1].body["messages"])
    sent = house.upstream.talks[-1].body["messages"]
    await answer_counted(house, corridor, cached_turn(8, 0.9), ask(corridor, leg, turns(8), stream=False))
    assert house.upstream.last.body["messages"][:held] == sent


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
async def test_a_dry_run_says_what_will_be_sent_and_sends_nothing(house: House, dialect: str) -> None:
    corridor = await house.open()
    body = {**BODIES[dialect](turns(4)), "model": f"glm-4.6-{dialect}"}
    preview = await corridor.proxy.preview(DIALECTS[dialect], body)
    assert house.upstream.requests == []
    await call(corridor, "POST", PATHS[dialect], body, {"x-api-key": "k" * 9})
    assert house.upstream.last.body["messages"] == preview.body["messages"]
    (exchange,) = finished(corridor)
    assert exchange.ledger.cuts == preview.ledger.cuts
    assert exchange.ledger.tokens_before == pytest.approx(preview.ledger.tokens_before, rel=0.05)
