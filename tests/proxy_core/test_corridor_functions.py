"""Clients that still offer `functions` are answered as they expect, whatever the upstream speaks."""

from __future__ import annotations

import json

import pytest

from proxy_core.chat import Answer, StopReason, Text, ToolCall, Usage
from tests.corridor import Corridor, open_openai
from tests.fake_upstream import Reply

LOOK = {"name": "look", "description": "D", "parameters": {"type": "object", "properties": {}}}
CALL = ToolCall("c1", "look", '{"at":"x"}')
TWO = Answer("a1", "glm-4.6", (Text("So."), CALL, ToolCall("c2", "look", "{}")), StopReason.TOOL_USE, Usage(9, 0, 0, 7))
HISTORY = [
    {"role": "user", "content": "Look."},
    {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": "{}"}},
    {"role": "function", "name": "look", "content": "seen"},
]
SIDES = pytest.mark.parametrize("side", ["anthropic", "openai"])


@SIDES
async def test_a_plain_call(corridor: Corridor, side: str) -> None:
    corridor.upstream.reply = Reply(answer=TWO)
    async with open_openai(f"{corridor.url}/v1") as client:
        done = await client.chat.completions.create(model=f"glm-4.6-{side}", messages=HISTORY, functions=[LOOK])
    choice = done.choices[0]
    assert choice.finish_reason == "function_call"
    assert (choice.message.content, choice.message.tool_calls) == ("So.", None)
    call = choice.message.function_call
    assert (call.name, json.loads(call.arguments)) == ("look", {"at": "x"})


@SIDES
async def test_a_streamed_call(corridor: Corridor, side: str) -> None:
    corridor.upstream.reply = Reply(answer=TWO)
    async with open_openai(f"{corridor.url}/v1") as client:
        chunks = await client.chat.completions.create(
            model=f"glm-4.6-{side}", messages=HISTORY, functions=[LOOK], stream=True
        )
        choices = [choice async for chunk in chunks for choice in chunk.choices]
    calls = [choice.delta.function_call for choice in choices if choice.delta.function_call]
    assert [call.name for call in calls if call.name] == ["look"]
    assert json.loads("".join(call.arguments or "" for call in calls)) == {"at": "x"}
    assert not any(choice.delta.tool_calls for choice in choices)
    assert choices[-1].finish_reason == "function_call"


@SIDES
async def test_who_knows_tools_as_well_gets_tool_calls(corridor: Corridor, side: str) -> None:
    corridor.upstream.reply = Reply(answer=TWO)
    tools = [{"type": "function", "function": {**LOOK, "name": "other"}}]
    async with open_openai(f"{corridor.url}/v1") as client:
        done = await client.chat.completions.create(
            model=f"glm-4.6-{side}", messages=HISTORY, functions=[LOOK], tools=tools
        )
    assert done.choices[0].finish_reason == "tool_calls"
    assert len(done.choices[0].message.tool_calls) == 2
