"""`/v1/responses` through the whole proxy, by the official SDK, over both kinds of upstream."""

from __future__ import annotations

import json

import openai
import pytest
from pydantic import BaseModel

from proxy_core.chat import Answer, StopReason, Text, Thinking, ToolCall, Usage
from proxy_core.dialects.crossing import Crossing
from proxy_core.dialects.table import CLIENT_DIALECTS, DIALECTS
from proxy_core.events import ExchangeFinished
from proxy_core.wire.sse import SseDecoder
from tests.corridor import Corridor
from tests.fake_upstream import HELLO, Reply
from tests.legs import seen
from tests.proxy_core.dialects.responses.builders import AGENTS, LOOK, PATCH, SEARCH, Client, codex_body, context

SIDES = pytest.mark.parametrize("side", ["anthropic", "openai"])
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
BEGIN = '*** Begin Patch\n*** Add File: é\n+"x\\"\n*** End Patch\n'
BUSY = Answer(
    "r1",
    "glm-4.6",
    (
        Thinking("First,\nthen…", "sig=="),
        Text("So."),
        ToolCall("c1", "look", '{"a":"ü"}'),
        ToolCall("c2", "apply_patch", json.dumps({"input": BEGIN})),
        ToolCall("c3", "agents__stop", "{}"),
    ),
    StopReason.TOOL_USE,
    Usage(9, 4, 0, 30),
)
TOOLS = {"tools": [LOOK, PATCH, AGENTS, SEARCH], "include": ["reasoning.encrypted_content"], "store": False}


async def ask(client: openai.AsyncOpenAI, side: str, *, stream: bool, **fields: object) -> object:
    """The response, plain or as the SDK's own accumulator leaves it."""
    asked = {"model": f"glm-4.6-{side}", "input": "go", **fields}
    if not stream:
        return await client.responses.create(**asked)
    async with client.responses.stream(**asked) as events:
        return await events.get_final_response()


@BOTH
@SIDES
async def test_talk(corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str, stream: bool) -> None:
    response = await ask(openai_client, side, stream=stream, instructions="Be kind.", input="Hi")
    assert (response.output_text, response.status, response.model) == (
        "Hello, world.",
        "completed",
        f"glm-4.6-{side}",
    )
    used = response.usage
    assert (used.input_tokens, used.input_tokens_details.cached_tokens, used.output_tokens) == (76, 64, 5)
    told = seen(corridor.upstream.last)
    assert (told.system, told.turns) == ("Be kind.", (("user", (("text", "Hi"),)),))
    assert corridor.upstream.last.dialect == side
    finished = corridor.events[-1]
    assert isinstance(finished, ExchangeFinished)
    assert (finished.exchange.client_dialect, finished.exchange.outcome) == ("responses", "done")


@BOTH
@SIDES
async def test_tools_of_all_kinds(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str, stream: bool
) -> None:
    corridor.upstream.reply = Reply(answer=BUSY)
    response = await ask(openai_client, side, stream=stream, **TOOLS)
    reasoning, message, look, patch, stop = response.output
    assert (reasoning.summary[0].text, message.content[0].text) == ("First,\nthen…", "So.")
    assert (look.type, look.call_id, look.name, look.arguments) == ("function_call", "c1", "look", '{"a":"ü"}')
    assert (patch.type, patch.call_id, patch.name, patch.input) == ("custom_tool_call", "c2", "apply_patch", BEGIN)
    assert (stop.name, stop.namespace, stop.arguments) == ("stop", "agents", "{}")
    assert [name for name, _, _ in seen(corridor.upstream.last).tools] == ["look", "apply_patch", "agents__stop"]


@BOTH
@SIDES
async def test_a_name_that_no_upstream_takes_comes_back_as_it_was(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str, stream: bool
) -> None:
    space, name = "mcp__a.server", "tool" * 20
    tools = [{"type": "namespace", "name": space, "description": "x", "tools": [{**PATCH, "name": name}]}]
    await ask(openai_client, side, stream=stream, tools=tools)
    ((sent, _, _),) = seen(corridor.upstream.last).tools
    assert len(sent) <= 64
    called = (ToolCall("c1", sent, json.dumps({"input": BEGIN})),)
    corridor.upstream.reply = Reply(answer=Answer("r", "glm-4.6", called, StopReason.TOOL_USE, Usage(1, 0, 0, 1)))
    (call,) = (await ask(openai_client, side, stream=stream, tools=tools)).output
    assert (call.type, call.namespace, call.name, call.input) == ("custom_tool_call", space, name, BEGIN)


