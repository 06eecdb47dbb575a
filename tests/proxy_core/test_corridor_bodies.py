"""Bodies that are malformed or absurd get 400 in the caller's envelope, whatever is wrong with them; never 500."""

from __future__ import annotations

import asyncio
import copy
import gzip
import zlib
from collections.abc import AsyncIterator, Iterator

import openai
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.corridor import Corridor, call, open_openai
from tests.proxy_core.test_corridor_access import is_envelope

MESSAGES, COUNT, CHAT = "/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions"
DOORS = pytest.mark.parametrize("path", [MESSAGES, COUNT, CHAT])
MIB = 1024 * 1024
DEEP = 10_000


def talk(**changes: object) -> dict[str, object]:
    return {"model": "glm-4.6", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]} | changes


def said(content: object, role: object = "user", **more: object) -> dict[str, object]:
    return talk(messages=[{"role": role, "content": content, **more}])


def nested(depth: int, brackets: bytes = b"[]") -> bytes:
    return orjson.dumps(talk(novel=0)).replace(b'"novel":0', b'"novel":' + brackets[:1] * depth + brackets[1:] * depth)


NO_JSON = {
    "empty": b"",
    "blank": b" \n",
    "text": b"hello",
    "cut": orjson.dumps(talk())[:-3],
    "two": orjson.dumps(talk()) * 2,
    "form": b"model=glm-4.6",
    "bad utf-8": orjson.dumps(talk()).replace(b'"hi"', b'"h\xff\xfe"'),
    "utf-16": orjson.dumps(talk()).decode().encode("utf-16"),
    "lone surrogate": orjson.dumps(talk()).replace(b'"hi"', b'"\\ud800"'),
    "NaN": orjson.dumps(talk()).replace(b'"max_tokens":5', b'"max_tokens":NaN'),
    "list": b"[]",
    "string": b'"hi"',
    "number": b"7",
    "null": b"null",
    "10,000 lists": nested(DEEP),
    "10,000 lists, unclosed": b"[" * DEEP,
    "10,000 objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "zero bytes": bytes(100),
}
WRONG = {
    "no model": {"max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]},
    "model a number": talk(model=7),
    "model empty": talk(model=""),
    "no messages": {"model": "glm-4.6", "max_tokens": 5},
    "messages empty": talk(messages=[]),
    "messages an object": talk(messages={"role": "user"}),
    "messages null": talk(messages=None),
    "message a string": talk(messages=["hi"]),
    "no role": talk(messages=[{"content": "hi"}]),
    "role unknown": said("hi", "robot"),
    "role a list": said("hi", []),
    "content a number": said(7),
    "content an object": said({"type": "text", "text": "hi"}),
    "part a string": said(["hi"]),
    "part without type": said([{"text": "hi"}]),
    "text a number": said([{"type": "text", "text": 7}]),
    "tools an object": talk(tools={}),
    "tool a string": talk(tools=["now"]),
    "stream a string": talk(stream="yes"),
    "temperature a string": talk(temperature="hot"),
    "max_tokens a string": talk(max_tokens="many"),
    "max_tokens negative": talk(max_tokens=-1),
    "max_tokens a fraction": talk(max_tokens=1.5),
    "tool_choice a number": talk(tool_choice=7),
}
WRONG_ANTHROPIC = {
    "no content": talk(messages=[{"role": "user"}]),
    "system a number": talk(system=7),
    "system with a number": talk(system=[7]),
    "image without source": said([{"type": "image"}]),
    "source a string": said([{"type": "image", "source": "x"}]),
    "data a number": said([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": 1}}]),
    "tool_use without id": said([{"type": "tool_use", "name": "now", "input": {}}], "assistant"),
    "tool_result without id": said([{"type": "tool_result", "content": "x"}]),
    "result content a number": said([{"type": "tool_result", "tool_use_id": "x", "content": 5}]),
    "thinking a number": said([{"type": "thinking", "thinking": 5, "signature": ""}], "assistant"),
    "tool without name": talk(tools=[{"input_schema": {}}]),
    "schema a string": talk(tools=[{"name": "now", "input_schema": "x"}]),
    "choice unknown": talk(tool_choice={"type": "maybe"}),
    "stop a string": talk(stop_sequences="END"),
    "stop of numbers": talk(stop_sequences=[1]),
    "thinking a list": talk(thinking=[]),
    "budget a string": talk(thinking={"type": "enabled", "budget_tokens": "x"}),
    "metadata a string": talk(metadata="me"),
}
WRONG_OPENAI = {
    "n": talk(n=2),
    "audio": talk(modalities=["text", "audio"]),
    "image_url a number": said([{"type": "image_url", "image_url": 7}]),
    "image_url no address": said([{"type": "image_url", "image_url": {"url": "ftp://x"}}]),
    "image_url empty": said([{"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}]),
    "tool_calls a string": said("", "assistant", tool_calls="now"),
    "tool_call a string": said("", "assistant", tool_calls=["now"]),
    "function a string": said("", "assistant", tool_calls=[{"id": "x", "type": "function", "function": "now"}]),
    "no tool_call_id": said("x", "tool"),
    "tool without function": talk(tools=[{"type": "function"}]),
    "parameters a string": talk(tools=[{"type": "function", "function": {"name": "now", "parameters": "x"}}]),
    "choice unknown": talk(tool_choice="maybe"),
    "stop a number": talk(stop=5),
    "format a string": talk(response_format="json"),
    "format unknown": talk(response_format={"type": "xml"}),
    "temperature too high": talk(temperature=3),
    "stream_options a list": talk(stream_options=[]),
}


@DOORS
@pytest.mark.parametrize("case", NO_JSON)
async def test_what_is_no_json_object_is_refused(corridor: Corridor, path: str, case: str) -> None:
    got = await call(corridor, "POST", path, NO_JSON[case], {"Content-Type": "application/json"})
    assert (got.status, is_envelope(got, path)) == (400, True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(path, body, id=f"{path} {case}")
        for path, table in (
            (MESSAGES, WRONG | WRONG_ANTHROPIC),
            (COUNT, WRONG | WRONG_ANTHROPIC),
            (CHAT, WRONG | WRONG_OPENAI),
        )
        for case, body in table.items()
    ],
)
async def test_wrong_types_are_refused_by_name(corridor: Corridor, path: str, body: dict[str, object]) -> None:
    got = await call(corridor, "POST", path, body)
    assert (got.status, is_envelope(got, path)) == (400, True)
    message = got.body["error"]["message"]
    assert any(name in message for name in (*body, "messages", "model"))
    assert corridor.upstream.requests == []


@pytest.mark.parametrize("depth", [200, 260, 900])
@pytest.mark.parametrize("model", ["glm-4.6-anthropic", "glm-4.6-openai"])
@DOORS
async def test_deep_nesting_anywhere_is_carried_or_refused(
    corridor: Corridor, path: str, model: str, depth: int
) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    call_part = [{"type": "tool_use", "id": "x", "name": "now", "input": 0}]
    places = [
        talk(model=model, novel=0),
        talk(model=model, tools=[{"name": "now", "input_schema": {"properties": 0}}]),
        talk(model=model, tools=[{"type": "function", "function": {"name": "now", "parameters": {"properties": 0}}}]),
        said(call_part, "assistant") | {"model": model},
        said([{"type": "text", "text": "hi", "novel": 0}]) | {"model": model},
        talk(model=model, response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"a": 0}}}),
    ]
    corridor.upstream.is_checking = False
    for place in places:
        got = await call(corridor, "POST", path, orjson.dumps(place).replace(b":0", b":" + deep))
        assert got.status in (200, 400), place
        assert got.status == 200 or is_envelope(got, path)


@DOORS
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_compressed_bodies_are_read(corridor: Corridor, path: str, encoding: str) -> None:
    squeeze = gzip.compress if encoding == "gzip" else zlib.compress
    got = await call(corridor, "POST", path, squeeze(orjson.dumps(talk())), {"Content-Encoding": encoding})
    assert got.status == 200


@DOORS
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("raw", [b"no such thing", gzip.compress(orjson.dumps(talk()))[:-12], b"\x1f\x8b\x08"])
async def test_what_cannot_be_unpacked_is_refused(corridor: Corridor, path: str, encoding: str, raw: bytes) -> None:
    got = await call(corridor, "POST", path, raw, {"Content-Encoding": encoding})
    assert (got.status, is_envelope(got, path)) == (400 if encoding in ("gzip", "deflate") else 415, True)
    assert encoding in ("gzip", "deflate") or "gzip" in got.text


async def pieces(raw: bytes) -> AsyncIterator[bytes]:
    yield raw


@DOORS
@pytest.mark.parametrize("has_length", [True, False])
async def test_a_body_over_the_limit_is_413(corridor: Corridor, path: str, has_length: bool) -> None:
    corridor.change(max_body_mb=1)
    raw = orjson.dumps(said("x" * (MIB + 1)))
    got = await call(corridor, "POST", path, raw if has_length else pieces(raw))
    assert (got.status, is_envelope(got, path)) == (413, True)


@DOORS
@pytest.mark.parametrize("size_mb", [2, 64])
async def test_a_bomb_is_413_before_it_is_unpacked(corridor: Corridor, path: str, size_mb: int) -> None:
    corridor.change(max_body_mb=1)
    packer = zlib.compressobj(wbits=31)
    raw = b"".join([packer.compress(bytes(MIB)) for _ in range(size_mb)]) + packer.flush()
    got = await call(corridor, "POST", path, raw, {"Content-Encoding": "gzip"})
    assert (got.status, is_envelope(got, path)) == (413, True)


async def test_the_sdk_raises_for_413(corridor: Corridor) -> None:
    corridor.change(max_body_mb=1)
    async with open_openai(f"{corridor.url}/v1") as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(model="glm-4.6", messages=said("x" * MIB)["messages"])
    assert caught.value.status_code == 413


async def test_a_body_just_within_the_limit_passes(corridor: Corridor) -> None:
    corridor.change(max_body_mb=1)
    frame = len(orjson.dumps(said("")))
    assert (await call(corridor, "POST", CHAT, orjson.dumps(said("x" * (MIB - frame))))).status == 200


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("model", ["glm-4.6-anthropic", "glm-4.6-openai"])
@DOORS
async def test_a_large_body_arrives_whole(corridor: Corridor, path: str, model: str, stream: bool) -> None:
    text = "".join(f"{number} " for number in range(700_000))
    got = await call(corridor, "POST", path, said(text) | {"model": model, "stream": stream and path != COUNT})
    assert got.status == 200
    assert path == COUNT or text.encode() in corridor.upstream.last.raw


RICH = talk(
    system="s",
    stream=False,
    temperature=0.5,
    stop=["x"],
    stop_sequences=["x"],
    thinking={"type": "enabled", "budget_tokens": 2000},
    metadata={"user_id": "u"},
    tools=[
        {
            "type": "function",
            "name": "a",
            "input_schema": {"type": "object"},
            "function": {"name": "a", "parameters": {}},
        }
    ],
    tool_choice={"type": "auto"},
    response_format={"type": "json_object"},
    messages=[
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "x", "name": "a", "input": {"b": 1}}],
            "tool_calls": [{"id": "x", "type": "function", "function": {"name": "a", "arguments": "{}"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": "ok"}]},
        {"role": "tool", "tool_call_id": "x", "content": "ok"},
    ],
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=9),
    lambda one: (
        st.lists(one, max_size=2) | st.dictionaries(st.sampled_from(["type", "text", "id", "content"]), one, max_size=3)
    ),
    max_leaves=4,
)


def places_in(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from places_in(inner, (*path, key))


PLACES = list(places_in(RICH))


def changed(body: dict[str, object], changes: list[tuple[tuple[object, ...], object]]) -> dict[str, object]:
    """A copy with other values in these places, as far as the places still exist."""
    body = copy.deepcopy(body)
    for place, value in changes:
        holder: object = body
        for key in place[:-1]:
            holder = holder[key] if key in keys_of(holder) else None
        if place[-1] in keys_of(holder):
            holder[place[-1]] = value
    return body


def keys_of(holder: object) -> object:
    return range(len(holder)) if isinstance(holder, list) else holder if isinstance(holder, dict) else ()


@DOORS
@pytest.mark.parametrize("model", ["glm-4.6-anthropic", "glm-4.6-openai"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=3))
async def test_no_odd_body_whatsoever_is_our_fault(
    corridor: Corridor, path: str, model: str, changes: list[tuple[tuple[object, ...], object]]
) -> None:
    corridor.upstream.is_checking = False
    got = await call(corridor, "POST", path, changed({**RICH, "model": model}, changes))
    assert got.status in (200, 400, 404)


@DOORS
async def test_a_body_that_drips_is_waited_for_as_long_as_a_request_may_take(corridor: Corridor, path: str) -> None:
    corridor.change(request_timeout=0.1)

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    async with asyncio.timeout(10):
        got = await call(corridor, "POST", path, drip())
    assert (got.status, is_envelope(got, path), corridor.proxy.in_flight) == (408, True, 0)
