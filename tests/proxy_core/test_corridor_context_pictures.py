"""Old pictures through the whole proxy: in words at the text model, described once, and never in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from proxy_core.chat import Answer, StopReason, Text, ToolCall, ToolResult, Usage
from proxy_core.context.pictures import PLACEHOLDER
from proxy_core.ledger import Stage
from tests.corridor import open_openai
from tests.fake_upstream import Reply
from tests.legs import LEGS, Leg, anthropic_body, ask, openai_body, request, says, seen
from tests.proxy_core.context_rig import CAP_S, SEEN, House, finished, open_house, shown
from tests.proxy_core.pipeline.describers import red

ON_ALL_LEGS = pytest.mark.parametrize("leg", LEGS, ids=str)
CLIENTS = pytest.mark.parametrize("client", ["anthropic", "openai"])
BODIES = {"anthropic": anthropic_body, "openai": openai_body}


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "stores") as house:
        yield house


def told(house: House) -> str:
    return str(seen(house.upstream.talks[-1]).turns)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@ON_ALL_LEGS
async def test_an_old_picture_goes_in_words_to_the_text_model(house: House, leg: Leg, stream: bool) -> None:
    corridor = await house.open()
    asked = shown(red(), red(), model=leg.model)
    heard = await ask(corridor, leg, asked, stream=stream)
    assert (heard.text, len(house.upstream.sights)) == ("Hello, world.", 1)
    assert told(house).count(SEEN) == 2
    assert (house.upstream.last.dialect, seen(house.upstream.last).model) == (leg.upstream, "glm-4.6")
    (exchange,) = finished(corridor)
    assert [(cut.stage, cut.items) for cut in exchange.ledger.cuts] == [(Stage.PICTURES, 2)]
    assert [(one.stage, one.model, one.usage.input_tokens) for one in exchange.ledger.side_calls] == [
        (Stage.PICTURES, "glm-4.6v", 500)
    ]
    (own,) = finished(corridor, "pictures")
    assert (own.served_model, own.outcome, own.usage.input_tokens) == ("glm-4.6v", "done", 500)


@CLIENTS
async def test_a_description_outlives_the_proxy(house: House, client: str) -> None:
    leg = Leg(client, "anthropic")
    corridor = await house.open()
    await ask(corridor, leg, shown(red()), stream=False)
    before = house.upstream.last.body["messages"]
    corridor = await house.restart(corridor)
    await ask(corridor, leg, shown(red(), turns=4), stream=False)
    assert len(house.upstream.sights) == 1
    assert house.upstream.last.body["messages"][: len(before) - 1] == before[:-1]
    assert finished(corridor)[0].ledger.side_calls == ()


@CLIENTS
async def test_fresh_pictures_are_shown(house: House, client: str) -> None:
    corridor = await house.open()
    await ask(corridor, Leg(client, "openai"), request(says("What?", red()), model="glm-4.6"), stream=False)
    assert [seen(one).model for one in house.upstream.requests] == ["glm-4.6v"]
    assert finished(corridor)[0].ledger.cuts == ()


@CLIENTS
async def test_fresh_pictures_are_described_at_once_where_asked_for(house: House, client: str) -> None:
    corridor = await house.open(image_strategy="describe")
    await ask(corridor, Leg(client, "anthropic"), request(says("What?", red()), model="glm-4.6"), stream=False)
    assert (house.upstream.last.dialect, seen(house.upstream.last).model) == ("anthropic", "glm-4.6")
    assert SEEN in told(house)


async def test_old_pictures_beside_a_fresh_one(house: House) -> None:
    corridor = await house.open()
    asked = shown(red(), model="glm-4.6")
    asked = request(*asked.messages[:-1], says("And this?", red(9)), model="glm-4.6")
    await ask(corridor, Leg("openai", "openai"), asked, stream=False)
    assert seen(house.upstream.talks[-1]).model == "glm-4.6v"
    assert (told(house).count(SEEN), told(house).count("'picture'")) == (1, 1)


@pytest.mark.parametrize("upstream", ["anthropic", "openai"])
async def test_pictures_in_tool_results_age_too(house: House, upstream: str) -> None:
    corridor = await house.open()
    look = says(ToolCall("c1", "look", "{}"), role="assistant")
    rest = shown().messages[1:]
    asked = request("Look.", look, says(ToolResult("c1", (Text("Shot:"), red()))), *rest)
    await ask(corridor, Leg("anthropic", upstream), asked, stream=False)
    assert house.upstream.last.dialect == upstream
    assert SEEN in told(house)


async def test_responses_clients_have_them_described(house: House) -> None:
    corridor = await house.open()
    picture = {"type": "input_image", "image_url": f"data:image/png;base64,{red().data}", "detail": "auto"}
    said = [{"role": "user", "content": [{"type": "input_text", "text": "Look"}, picture]}]
    said += [{"role": role, "content": "ok"} for role in ("assistant", "user") * 2]
    async with open_openai(f"{corridor.url}/v1") as client:
        await client.responses.create(model="glm-4.6", input=said)
    assert SEEN in told(house)


def nonsense(text: str) -> Reply:
    return Reply(answer=Answer("v", "glm-4.6v", (Text(text),), StopReason.END_TURN, Usage(500, 0, 0, 3)))


FAULTS = {
    "fails": Reply(status=500, body={"error": {"code": "500", "message": "boom"}}),
    "busy": Reply(status=429, body={"error": {"code": "1302", "message": "Rate limit"}}),
    "refuses": Reply(status=400, body={"error": {"code": "1210", "message": "parameter"}}),
    "no json": Reply(body=b"<html>"),
    "an array": Reply(body=[1]),
    "nothing": Reply(body={}),
    "cut": Reply(cut_at=20, ending="abort"),
    "dots": nonsense("..."),
    "empty": nonsense(""),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@CLIENTS
async def test_a_vision_model_in_trouble_costs_a_placeholder(house: House, client: str, fault: Reply) -> None:
    corridor = await house.open()
    house.upstream.sight = fault
    heard = await ask(corridor, Leg(client, "anthropic"), shown(red()), stream=False)
    assert heard.text == "Hello, world."
    assert PLACEHOLDER in told(house)
    await ask(corridor, Leg(client, "anthropic"), shown(red(), turns=4), stream=False)
    calls = len(house.upstream.sights)
    await ask(corridor, Leg(client, "anthropic"), shown(red(), turns=5), stream=False)
    assert len(house.upstream.sights) == calls


@CLIENTS
async def test_what_comes_late_is_there_on_the_next_turn(house: House, client: str) -> None:
    corridor = await house.open(image_description_timeout=0.05)
    house.upstream.sight = late = Reply(answer=house.upstream.sight.answer, hold_at=0)
    await ask(corridor, Leg(client, "anthropic"), shown(red()), stream=False)
    assert PLACEHOLDER in told(house)
    late.gate.set()
    async with asyncio.timeout(CAP_S):
        while not await corridor.proxy.stores.descriptions.list():
            await asyncio.sleep(0.01)
    await ask(corridor, Leg(client, "anthropic"), shown(red(), turns=4), stream=False)
    assert SEEN in told(house)
    assert len(house.upstream.sights) == 1