@SIDES
async def test_the_next_turn_takes_everything_back(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str
) -> None:
    corridor.upstream.replies = [Reply(answer=BUSY)]
    response = await ask(openai_client, side, stream=True, **TOOLS)
    results = [
        {"type": "function_call_output", "call_id": "c1", "output": "seen"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "patched"}]},
        {"type": "function_call_output", "call_id": "c3", "output": ""},
    ]
    talk = [{"role": "user", "content": "go"}, *response.output, *results]
    await ask(openai_client, side, stream=False, input=talk, **TOOLS)
    _, said, answered = seen(corridor.upstream.last).turns
    calls = (("call", "c1", "look", {"a": "ü"}), ("call", "c2", "apply_patch", {"input": BEGIN}))
    assert said[1] == (("thinks", "First,\nthen…"), ("text", "So."), *calls, ("call", "c3", "agents__stop", {}))
    assert [item[2] for item in answered[1]] == ["seen", "patched", "(no output)"]


async def test_a_signature_comes_back_to_the_upstream(corridor: Corridor, openai_client: openai.AsyncOpenAI) -> None:
    corridor.upstream.replies = [Reply(answer=BUSY)]
    response = await ask(openai_client, "anthropic", stream=False, **TOOLS)
    await ask(openai_client, "anthropic", stream=False, input=[*response.output, {"role": "user", "content": "on"}])
    (thinking, *_) = corridor.upstream.last.body["messages"][1]["content"]
    assert (thinking["thinking"], thinking["signature"]) == ("First,\nthen…", "sig==")


@BOTH
@SIDES
async def test_what_codex_sends_is_served(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str, stream: bool
) -> None:
    odd = [{"type": "of_the_future", "x": 1}, {"type": "item_reference", "id": "x"}, {"type": "compaction"}]
    body = {**codex_body(*odd), "model": f"glm-4.6-{side}", "stream": stream}
    metadata = body.pop("client_metadata")
    raw = await openai_client.responses.with_raw_response.create(**body, extra_body={"client_metadata": metadata})
    parsed = raw.parse()
    response = [event async for event in parsed][-1].response if stream else parsed
    assert response.output_text == "Hello, world."
    dropped = "prompt_cache_key,client_metadata,input.of_the_future,input.item_reference,input.compaction"
    assert raw.headers["x-proxy-dropped"] == f"{dropped},tools.web_search"
    assert seen(corridor.upstream.last).system == "You code."


@SIDES
async def test_every_event_is_of_the_sdks_type(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str
) -> None:
    corridor.upstream.reply = Reply(answer=BUSY, piece_bytes=7, split=lambda text: list(text))
    events = await openai_client.responses.create(model=f"glm-4.6-{side}", input="go", stream=True, **TOOLS)
    followed = Client().follow([event.to_dict() async for event in events])
    assert followed["output"][3]["input"] == BEGIN


class Weather(BaseModel):
    """What is asked for."""

    city: str


@SIDES
async def test_parsed_output(corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str) -> None:
    corridor.upstream.reply = Reply(answer=Answer("r", "glm-4.6", (Text('{"city":"Paris"}'),), StopReason.END_TURN))
    response = await openai_client.responses.parse(model=f"glm-4.6-{side}", input="go", text_format=Weather)
    assert response.output_parsed == Weather(city="Paris")
    assert "JSON Schema" in seen(corridor.upstream.last).system


