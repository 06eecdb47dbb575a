"""`/v1/completions` through the whole proxy, by the official SDK, over both kinds of upstream."""

from __future__ import annotations

import openai
import pytest

from proxy_core.chat import Answer, StopReason, Text, Thinking, Usage
from tests.corridor import Corridor
from tests.fake_upstream import Reply
from tests.legs import seen

SIDES = pytest.mark.parametrize("side", ["anthropic", "openai"])
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
ANSWER = Answer(
    "up1", "glm-4.6", (Thinking("Hm.", "s"), Text("x):\n    return x")), StopReason.MAX_TOKENS, Usage(5, 2, 0, 9)
)


@BOTH
@SIDES
async def test_a_prompt_is_completed(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str, stream: bool
) -> None:
    corridor.upstream.reply = Reply(answer=ANSWER)
    asked = {"model": f"glm-4.6-{side}", "prompt": ["def f("], "max_tokens": 9, "temperature": 0, "seed": 1}
    options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    answer = await openai_client.completions.create(**asked, **options)
    chunks = [chunk async for chunk in answer] if stream else [answer]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.text for choice in choices) == "x):\n    return x"
    assert (choices[-1].finish_reason, chunks[-1].usage.total_tokens) == ("length", 16)
    assert {(chunk.object, chunk.model) for chunk in chunks} == {("text_completion", f"glm-4.6-{side}")}
    told = corridor.upstream.last
    assert (told.dialect, seen(told).turns) == (side, (("user", (("text", "def f("),)),))
    assert (told.body["max_tokens"], told.body["thinking"]["type"]) == (9, "disabled")


@SIDES
async def test_a_gap_is_filled(corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str) -> None:
    await openai_client.completions.create(model=f"glm-4.6-{side}", prompt="def f(", suffix="return x", stop=["\n"])
    told = seen(corridor.upstream.last)
    assert told.turns == (("user", (("text", "<prefix>def f(</prefix>\n<suffix>return x</suffix>"),)),)
    assert "nothing else" in told.system


@BOTH
@pytest.mark.parametrize(
    ("fields", "param"),
    [({"prompt": ["a", "b"]}, "prompt"), ({"echo": True}, "echo"), ({"logprobs": 1}, "logprobs"), ({"n": 2}, "n")],
)
async def test_the_impossible_is_refused_by_name(
    openai_client: openai.AsyncOpenAI, fields: dict[str, object], param: str, stream: bool
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await openai_client.completions.create(**{"model": "glm-4.6", "prompt": "a", "stream": stream, **fields})
    assert (caught.value.param, caught.value.type) == (param, "invalid_request_error")


@pytest.mark.parametrize("ending", ["proper", "close", "abort"])
@SIDES
async def test_a_stream_that_dies_raises(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str, ending: str
) -> None:
    corridor.upstream.reply = Reply(answer=ANSWER, cut_at=500, ending=ending)
    chunks = await openai_client.completions.create(model=f"glm-4.6-{side}", prompt="a", stream=True)
    with pytest.raises(openai.APIError, match="upstream"):
        _ = [chunk async for chunk in chunks]
