"""Within one dialect nothing is lost: fields nobody knows go up, and bytes come down as they were."""

from __future__ import annotations

import orjson
import pytest

from proxy_core.chat import Usage
from tests.corridor import Corridor, open_anthropic, open_openai
from tests.fake_upstream import HELLO, Reply

USER = [{"role": "user", "content": "hi"}]
KNOWN_USAGE = Usage(12, 64, 0, 1)
PLAIN_ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "glm-4.6",
    "content": [{"type": "text", "text": "Hi.", "citations": None, "novel": 1}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "output_tokens": 2, "novel_tokens": 3},
    "novel": {"kept": True},
}
PLAIN_OPENAI = {
    "id": "c1",
    "object": "chat.completion",
    "created": 5,
    "model": "glm-4.6",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi.", "novel": 1}}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    "web_search": [{"title": "kept"}],
}
ANTHROPIC_BODY = {
    "model": "glm-4.6",
    "max_tokens": 50,
    "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}, "novel": 1}],
        }
    ],
    "metadata": {"user_id": "u" * 200},
    "context_management": {"edits": []},
    "top_k": 5,
    "temperature": 0.25,
    "novel": {"deep": [1, {"two": None}]},
}
OPENAI_BODY = {
    "model": "glm-4.6",
    "messages": [{"role": "user", "content": "hi", "name": "me"}],
    "seed": 7,
    "logit_bias": {"50": 1},
    "novel": {"deep": [1, {"two": None}]},
    "request_id": "mine",
}


@pytest.fixture(params=["anthropic", "openai"])
def side(request: pytest.FixtureRequest, corridor: Corridor) -> str:
    """One dialect for both ends; the model keeps its plain name."""
    corridor.change(text_endpoint_preference=request.param)
    return request.param


async def bytes_of(corridor: Corridor, side: str, *, stream: bool, body: dict[str, object] | None = None) -> bytes:
    """The very bytes that the client's SDK was sent."""
    fields = {"model": "glm-4.6", "messages": USER, "stream": stream}
    if side == "anthropic":
        async with open_anthropic(corridor.url) as client:
            create = client.messages.with_streaming_response.create
            async with create(**fields, max_tokens=50, extra_body=body) as response:
                return b"".join([part async for part in response.iter_bytes()])
    async with open_openai(f"{corridor.url}/v1") as client:
        create = client.chat.completions.with_streaming_response.create
        async with create(**fields, extra_body=body) as response:
            return b"".join([part async for part in response.iter_bytes()])


async def test_a_plain_answer_comes_byte_for_byte(corridor: Corridor, side: str) -> None:
    told = PLAIN_ANTHROPIC if side == "anthropic" else PLAIN_OPENAI
    raw = orjson.dumps(told, option=orjson.OPT_INDENT_2)
    corridor.upstream.reply = Reply(body=raw)
    assert await bytes_of(corridor, side, stream=False) == raw


async def test_a_compressed_answer_comes_as_what_it_holds(corridor: Corridor, side: str) -> None:
    told = PLAIN_ANTHROPIC if side == "anthropic" else PLAIN_OPENAI
    corridor.upstream.reply = Reply(body=told, gzip=True)
    assert orjson.loads(await bytes_of(corridor, side, stream=False)) == told


@pytest.mark.parametrize("piece_bytes", [1, 7, 1 << 20])
async def test_a_stream_comes_byte_for_byte(corridor: Corridor, side: str, piece_bytes: int) -> None:
    raw = clean_stream(side)
    corridor.upstream.reply = Reply(body=raw, piece_bytes=piece_bytes)
    assert await bytes_of(corridor, side, stream=True) == raw


def clean_stream(side: str) -> bytes:
    """A stream with nothing to set right: usage at the start, every field there; odd but legal spellings."""
    raw = Reply(answer=HELLO, started_usage=KNOWN_USAGE).render(side, stream=True)
    if side == "anthropic":
        raw = raw.replace(b'"server_tool_use":{"web_search_requests":0},', b"")
        novel = b'event: novelty\ndata: {"type":"novelty", "x" : 1}\n\n'
    else:
        raw = raw.replace(b'{"id":', b'{"object":"chat.completion.chunk","id":')
        novel = b'data:{"id":"fake1","object":"chat.completion.chunk","model":"glm-4.6","choices":[],"novel":1}\n\n'
    head, _, rest = raw.partition(b"\n\n")
    return head + b"\n\n: a comment\n\n" + novel + rest.replace(b"\n\n", b"\r\n\r\n", 1)


async def test_a_request_arrives_whole(corridor: Corridor, side: str) -> None:
    body = ANTHROPIC_BODY if side == "anthropic" else OPENAI_BODY
    corridor.change(enable_zai_thinking=False)
    await bytes_of(corridor, side, stream=False, body=body)
    assert corridor.upstream.last.body == {**body, "stream": False}


async def test_betas_reach_an_upstream_of_their_own_dialect_only(corridor: Corridor) -> None:
    headers = {"anthropic-beta": "novel-2026-01-01"}
    async with open_anthropic(corridor.url) as client:
        for suffix in ("anthropic", "openai"):
            await client.messages.create(model=f"glm-4.6-{suffix}", max_tokens=5, messages=USER, extra_headers=headers)
    own, other = corridor.upstream.requests
    assert own.headers["anthropic-beta"] == "novel-2026-01-01"
    assert "anthropic-beta" not in other.headers
    assert own.headers["anthropic-version"] == "2023-06-01"


async def test_usage_that_is_missing_at_the_start_is_estimated(corridor: Corridor) -> None:
    async with open_anthropic(corridor.url) as client:
        stream = await client.messages.create(
            model="glm-4.6", max_tokens=5, stream=True, messages=[{"role": "user", "content": "word " * 400}]
        )
        events = [event async for event in stream]
    started, ended = events[0].message.usage, events[-2].usage
    assert 400 < started.input_tokens < 600
    assert (ended.input_tokens, ended.cache_read_input_tokens, ended.output_tokens) == (12, 64, 5)


async def test_only_the_name_is_changed_in_a_stream_for_another_name(corridor: Corridor) -> None:
    corridor.upstream.reply = Reply(body=clean_stream("anthropic"))
    async with open_anthropic(corridor.url) as client:
        create = client.messages.with_streaming_response.create
        async with create(model="claude-opus-x", max_tokens=50, messages=USER, stream=True) as response:
            told = b"".join([part async for part in response.iter_bytes()])
    (first, *rest), (raw_first, *raw_rest) = told.split(b"\n\n"), clean_stream("anthropic").split(b"\n\n")
    assert rest == raw_rest
    assert first.replace(b"claude-opus-x", b"glm-4.6") == raw_first


async def test_the_missing_names_of_zais_chunks_are_added(corridor: Corridor) -> None:
    corridor.change(text_endpoint_preference="openai")
    async with open_openai(f"{corridor.url}/v1") as client:
        stream = await client.chat.completions.create(model="glm-4.6", messages=USER, stream=True)
        assert {chunk.object async for chunk in stream} == {"chat.completion.chunk"}
        plain = await client.chat.completions.create(model="glm-4.6", messages=USER)
    assert (plain.object, plain.model_extra["request_id"]) == ("chat.completion", "fake1")