@BOTH
async def test_a_picture_goes_to_the_vision_model(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, stream: bool
) -> None:
    png = f"data:image/png;base64,{PNG}"
    content = [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": png, "detail": "auto"}]
    response = await ask(openai_client, "anthropic", stream=stream, input=[{"role": "user", "content": content}])
    assert response.output_text == "Hello, world."
    told = seen(corridor.upstream.last)
    assert (told.model, told.turns) == ("glm-4.6v", (("user", (("text", "What?"), ("picture", png))),))


@BOTH
@SIDES
async def test_an_answer_that_was_cut_short_is_incomplete(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str, stream: bool
) -> None:
    corridor.upstream.reply = Reply(answer=Answer("r", "glm-4.6", (Text("Hel"),), StopReason.MAX_TOKENS))
    asked = {"model": f"glm-4.6-{side}", "input": "go", "max_output_tokens": 16}
    response = await openai_client.responses.create(**asked, stream=stream)
    if stream:
        response = [event async for event in response][-1].response
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert (response.output[0].status, response.max_output_tokens) == ("incomplete", 16)
    assert corridor.upstream.last.body["max_tokens"] == 16


@pytest.mark.parametrize("ending", ["proper", "close", "abort"])
@SIDES
async def test_a_stream_that_dies_has_failed(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str, ending: str
) -> None:
    corridor.upstream.reply = Reply(answer=BUSY, cut_at=900, ending=ending)
    events = await openai_client.responses.create(model=f"glm-4.6-{side}", input="go", stream=True)
    last = Client().follow([event.to_dict() async for event in events])
    assert (last["status"], last["error"]["code"]) == ("failed", "server_error")
    assert "upstream" in last["error"]["message"]
    assert corridor.events[-1].exchange.outcome == "failed"


@SIDES
def test_wherever_the_upstream_breaks_off_the_client_gets_a_legal_failure(side: str) -> None:
    body = Reply(answer=BUSY, split=lambda text: [text]).render(side, stream=True)
    endings = {event["type"] for place in range(0, len(body), 11) for event in told(side, body[:place])[-1:]}
    assert endings == {"response.failed", "response.completed"}
    last = b"message_delta\ndata: " if side == "anthropic" else b'"finish_reason":"'
    stopped = body.index(b"\n\n", body.index(last))
    assert told(side, body[: stopped - 1])[-1]["type"] == "response.failed"


def told(side: str, body: bytes) -> list[dict[str, object]]:
    """The events that a client gets for what an upstream said before it broke off; they are legal."""
    asked = context(**TOOLS)
    crossing = Crossing(DIALECTS[side].open_reader(), CLIENT_DIALECTS["responses"].open_writer(asked))
    decoder = SseDecoder()
    written = [crossing.relay(event)[0] for event in (*decoder.feed(body), *decoder.flush())]
    events = SseDecoder().feed(b"".join(written) + crossing.close()[0])
    payloads = [json.loads(event.data) for event in events if event.data]
    Client().follow(payloads)
    return payloads


@BOTH
async def test_errors_before_the_answer_come_in_openais_envelope(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, stream: bool
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await openai_client.responses.create(model="glm-4.6", input="go", previous_response_id="resp_1", stream=stream)
    assert (refused.value.param, refused.value.type) == ("previous_response_id", "invalid_request_error")
    corridor.upstream.reply = Reply(
        status=400, body={"error": {"code": "1261", "message": "Prompt exceeds max length"}}
    )
    with pytest.raises(openai.BadRequestError) as overflow:
        await openai_client.responses.create(model="glm-4.6-openai", input="go", stream=stream)
    assert overflow.value.code == "context_length_exceeded"


async def test_one_call_at_a_time_is_asked_for(corridor: Corridor, openai_client: openai.AsyncOpenAI) -> None:
    asked = {"tools": [LOOK], "tool_choice": {"type": "function", "name": "look"}, "parallel_tool_calls": False}
    await ask(openai_client, "anthropic", stream=False, **asked)
    assert corridor.upstream.last.body["tool_choice"] == {
        "type": "tool",
        "name": "look",
        "disable_parallel_tool_use": True,
    }


async def test_a_stream_of_an_upstream_that_does_not_stream(
    corridor: Corridor, openai_client: openai.AsyncOpenAI
) -> None:
    whole = Reply(answer=HELLO).render("openai", stream=False)
    corridor.upstream.reply = Reply(body=whole, headers={"Content-Type": "application/json"})
    response = await ask(openai_client, "openai", stream=True)
    assert (response.output_text, response.status) == ("Hello, world.", "completed")
