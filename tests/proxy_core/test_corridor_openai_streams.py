"""The official SDK's own stream helpers, both of them, over both kinds of upstream."""

from __future__ import annotations

import json

import openai
import pytest

from proxy_core.chat import Answer, StopReason, Text, Thinking, ToolCall, Usage
from proxy_core.wire.sse import SseDecoder
from tests.corridor import Corridor, call
from tests.fake_upstream import Reply
from tests.proxy_core.dialects.responses.builders import LOOK, Client

SIDES = pytest.mark.parametrize("side", ["anthropic", "openai"])
LOOKING, AGAIN = ToolCall("c1", "look", '{"a":"ü","n":[1,{"b":null}]}'), ToolCall("c2", "look", '{"a":"b"}')
USED = Usage(9, 4, 0, 7)
ONE = Answer("r1", "glm-4.6", (Thinking("Hm."), Text("So."), LOOKING), StopReason.TOOL_USE, USED)
TWO = Answer("r1", "glm-4.6", (LOOKING, AGAIN), StopReason.TOOL_USE, USED)
REFUSED = Answer("r1", "glm-4.6", (Text("No."),), StopReason.REFUSAL, USED)
CUT = Answer("r1", "glm-4.6", (Text("And th"),), StopReason.MAX_TOKENS, USED)
UNUSED = Answer("r1", "glm-4.6", (Text("Hello you."),), StopReason.END_TURN, Usage())
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
ANSWERS = pytest.mark.parametrize(
    ("answer", "finish", "status"),
    [
        pytest.param(ONE, "tool_calls", "completed", id="call"),
        pytest.param(TWO, "tool_calls", "completed", id="calls"),
        pytest.param(REFUSED, "content_filter", "incomplete", id="refusal"),
        pytest.param(CUT, "length", "incomplete", id="length"),
    ],
)
TURN = [{"role": "user", "content": "Go."}]


def chat_stream(client: openai.AsyncOpenAI, side: str) -> object:
    """The helper for chat completions, which adds the chunks up."""
    asked = {"model": f"glm-4.6-{side}", "messages": TURN, "stream_options": {"include_usage": True}}
    return client.chat.completions.stream(**asked, tools=[TOOL])


def response_stream(client: openai.AsyncOpenAI, side: str) -> object:
    """The helper for responses, which adds the events up."""
    return client.responses.stream(model=f"glm-4.6-{side}", input="Go.", tools=[LOOK])


def calls_of(answer: Answer) -> list[tuple[str, str, object]]:
    return [(part.id, part.name, json.loads(part.arguments)) for part in answer.parts if isinstance(part, ToolCall)]


def text_of(answer: Answer) -> str:
    return "".join(part.text for part in answer.parts if isinstance(part, Text))


@ANSWERS
@SIDES
async def test_chat_completions(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str, answer: Answer, finish: str, status: str
) -> None:
    corridor.upstream.reply = Reply(answer=answer)
    async with chat_stream(openai_client, side) as events:
        if status == "incomplete":  # the helper's own way to say so
            with pytest.raises((openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError)) as caught:
                await events.get_final_completion()
            assert isinstance(caught.value, openai.LengthFinishReasonError) is (finish == "length")
            return
        kinds = [event.type async for event in events]
        completion = await events.get_final_completion()
    (choice,) = completion.choices
    calls = [(c.id, c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls or ()]
    assert (choice.message.content or "", calls, choice.finish_reason) == (text_of(answer), calls_of(answer), finish)
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (13, 7)
    assert kinds.count("tool_calls.function.arguments.done") == len(calls)


@ANSWERS
@SIDES
async def test_responses(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str, answer: Answer, finish: str, status: str
) -> None:
    corridor.upstream.reply = Reply(answer=answer)
    async with response_stream(openai_client, side) as stream:
        response = [event async for event in stream][-1].response
    calls = [(c.call_id, c.name, json.loads(c.arguments)) for c in response.output if c.type == "function_call"]
    assert (response.output_text, calls, response.status) == (text_of(answer), calls_of(answer), status)
    assert (response.usage.input_tokens, response.usage.output_tokens) == (13, 7)


@ANSWERS
@SIDES
async def test_the_events_of_responses_are_legal(
    corridor: Corridor, side: str, answer: Answer, finish: str, status: str
) -> None:
    corridor.upstream.reply = Reply(answer=answer)
    asked = {"model": f"glm-4.6-{side}", "input": "Go.", "tools": [LOOK], "stream": True}
    got = await call(corridor, "POST", "/v1/responses", asked)
    events = [json.loads(event.data) for event in SseDecoder().feed(got.text.encode()) if event.data]
    assert Client().follow(events)["status"] == status


@SIDES
async def test_usage_that_never_came_is_reckoned(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str
) -> None:
    corridor.upstream.reply = Reply(answer=UNUSED)
    async with chat_stream(openai_client, side) as events:
        used = (await events.get_final_completion()).usage
    async with response_stream(openai_client, side) as events:
        also = (await events.get_final_response()).usage
    assert (used.completion_tokens, also.output_tokens) == (3, 3)
    assert used.prompt_tokens > 0
    assert also.input_tokens > 0


@SIDES
async def test_a_stream_that_breaks_raises(corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str) -> None:
    whole = Reply(answer=ONE).render(side, stream=True)
    corridor.upstream.reply = Reply(answer=ONE, cut_at=whole.index(b"\n\n", len(whole) // 2) + 2)
    with pytest.raises(openai.APIError, match="closed the stream"):
        async with chat_stream(openai_client, side) as events:
            _ = [event async for event in events]
    async with response_stream(openai_client, side) as events:
        kinds = [event.type async for event in events]
    assert kinds[-1] == "response.failed"


@SIDES
async def test_a_call_that_nothing_can_mend_raises(
    corridor: Corridor, openai_client: openai.AsyncOpenAI, side: str
) -> None:
    whole = Reply(answer=TWO).render(side, stream=True)
    corridor.upstream.reply = Reply(body=whole.replace(b'{\\"a\\":\\"b\\"}', b'{\\"a\\" \\"b\\"}'))
    with pytest.raises(openai.APIError, match="not JSON"):
        async with chat_stream(openai_client, side) as events:
            _ = [event async for event in events]
    async with response_stream(openai_client, side) as events:
        last = [event async for event in events][-1]
    assert (last.type, [call.call_id for call in last.response.output]) == ("response.failed", ["c1"])


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_what_we_have_no_word_for_survives_our_own_work(corridor: Corridor, stream: bool) -> None:
    said = json.loads(Reply(answer=CUT).render("openai", stream=False)) | {"web_search": [{"link": "x"}]}
    choice = {"index": 0, "finish_reason": "stop", "delta": {"content": "Hi"}}
    chunk = b"data: " + json.dumps({**said, "choices": [choice]}).encode() + b"\n\n"
    corridor.upstream.reply = Reply(body=chunk + b"data: [DONE]\n\n" if stream else said)
    asked = {"model": "glm-4.6-openai", "messages": TURN, "stop": ["a", "b"], "stream": stream}
    got = await call(corridor, "POST", "/v1/chat/completions", asked)
    assert got.status == 200
    assert '"web_search":[{"link":"x"}]' in got.text
