"""What an upstream does not do by itself, through the whole proxy: SDKs see it done, streamed and plain."""

from __future__ import annotations

import json

import pytest

from proxy_core.chat import Answer, Image, StopReason, Text, Tool, ToolCall, ToolChoice, ToolResult, Usage
from tests.corridor import Corridor, call
from tests.fake_upstream import Reply
from tests.legs import LEGS, Leg, ask, openai_body, request, says

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
LONG = "mcp__server__" + "x" * 60
TOOLS = (Tool(LONG, "Does.", {"type": "object", "properties": {}}), Tool("look", "D", {"type": "object"}))
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
TO_OPENAI = pytest.mark.parametrize("leg", [leg for leg in LEGS if leg.upstream == "openai"], ids=str)
A_TO_O, O_TO_A = Leg("anthropic", "openai"), Leg("openai", "anthropic")


def said(text: str, *parts: ToolCall) -> Answer:
    """What the upstream says."""
    stop = StopReason.TOOL_USE if parts else StopReason.END_TURN
    return Answer("a1", "glm-4.6", (Text(text), *parts), stop, Usage(9, 0, 0, 7))


def offered(body: dict[str, object]) -> list[str]:
    """The names of the tools in a body of either dialect."""
    return [tool.get("function", tool)["name"] for tool in body["tools"]]


@BOTH
@TO_OPENAI
async def test_more_stop_sequences_than_the_upstream_takes(corridor: Corridor, leg: Leg, stream: bool) -> None:
    corridor.upstream.reply = Reply(answer=said("one two END three"), split=list)
    name = "stop_sequences" if leg.client == "anthropic" else "stop"
    heard = await ask(corridor, leg, request("Count."), stream=stream, **{name: ["first", "END"]})
    assert corridor.upstream.last.body["stop"] == ["first"]
    assert heard.text == "one two "
    assert heard.stop == ("stop_sequence" if leg.client == "anthropic" else "stop")


async def test_after_a_stop_sequence_the_upstream_is_left(corridor: Corridor) -> None:
    corridor.upstream.reply = Reply(answer=said("a END" + "." * 900), split=list, hold_at=80_000, piece_bytes=1_000)
    body = {**openai_body(request("Count.", model="glm-4.6-openai")), "stream": True, "stop": ["first", "END"]}
    got = await call(corridor, "POST", "/v1/chat/completions", body)
    await corridor.upstream.last.left.wait()
    assert got.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(("tail", "told"), [(" three", 7), ("." * 900, 9)], ids=["the upstream's own", "estimated"])
async def test_figures_behind_a_stop_sequence_are_told(corridor: Corridor, tail: str, told: int) -> None:
    corridor.upstream.reply = Reply(answer=said("one two END" + tail), split=list)
    body = {**openai_body(request("Count.", model="glm-4.6-openai")), "stream": True, "stop": ["first", "END"]}
    got = await call(corridor, "POST", "/v1/chat/completions", {**body, "stream_options": {"include_usage": True}})
    usage = json.loads(got.text.split("data: ")[-2])["usage"]
    assert usage["prompt_tokens"] > 0
    assert usage["completion_tokens"] in (told, told + 10)


async def test_a_silence_behind_a_stop_sequence_is_the_end(corridor: Corridor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corridor.proxy._porter._desk._corridor, "_beat_s", 0.03)
    corridor.upstream.reply = Reply(answer=said("a END" + "." * 20), split=list, hold_at=2_000, piece_bytes=100)
    heard = await ask(corridor, A_TO_O, request("Count."), stream=True, stop_sequences=["first", "END"])
    assert (heard.text, heard.stop) == ("a ", "stop_sequence")


@BOTH
async def test_a_line_end_stops_where_the_upstream_refuses_it(corridor: Corridor, stream: bool) -> None:
    corridor.upstream.reply = Reply(answer=said("line\nnext"), split=list)
    heard = await ask(corridor, O_TO_A, request("Go."), stream=stream, stop=["\n", "END"])
    assert corridor.upstream.last.body["stop_sequences"] == ["END"]
    assert (heard.text, heard.stop) == ("line", "stop")


