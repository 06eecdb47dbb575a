"""Thinking through the whole proxy: thinking blocks on one side, reasoning_content on the other."""

from __future__ import annotations

import pytest

from proxy_core.chat import Answer, Sampling, StopReason, Text, Thinking, ToolCall, ToolResult, Usage
from tests.corridor import Corridor
from tests.fake_upstream import Reply
from tests.legs import CROSSING, LEGS, SAME, Leg, ask, request, says, seen

A_TO_O, O_TO_A = CROSSING
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
THOUGHT = Answer(
    "t1",
    "glm-4.6",
    (Thinking("First, 你好.\nThen…", "sig=="), Text("So."), ToolCall("c1", "now", "{}")),
    StopReason.TOOL_USE,
    Usage(9, 0, 0, 30, 20),
)


@BOTH
@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_thinking_comes_back(corridor: Corridor, leg: Leg, stream: bool) -> None:
    corridor.upstream.reply = Reply(answer=THOUGHT)
    heard = await ask(corridor, leg, request("go"), stream=stream)
    assert (heard.thinking, heard.text) == ("First, 你好.\nThen…", "So.")
    assert heard.calls == (("c1", "now", {}),)


@BOTH
@pytest.mark.parametrize("leg", [leg for leg in LEGS if leg.client == "anthropic"], ids=str)
async def test_thinking_that_is_to_be_omitted_is_empty(corridor: Corridor, leg: Leg, stream: bool) -> None:
    corridor.upstream.reply = Reply(answer=THOUGHT)
    asked = {"type": "adaptive", "display": "omitted"}
    heard = await ask(corridor, leg, request("go"), stream=stream, thinking=asked)
    assert (heard.thinking, heard.text) == ("", "So.")


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_thinking_of_earlier_turns_goes_along(corridor: Corridor, leg: Leg) -> None:
    spoken = says(Thinking("Hm.", "sig=="), "Yes.", ToolCall("c1", "now", "{}"), role="assistant")
    await ask(corridor, leg, request("go", spoken, says(ToolResult("c1", (Text("noon"),)))), stream=False)
    items = (("thinks", "Hm."), ("text", "Yes."), ("call", "c1", "now", {}))
    assert seen(corridor.upstream.last).turns[1] == ("assistant", items)


async def test_earlier_reasoning_is_asked_to_be_kept(corridor: Corridor) -> None:
    spoken = says(Thinking("Hm.", "sig=="), "Yes.", role="assistant")
    await ask(corridor, A_TO_O, request("go", spoken, "on"), stream=False)
    assert corridor.upstream.last.body["thinking"] == {"type": "enabled", "clear_thinking": False}


ENABLED = {"thinking": {"type": "enabled", "budget_tokens": 2000}}
DISABLED = {"thinking": {"type": "disabled"}}
ADAPTIVE = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}}
ROWS = [
    (A_TO_O, "glm-4.6", ENABLED, {"thinking": {"type": "enabled"}}),
    (A_TO_O, "glm-4.6", DISABLED, {"thinking": {"type": "disabled"}}),
    (A_TO_O, "glm-5.3", ENABLED, {"reasoning_effort": "low"}),
    (A_TO_O, "glm-5.3", DISABLED, {"reasoning_effort": "low"}),
    (A_TO_O, "glm-5.3", ADAPTIVE, {"reasoning_effort": "high"}),
    (A_TO_O, "glm-5.2", ADAPTIVE, {"reasoning_effort": "high"}),
    (O_TO_A, "glm-4.6", {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
    (O_TO_A, "glm-4.6", {"reasoning_effort": "high"}, {"thinking": {"type": "enabled", "budget_tokens": 8192}}),
    (O_TO_A, "glm-5.3", {"reasoning_effort": "medium"}, {"output_config": {"effort": "high"}}),
    (O_TO_A, "glm-5.3", {"reasoning_effort": "none"}, {"output_config": {"effort": "low"}}),
    (O_TO_A, "glm-4.6", DISABLED, {"thinking": {"type": "disabled"}}),
    (SAME[0], "glm-4.6", ENABLED, ENABLED),
    (SAME[0], "glm-5.3", DISABLED, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
    (SAME[1], "glm-4.6", DISABLED, DISABLED),
    (SAME[1], "glm-5.3", {"reasoning_effort": "minimal"}, {"reasoning_effort": "low"}),
]


@pytest.mark.parametrize(("leg", "model", "asked", "sent"), ROWS, ids=str)
async def test_what_was_asked_about_thinking_reaches_the_upstream(
    corridor: Corridor, leg: Leg, model: str, asked: dict[str, object], sent: dict[str, object]
) -> None:
    talk = request("go", model=f"{model}-{leg.upstream}", sampling=Sampling(20_000))
    await ask(corridor, leg, talk, stream=False, **asked)
    body = corridor.upstream.last.body
    assert {name: body.get(name) for name in sent} == sent
    assert model != "glm-5.3" or body.get("thinking", {}).get("type") != "disabled"


@pytest.mark.parametrize("enabled", [True, False])
async def test_the_default_for_clients_that_say_nothing(corridor: Corridor, enabled: bool) -> None:
    corridor.change(enable_zai_thinking=enabled)
    await ask(corridor, A_TO_O, request("go"), stream=False)
    assert corridor.upstream.last.body.get("thinking") == ({"type": "enabled"} if enabled else None)
