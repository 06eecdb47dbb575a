"""Refusals that are worth one change: through the whole proxy, before anything has reached the client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from proxy_core.chat import Answer, Message, StopReason, Text, ToolCall, Usage, with_messages
from proxy_core.errors import UpstreamError
from proxy_core.pipeline.attempt import Ask, Attempt
from tests.corridor import Corridor, Got
from tests.fake_upstream import FakeUpstream, Reply
from tests.legs import CROSSING, LEGS, SAME, Leg
from tests.proxy_core.test_corridor_codes import ask, envelope
from tests.proxy_core.test_corridor_retries import finished

BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
ALL_LEGS = pytest.mark.parametrize("leg", LEGS, ids=str)
CLIENTS = pytest.mark.parametrize("client", ["anthropic", "openai"])
A_TO_O = CROSSING[0]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ALWAYS_THINKS = "This model always engages in thinking and cannot be disabled; please use low, high, or max"
CAPPED = "max_tokens参数非法，取值范围[1, 98304]"
TEXT_ONLY = "messages.content.type 参数非法，取值范围 ['text']"
UNEXPLAINED = "API 调用参数有误，请检查文档。"
SHOWN = {
    "anthropic": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    "openai": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
}
NO_THINKING = {"anthropic": {"thinking": {"type": "disabled"}}, "openai": {"reasoning_effort": "none"}}
LOW_EFFORT = {
    "anthropic": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
    "openai": {"reasoning_effort": "low"},
}
DETAIL = {"type": "literal_error", "loc": ["body", "messages", 1, "role"], "msg": "Input should be 'user'"}
TWO_ROLES = Reply(status=422, body={"detail": [DETAIL]})
WITH_SYSTEM = [
    {"role": "user", "content": "one", "novel": 1},
    {"role": "system", "content": "In French."},
    {"role": "assistant", "content": "two"},
    {"role": "user", "content": "three"},
]
REMINDER = {"type": "text", "text": "<system-reminder>\nIn French.\n</system-reminder>"}
FOLDED = [
    {"role": "user", "content": [{"type": "text", "text": "one"}, REMINDER], "novel": 1},
    *WITH_SYSTEM[2:],
]


def refusal(leg: Leg, text: str, code: str = "1210") -> Reply:
    return Reply(status=400, body=envelope(leg.upstream, code, text))


def sent(corridor: Corridor) -> list[dict[str, object]]:
    """The bodies that the upstream was sent."""
    return [received.body for received in corridor.upstream.requests]


def repairs(got: Got) -> str | None:
    return got.headers.get("x-proxy-repaired")


@BOTH
@ALL_LEGS
async def test_a_model_that_always_thinks_is_asked_for_little(corridor: Corridor, leg: Leg, stream: bool) -> None:
    corridor.upstream.replies = [refusal(leg, ALWAYS_THINKS)]
    got = await ask(corridor, leg, model=f"glm-6-{leg.upstream}", stream=stream, **NO_THINKING[leg.client])
    assert (got.status, repairs(got), "Hello" in got.text) == (200, "thinking", True)
    first, second = sent(corridor)
    assert first["thinking"] == {"type": "disabled"}
    low = LOW_EFFORT[leg.upstream]
    assert {name: second.get(name) for name in low} == low
    assert finished(corridor).retries == 1


@BOTH
@ALL_LEGS
async def test_max_tokens_follow_the_range_that_is_named(corridor: Corridor, leg: Leg, stream: bool) -> None:
    corridor.upstream.replies = [refusal(leg, CAPPED)]
    got = await ask(corridor, leg, model=f"glm-6-{leg.upstream}", max_tokens=120_000, stream=stream)
    assert (got.status, repairs(got)) == (200, "max_tokens")
    assert [body["max_tokens"] for body in sent(corridor)] == [120_000, 98_304]


async def look(corridor: Corridor, client: str, *, stream: bool = False) -> Got:
    """A picture for a model that is said to see."""
    says = [{"role": "user", "content": [{"type": "text", "text": "What?"}, SHOWN[client]]}]
    return await ask(corridor, Leg(client, "openai"), model="glm-5.3-flash", messages=says, stream=stream)


@BOTH
@CLIENTS
async def test_a_refused_picture_goes_to_the_vision_model(corridor: Corridor, client: str, stream: bool) -> None:
    corridor.upstream.replies = [refusal(A_TO_O, TEXT_ONLY)]
    got = await look(corridor, client, stream=stream)
    assert (got.status, repairs(got)) == (200, "picture")
    assert [body["model"] for body in sent(corridor)] == ["glm-5.3-flash", "glm-4.6v"]
    assert got.headers["x-proxy-route"] == "fake/openai/glm-4.6v"
    exchange = finished(corridor)
    assert (exchange.served_model, exchange.asked_model) == ("glm-4.6v", "glm-5.3-flash")
    assert exchange.reason == "a picture: glm-5.3-flash does not take it"


@BOTH
@CLIENTS
async def test_a_refusal_without_reasons_is_repaired_twice(corridor: Corridor, client: str, stream: bool) -> None:
    corridor.upstream.replies = [refusal(A_TO_O, UNEXPLAINED), refusal(A_TO_O, UNEXPLAINED)]
    got = await look(corridor, client, stream=stream)
    assert (got.status, repairs(got)) == (200, "no_max_tokens,picture")
    limits = [(body["model"], body.get("max_tokens")) for body in sent(corridor)]
    assert limits == [("glm-5.3-flash", 9), ("glm-5.3-flash", None), ("glm-4.6v", None)]
    assert finished(corridor).retries == 2


async def test_a_repair_that_changes_nothing_is_none(corridor: Corridor) -> None:
    corridor.change(autovision_model="glm-5.3-flash")
    corridor.upstream.reply = refusal(A_TO_O, TEXT_ONLY)
    assert (await look(corridor, "openai")).status == 400
    assert len(sent(corridor)) == 1


@BOTH
async def test_system_messages_are_folded_and_the_server_is_remembered(corridor: Corridor, stream: bool) -> None:
    corridor.upstream.allow("system")
    corridor.upstream.replies = [TWO_ROLES]
    got = await ask(corridor, SAME[0], messages=WITH_SYSTEM, stream=stream)
    assert (got.status, repairs(got), "Hello" in got.text) == (200, "system", True)
    again = await ask(corridor, SAME[0], messages=WITH_SYSTEM, stream=stream)
    assert (again.status, repairs(again)) == (200, None)
    assert [body["messages"] for body in sent(corridor)] == [WITH_SYSTEM, FOLDED, FOLDED]


@pytest_asyncio.fixture
async def other(corridor: Corridor) -> AsyncIterator[FakeUpstream]:
    """The fail-over server, with the same key."""
    other = FakeUpstream()
    other.allow("system")
    corridor.upstream.allow("system")
    corridor.failover = (await other.start()).model_copy(update={"name": "other"})
    yield other
    await other.stop()
    assert other.violations == []


async def test_each_server_is_remembered_for_itself(corridor: Corridor, other: FakeUpstream) -> None:
    corridor.upstream.reply = refusal(SAME[0], "No", "1200")
    other.replies = [TWO_ROLES]
    for _ in range(2):
        assert (await ask(corridor, SAME[0], messages=WITH_SYSTEM)).status == 200
    assert [received.body["messages"] for received in other.requests] == [WITH_SYSTEM, FOLDED, FOLDED]
    assert all(body["messages"] == WITH_SYSTEM for body in sent(corridor))


async def test_a_repair_goes_along_to_the_other_server(corridor: Corridor, other: FakeUpstream) -> None:
    corridor.upstream.reply = refusal(SAME[0], "No", "1200")
    corridor.upstream.replies = [refusal(SAME[0], CAPPED)]
    got = await ask(corridor, SAME[0], model="glm-6", max_tokens=120_000)
    assert (got.status, repairs(got)) == (200, "max_tokens")
    assert [received.body["max_tokens"] for received in other.requests] == [98_304]


async def test_a_fold_that_did_not_help_is_not_remembered(corridor: Corridor) -> None:
    corridor.upstream.allow("system")
    corridor.upstream.replies = [TWO_ROLES, TWO_ROLES]
    assert (await ask(corridor, SAME[0], messages=WITH_SYSTEM)).status == 422
    await ask(corridor, SAME[0], messages=WITH_SYSTEM)
    assert [body["messages"] for body in sent(corridor)] == [WITH_SYSTEM, FOLDED, WITH_SYSTEM]


@BOTH
@pytest.mark.parametrize(
    ("text", "code", "fields", "requests"),
    [
        pytest.param(CAPPED, "1210", {"max_tokens": 120_000}, 2, id="each once"),
        pytest.param(CAPPED, "1210", {"max_tokens": 9}, 1, id="nothing to clamp"),
        pytest.param(ALWAYS_THINKS, "1210", {}, 2, id="thinking"),
        pytest.param("Model does not support image input", "1210", {}, 1, id="no picture"),
        pytest.param("System detected sensitive content; role", "1301", {"messages": WITH_SYSTEM}, 1, id="content"),
        pytest.param("Prompt exceeds max length of max_tokens 8192", "1261", {"max_tokens": 9000}, 1, id="too long"),
        pytest.param("No such role", "1211", {"messages": WITH_SYSTEM}, 1, id="model"),
    ],
)
async def test_what_no_repair_helps_is_passed_on(
    corridor: Corridor, text: str, code: str, fields: dict[str, object], requests: int, stream: bool
) -> None:
    corridor.upstream.allow("system")
    corridor.upstream.reply = refusal(SAME[0], text, code)
    got = await ask(corridor, SAME[0], model="glm-6", stream=stream, **fields)
    assert got.status in (400, 404)
    assert isinstance(got.body, dict) and got.body["type"] == "error"
    assert len(sent(corridor)) == requests


@pytest.mark.parametrize(("most", "count"), [(0, 1), (1, 3)])
async def test_two_repairs_at_most_and_none_where_nothing_is_tried_again(
    corridor: Corridor, most: int, count: int
) -> None:
    corridor.change(max_retries=most)
    corridor.upstream.replies = [refusal(SAME[1], text) for text in (ALWAYS_THINKS, CAPPED, TEXT_ONLY)]
    says = [{"role": "user", "content": [{"type": "text", "text": "What?"}, SHOWN["openai"]]}]
    got = await ask(corridor, SAME[1], model="glm-5.3-flash", messages=says, max_tokens=120_000)
    assert (got.status, len(sent(corridor))) == (400, count)


@BOTH
@pytest.mark.parametrize(("shorter", "status"), [("", 400), ("in short", 200)], ids=["no remedy", "a remedy"])
async def test_a_repair_may_take_time(corridor: Corridor, shorter: str, status: int, stream: bool) -> None:
    async def condense(error: UpstreamError, attempt: Attempt) -> Ask | None:
        await asyncio.sleep(0)
        messages = (Message("user", (Text(shorter),)),)
        return replace(attempt.ask, conversation=with_messages(attempt.ask.conversation, messages)) if shorter else None

    corridor.proxy._corridor._sender._sender._further = {"condensed": condense}
    corridor.upstream.replies = [refusal(SAME[0], "Prompt exceeds max length", "1261")]
    got = await ask(corridor, SAME[0], text="at length", stream=stream)
    assert (got.status, repairs(got)) == (status, "condensed" if shorter else None)
    assert [str(body["messages"]).count("in short") for body in sent(corridor)] == ([0, 1] if shorter else [0])


@pytest.mark.parametrize("took_s", [0.0, 1e9])
async def test_a_repair_must_be_within_the_time_of_the_request(
    corridor: Corridor, took_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.0])
    monkeypatch.setattr(corridor.proxy._corridor._sender._sender, "_clock", lambda: next(times, took_s))
    corridor.upstream.replies = [refusal(SAME[0], CAPPED)]
    got = await ask(corridor, SAME[0], model="glm-6", max_tokens=120_000)
    assert got.status == (400 if took_s else 200)


TOOLS = {
    "anthropic": {
        "tools": [{"name": "look", "description": "D", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any"},
    },
    "openai": {
        "tools": [{"type": "function", "function": {"name": "look", "description": "D", "parameters": {}}}],
        "tool_choice": "required",
    },
}


def answered(text: str, *calls: ToolCall, stop: StopReason = StopReason.END_TURN) -> Reply:
    stop = StopReason.TOOL_USE if calls else stop
    return Reply(answer=Answer("a1", "glm-4.6", (Text(text), *calls), stop, Usage(9, 0, 0, 7)))


CALLED = answered("So.", ToolCall("c1", "look", "{}"))


@pytest.mark.parametrize("leg", [leg for leg in LEGS if leg.upstream == "openai"], ids=str)
@pytest.mark.parametrize(
    ("replies", "stream", "retries", "told", "requests"),
    [
        pytest.param([answered("No."), CALLED], False, 3, "So.", 2, id="called then"),
        pytest.param([answered("No."), answered("Never.")], False, 3, "Never.", 2, id="not then either"),
        pytest.param([answered("No."), refusal(A_TO_O, "Hm")], False, 3, "No.", 2, id="refused then"),
        pytest.param([answered("No."), CALLED], False, 0, "No.", 1, id="no retries"),
        pytest.param([answered("No.", stop=StopReason.MAX_TOKENS)], False, 3, "No.", 1, id="cut"),
        pytest.param([CALLED], False, 3, "So.", 1, id="called at once"),
        pytest.param([answered("No."), CALLED], True, 3, "No.", 1, id="streamed"),
    ],
)
async def test_a_demanded_call_is_demanded_once_more(
    corridor: Corridor, leg: Leg, replies: list[Reply], stream: bool, retries: int, told: str, requests: int
) -> None:
    corridor.change(max_retries=retries)
    corridor.upstream.replies = list(replies)
    got = await ask(corridor, leg, stream=stream, **TOOLS[leg.client])
    assert (got.status, told in got.text) == (200, True)
    assert len({received.raw for received in corridor.upstream.requests}) == 1
    assert len(sent(corridor)) == requests
    assert (finished(corridor).outcome, finished(corridor).retries) == ("done", requests - 1)
    assert repairs(got) == ("tool_choice" if requests == 2 and told != "No." else None)


async def test_a_call_that_was_not_demanded_is_not_missed(corridor: Corridor) -> None:
    corridor.upstream.reply = answered("No.")
    await ask(corridor, A_TO_O, tools=TOOLS["anthropic"]["tools"])
    assert len(sent(corridor)) == 1


@BOTH
@CLIENTS
async def test_a_prefill_is_continued(corridor: Corridor, client: str, stream: bool) -> None:
    says = [{"role": "user", "content": "JSON."}, {"role": "assistant", "content": "{"}]
    got = await ask(corridor, Leg(client, "openai"), messages=says, stream=stream)
    added = [] if client == "openai" else ["Continue exactly from where the previous message stopped."]
    assert [message["content"] for message in corridor.upstream.last.body["messages"]] == ["JSON.", "{", *added]
    assert got.headers.get("x-proxy-emulated") == ("prefill" if added else None)
