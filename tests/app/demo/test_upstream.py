"""The demo over real sockets, called by the official SDKs as if it were the real upstream."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator

import anthropic
import httpx2
import openai
import pytest
import pytest_asyncio
from PIL import Image as Pillow

from app.demo import DemoUpstream
from proxy_core.settings import Server
from tests.corridor import open_anthropic, open_openai

PARAMETERS = {"type": "object", "properties": {"filePath": {"type": "string"}, "content": {"type": "string"}}}
WRITE = {**PARAMETERS, "required": ["filePath", "content"]}
OPENAI_TOOLS = [{"type": "function", "function": {"name": "write", "description": "Writes.", "parameters": WRITE}}]
ANTHROPIC_TOOLS = [{"name": "write", "description": "Writes.", "input_schema": WRITE}]
TWO_FILES = "Working directory: /w\n<task>write two files a.txt and b.txt, fast</task>"


@pytest_asyncio.fixture
async def demo() -> AsyncIterator[Server]:
    upstream = DemoUpstream(tokens_per_s=100_000.0)
    yield await upstream.start()
    await upstream.stop()


@pytest_asyncio.fixture
async def claude(demo: Server) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with open_anthropic(demo.anthropic_base) as client:
        yield client


@pytest_asyncio.fixture
async def gpt(demo: Server) -> AsyncIterator[openai.AsyncOpenAI]:
    async with open_openai(demo.openai_base) as client:
        yield client


def user(text: object) -> list[dict[str, object]]:
    return [{"role": "user", "content": text}]


async def streamed(client: anthropic.AsyncAnthropic, prompt: str, **more: object) -> anthropic.types.Message:
    async with client.messages.stream(model="glm-4.6", max_tokens=4000, messages=user(prompt), **more) as stream:
        return await stream.get_final_message()


async def test_a_streamed_message_is_the_plain_one(claude: anthropic.AsyncAnthropic) -> None:
    thinking = {"type": "enabled", "budget_tokens": 2000}
    fields = {"model": "glm-4.6", "max_tokens": 4000, "messages": user("Hello, fast"), "thinking": thinking}
    plain = await claude.messages.create(**fields)
    async with claude.messages.stream(**fields) as stream:
        whole = await stream.get_final_message()
    assert [block.type for block in plain.content] == ["thinking", "text"]
    assert "You wrote: “Hello, fast”" in plain.content[1].text
    assert [block.to_dict() for block in whole.content] == [block.to_dict() for block in plain.content]
    assert whole.stop_reason == plain.stop_reason == "end_turn"
    assert whole.usage.output_tokens == plain.usage.output_tokens > 50


async def test_message_start_claims_no_usage(claude: anthropic.AsyncAnthropic) -> None:
    stream = await claude.messages.create(model="glm-4.6", max_tokens=9, messages=user("hello"), stream=True)
    events = [event async for event in stream]
    assert (events[0].message.usage.input_tokens, events[0].message.usage.output_tokens) == (0, 0)
    assert (events[-2].delta.stop_reason, events[-2].usage.output_tokens <= 9) == ("max_tokens", True)


async def test_a_stream_has_usage_on_its_last_chunk(gpt: openai.AsyncOpenAI) -> None:
    history = [*user("one"), {"role": "assistant", "content": "two " * 200}, *user("count to 12")]
    stream = await gpt.chat.completions.create(model="glm-4.6", messages=history, stream=True)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert 0 < chunks[-1].usage.prompt_tokens_details.cached_tokens < chunks[-1].usage.prompt_tokens


async def test_reasoning_comes_first_when_asked_for(gpt: openai.AsyncOpenAI) -> None:
    thinking = {"thinking": {"type": "enabled"}}
    stream = await gpt.chat.completions.create(model="glm-4.6", messages=user("hi"), stream=True, extra_body=thinking)
    order = [
        "thinks" if "reasoning_content" in chunk.choices[0].delta.model_extra else "talks" async for chunk in stream
    ]
    assert order.index("talks") == order.count("thinks") > 5


async def test_tools_are_called_in_parallel_and_the_turn_is_closed(claude: anthropic.AsyncAnthropic) -> None:
    called = await streamed(claude, TWO_FILES, tools=ANTHROPIC_TOOLS)
    calls = [block for block in called.content if block.type == "tool_use"]
    assert [call.input["filePath"] for call in calls] == ["/w/a.txt", "/w/b.txt"]
    assert called.stop_reason == "tool_use"
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "ok"} for call in calls]
    history = [*user(TWO_FILES), {"role": "assistant", "content": called.content}, *user(results)]
    closed = await claude.messages.create(model="glm-4.6", max_tokens=999, messages=history, tools=ANTHROPIC_TOOLS)
    assert (closed.content[0].text, closed.stop_reason) == ("Done.\nwrite answered: ok\nwrite answered: ok", "end_turn")


async def test_single_calls_come_one_after_the_other(claude: anthropic.AsyncAnthropic) -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    history = user(TWO_FILES)
    paths: list[str] = []
    for _ in range(2):
        said = await claude.messages.create(
            model="glm-4.6", max_tokens=999, messages=history, tools=ANTHROPIC_TOOLS, tool_choice=choice
        )
        calls = [block for block in said.content if block.type == "tool_use"]
        paths += [call.input["filePath"] for call in calls]
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": "ok"} for call in calls]
        history = [*history, {"role": "assistant", "content": said.content}, *user(results)]
    assert paths == ["/w/a.txt", "/w/b.txt"]


async def test_a_tool_is_called_on_the_openai_side(gpt: openai.AsyncOpenAI) -> None:
    prompt = user('Write a file hello.txt with "Hi"')
    said = await gpt.chat.completions.create(model="glm-4.6", messages=prompt, tools=OPENAI_TOOLS)
    call = said.choices[0].message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("write", '{"filePath":"hello.txt","content":"Hi\\n"}')
    assert said.choices[0].finish_reason == "tool_calls"


async def test_a_forced_tool_is_called_whatever_the_prompt(gpt: openai.AsyncOpenAI) -> None:
    said = await gpt.chat.completions.create(
        model="glm-4.6", messages=user("hello"), tools=OPENAI_TOOLS, tool_choice="required"
    )
    assert said.choices[0].message.tool_calls[0].function.name == "write"


def picture_url() -> str:
    drawn = io.BytesIO()
    Pillow.new("RGB", (64, 64), "green").save(drawn, "PNG")
    return f"data:image/png;base64,{base64.b64encode(drawn.getvalue()).decode()}"


async def test_a_picture_is_described_by_models_that_see(gpt: openai.AsyncOpenAI) -> None:
    parts = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": picture_url()}}]
    said = await gpt.chat.completions.create(model="glm-4.6v", messages=user(parts))
    assert "square PNG picture of 64 by 64 pixels, mostly" in said.choices[0].message.content
    with pytest.raises(openai.BadRequestError) as caught:
        await gpt.chat.completions.create(model="glm-4.6", messages=user(parts))
    assert caught.value.code == "1210"


@pytest.mark.parametrize(
    ("prompt", "kind", "code"),
    [
        ("demo error 1302", anthropic.RateLimitError, "1302"),
        ("error overloaded", anthropic.InternalServerError, "1305"),
        ("error 401", anthropic.AuthenticationError, "1000"),
        ("error 1261", anthropic.BadRequestError, "1261"),
    ],
)
async def test_faults_come_on_demand(
    claude: anthropic.AsyncAnthropic, prompt: str, kind: type[anthropic.APIStatusError], code: str
) -> None:
    with pytest.raises(kind) as caught:
        await streamed(claude, prompt)
    assert caught.value.body["error"]["code"] == code


@pytest.mark.parametrize("stream", [False, True])
async def test_a_cut_answer_does_not_look_whole(gpt: openai.AsyncOpenAI, stream: bool) -> None:
    with pytest.raises((openai.APIConnectionError, httpx2.TransportError)):
        said = await gpt.chat.completions.create(model="glm-4.6", messages=user("demo error cut"), stream=stream)
        if stream:
            _ = [chunk async for chunk in said]


async def test_a_wrong_key_is_refused(demo: Server) -> None:
    async with open_openai(demo.openai_base, "wrong-key") as client:
        with pytest.raises(openai.AuthenticationError, match="Token invalid"):
            await client.chat.completions.create(model="glm-4.6", messages=user("hello"))


@pytest.mark.parametrize(("json_format", "text"), [({"type": "json_object"}, '{"answer":'), (None, "You wrote")])
async def test_json_is_answered_where_asked_for(gpt: openai.AsyncOpenAI, json_format: object, text: str) -> None:
    more = {"response_format": json_format} if json_format else {}
    said = await gpt.chat.completions.create(model="glm-4.6", messages=user("hello"), **more)
    assert said.choices[0].message.content.startswith(text)


async def test_a_title_is_short(claude: anthropic.AsyncAnthropic) -> None:
    said = await streamed(claude, "write a file", system="Generate a title for the conversation.")
    assert said.content[0].text == "Demo conversation"


async def test_stopping_ends_whatever_is_being_told() -> None:
    upstream = DemoUpstream()
    server = await upstream.start()
    async with open_anthropic(server.anthropic_base) as client, asyncio.TaskGroup() as group:
        silent = group.create_task(refused(client, "demo error slow"))
        stream = await client.messages.create(model="glm-4.6", max_tokens=9999, messages=user("long"), stream=True)
        await anext(aiter(stream))
        await upstream.stop()
        with pytest.raises(httpx2.TransportError):
            _ = [event async for event in stream]
        assert isinstance(await silent, anthropic.APIConnectionError)


async def refused(client: anthropic.AsyncAnthropic, prompt: str) -> Exception:
    try:
        await streamed(client, prompt)
    except anthropic.APIError as error:
        return error
    raise AssertionError("an answer came")


async def test_it_may_be_started_again() -> None:
    upstream = DemoUpstream(tokens_per_s=100_000.0)
    for _ in range(2):
        server = await upstream.start()
        async with open_openai(server.openai_base) as client:
            assert "glm-4.6" in [model.id async for model in client.models.list()]
        await upstream.stop()
    await upstream.stop()