@BOTH
@pytest.mark.parametrize("leg", [leg for leg in LEGS if leg != Leg("anthropic", "anthropic")], ids=str)
async def test_tools_keep_their_names_for_the_client(corridor: Corridor, leg: Leg, stream: bool) -> None:
    await ask(corridor, leg, request("Go.", tools=TOOLS), stream=False)
    safe, other = offered(corridor.upstream.last.body)
    assert (len(safe), other) == (64, "look")
    corridor.upstream.reply = Reply(answer=said("So.", ToolCall("c1", safe, "{}")))
    history = says(ToolCall("c0", LONG, "{}"), role="assistant")
    heard = await ask(
        corridor, leg, request("Go.", history, says(ToolResult("c0", (Text("ok"),))), tools=TOOLS), stream=stream
    )
    assert heard.calls == (("c1", LONG, {}),)
    assert LONG not in corridor.upstream.last.raw.decode()


@BOTH
@TO_OPENAI
async def test_one_call_at_a_time(corridor: Corridor, leg: Leg, stream: bool) -> None:
    two = said("So.", ToolCall("c1", "look", "{}"), ToolCall("c2", "look", "{}"))
    corridor.upstream.reply = Reply(answer=two)
    serial = (
        {"parallel_tool_calls": False}
        if leg.client == "openai"
        else {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    )
    heard = await ask(corridor, leg, request("Go.", tools=TOOLS), stream=stream, **serial)
    assert [name for _, name, _ in heard.calls] == ["look"]
    assert "parallel_tool_calls" not in corridor.upstream.last.body


@BOTH
@pytest.mark.parametrize("client", ["anthropic", "openai"])
async def test_thinking_and_boxes_in_the_text_of_an_older_vision_model(
    corridor: Corridor, client: str, stream: bool
) -> None:
    text = "<think>\nA cat?</think>\nIt is a <|begin_of_box|>cat<|end_of_box|>."
    corridor.upstream.reply = Reply(answer=said(text), split=list)
    talk = request(says("What?", Image("image/png", PNG)), model="glm-4.5v")
    heard = await ask(corridor, Leg(client, "openai"), talk, stream=stream)
    assert (heard.thinking, heard.text) == ("A cat?", "It is a cat.")


@BOTH
@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_json_by_a_schema_comes_without_its_fence(corridor: Corridor, leg: Leg, stream: bool) -> None:
    corridor.upstream.reply = Reply(answer=said('```json\n{"a": 1}\n```'), split=list)
    asked = (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}
        if leg.client == "openai"
        else {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    )
    heard = await ask(corridor, leg, request("Go."), stream=stream, **asked)
    assert heard.text == '{"a": 1}'
    assert corridor.upstream.last.body.get("response_format", {"type": "json_object"}) == {"type": "json_object"}


async def test_what_is_emulated_is_said(corridor: Corridor) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    talk = request("Go.", model="glm-4.6-openai", tools=TOOLS, tool_choice=ToolChoice("any"))
    body = {**openai_body(talk), "response_format": schema, "tool_choice": "required"}
    got = await call(corridor, "POST", "/v1/chat/completions", body)
    assert got.headers["x-proxy-emulated"] == "tool_choice,response_format"
    assert "x-proxy-dropped" not in got.headers
    assert corridor.upstream.last.body["tool_choice"] == "auto"


@BOTH
async def test_a_typed_tool_of_anthropics_is_offered_and_called(corridor: Corridor, stream: bool) -> None:
    corridor.upstream.reply = Reply(answer=said("So.", ToolCall("c1", "bash", '{"command":"ls"}')))
    tools = [{"type": "bash_20250124", "name": "bash"}, {"type": "web_search_20250305", "name": "web_search"}]
    heard = await ask(corridor, A_TO_O, request("Go."), stream=stream, tools=tools)
    assert heard.calls == (("c1", "bash", {"command": "ls"}),)
    assert offered(corridor.upstream.last.body) == ["bash"]
