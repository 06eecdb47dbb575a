"""Clients are told a larger prompt where their window is smaller than they believe, on every leg; the books are not."""

from __future__ import annotations

import re
from dataclasses import replace

import orjson
import pytest

from proxy_core.chat import Answer, StopReason, Text, Usage
from proxy_core.events import ExchangeFinished
from proxy_core.jsontypes import JsonObject
from proxy_core.tokens.scaling import scale_tokens
from proxy_core.wire.sse import SseDecoder
from tests.corridor import Corridor, call
from tests.fake_upstream import Reply

FACTOR = 200_000 / 65_536
"""By the defaults: the window that clients expect, and the one that the vision model has."""
USAGE = Usage(12, 64, 0, 5)
ANSWER = Answer("fake1", "glm-4.6v", (Text("Hello, world."),), StopReason.END_TURN, USAGE)
UNTOLD = replace(ANSWER, usage=Usage())
SAID = "word " * 400

# prompt, cached, output, all
Figures = tuple[int, int, int, int]
TOLD: dict[float, Figures] = {1.0: (76, 64, 5, 81), FACTOR: (232, 195, 5, 237)}

CLIENTS = pytest.mark.parametrize("client", ["anthropic", "openai", "responses", "completions"])
SIDES = pytest.mark.parametrize("side", ["anthropic", "openai"])
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
FACTORS = pytest.mark.parametrize("factor", [1.0, FACTOR], ids=["as-it-is", "larger"])

_PATHS = {
    "anthropic": "/v1/messages",
    "openai": "/v1/chat/completions",
    "responses": "/v1/responses",
    "completions": "/v1/completions",
}
_MESSAGES = [{"role": "user", "content": SAID}]
_BODIES: dict[str, JsonObject] = {
    "anthropic": {"max_tokens": 50, "messages": _MESSAGES},
    "openai": {"messages": _MESSAGES, "stream_options": {"include_usage": True}},
    "responses": {"input": SAID},
    "completions": {"prompt": SAID, "stream_options": {"include_usage": True}},
}


def expect(corridor: Corridor, factor: float) -> None:
    """Clients expect so many times what there is."""
    window = int(65_536 * factor)
    corridor.change(anthropic_expected_tokens=window, openai_expected_tokens=window)


async def raw_of(corridor: Corridor, client: str, side: str, *, stream: bool, **fields: object) -> bytes:
    """What the client is sent, its status being 200 or not."""
    body = {"model": f"glm-4.6v-{side}", "stream": stream, **_BODIES[client], **fields}
    if not stream:
        body.pop("stream_options", None)
    return (await call(corridor, "POST", _PATHS[client], body)).text.encode()


def payloads(raw: bytes, *, stream: bool) -> list[JsonObject]:
    """All JSON that came: of a stream that of every event."""
    if not stream:
        return [orjson.loads(raw)]
    events = SseDecoder().feed(raw)
    return [orjson.loads(event.data) for event in events if event.data and event.data != b"[DONE]"]


def usages(raw: bytes, *, stream: bool) -> list[dict[str, int]]:
    """Whatever was said of usage, in order; the details beside the rest."""
    said = payloads(raw, stream=stream)
    nested = [one.get(name) for one in said for name in ("message", "response")]
    found = [one.get("usage") for one in [*nested, *said] if isinstance(one, dict)]
    return [flat(usage) for usage in found if isinstance(usage, dict)]


def flat(usage: JsonObject) -> dict[str, int]:
    details = [value for value in usage.values() if isinstance(value, dict)]
    return {name: value for part in (usage, *details) for name, value in part.items() if isinstance(value, int)}


def figures(client: str, usage: dict[str, int]) -> Figures:
    """The figures as a client of this dialect adds them up."""
    if client == "anthropic":
        cached, output = usage.get("cache_read_input_tokens", 0), usage["output_tokens"]
        prompt = usage.get("input_tokens", 0) + cached + usage.get("cache_creation_input_tokens", 0)
        return prompt, cached, output, prompt + output
    words = ("input", "output") if client == "responses" else ("prompt", "completion")
    prompt, output = (usage[f"{word}_tokens"] for word in words)
    return prompt, usage["cached_tokens"], output, usage["total_tokens"]


def recorded(corridor: Corridor) -> Usage:
    """What the books hold of the newest exchange."""
    finished = corridor.events[-1]
    assert isinstance(finished, ExchangeFinished)
    return finished.exchange.usage


@FACTORS
@BOTH
@SIDES
@CLIENTS
async def test_the_prompt_grows_for_the_client_only(
    corridor: Corridor, client: str, side: str, stream: bool, factor: float
) -> None:
    expect(corridor, factor)
    corridor.upstream.reply = Reply(answer=ANSWER)
    raw = await raw_of(corridor, client, side, stream=stream)
    assert figures(client, usages(raw, stream=stream)[-1]) == TOLD[factor]
    assert recorded(corridor) == USAGE


@FACTORS
@BOTH
@SIDES
@CLIENTS
async def test_an_upstream_that_streams_or_does_not_against_the_wish(
    corridor: Corridor, client: str, side: str, stream: bool, factor: float
) -> None:
    expect(corridor, factor)
    body = Reply(answer=ANSWER).render(side, stream=not stream)
    kind = "application/json" if stream else "text/event-stream"
    corridor.upstream.reply = Reply(body=body, headers={"Content-Type": kind})
    raw = await raw_of(corridor, client, side, stream=stream)
    assert figures(client, usages(raw, stream=stream)[-1]) == TOLD[factor]
    assert recorded(corridor) == USAGE


@BOTH
@SIDES
@CLIENTS
async def test_a_prompt_that_was_counted_here_grows_once(
    corridor: Corridor, client: str, side: str, stream: bool
) -> None:
    """By a guess where the count is not done yet, so both times not quite the same."""
    corridor.upstream.reply = Reply(answer=UNTOLD)
    told = []
    for factor in (1.0, FACTOR):
        expect(corridor, factor)
        said = usages(await raw_of(corridor, client, side, stream=stream), stream=stream)
        told.append(max(figures(client, usage)[0] for usage in said))
    if client == side and not stream:
        assert told == [0, 0]
    else:
        assert told[1] / told[0] == pytest.approx(FACTOR, rel=0.25)
    assert recorded(corridor).prompt_tokens == 0


async def test_a_start_is_told_what_the_upstream_says_there(corridor: Corridor) -> None:
    corridor.upstream.reply = Reply(answer=ANSWER, started_usage=Usage(10, 60, 0, 1))
    raw = await raw_of(corridor, "anthropic", "anthropic", stream=True)
    started, ended = usages(raw, stream=True)
    assert (started["input_tokens"], started["cache_read_input_tokens"]) == (31, 183)
    assert figures("anthropic", ended) == TOLD[FACTOR]


@pytest.mark.parametrize(
    ("client", "field"), [("anthropic", "stop_sequences"), ("openai", "stop"), ("completions", "stop")]
)
async def test_figures_of_ours_for_a_stream_that_was_cut_here_grow_once(
    corridor: Corridor, client: str, field: str
) -> None:
    """This side is told the first stop sequence only; after another one the stream ends without its figures."""
    answer = replace(UNTOLD, parts=(Text("One HALT two"),))
    corridor.upstream.reply = Reply(answer=answer)
    raw = await raw_of(corridor, client, "openai", stream=True, **{field: ["STOP", "HALT"]})
    counted = recorded(corridor).prompt_tokens
    assert 300 < counted < 300 * FACTOR
    assert figures(client, usages(raw, stream=True)[-1])[0] == scale_tokens(counted, FACTOR)


@SIDES
@pytest.mark.parametrize(
    ("client", "words"),
    [("anthropic", "prompt is too long: 131073 tokens > 131072"), ("openai", "context length is 131072 tokens")],
)
async def test_a_refusal_names_the_window_as_it_is(corridor: Corridor, client: str, words: str, side: str) -> None:
    code = {"error": {"code": "1261", "message": "Prompt exceeds max length"}}
    corridor.upstream.reply = Reply(status=400, body=code)
    told = payloads(await raw_of(corridor, client, side, stream=False), stream=False)
    assert words in str(told[0])


NOVEL: dict[str, JsonObject] = {
    "anthropic": {
        "input_tokens": 12,
        "cache_read_input_tokens": 64,
        "cache_creation_input_tokens": None,
        "output_tokens": 5,
        "novel": {"input_tokens": 7},
    },
    "openai": {
        "prompt_tokens": 76,
        "completion_tokens": 5,
        "total_tokens": 90,
        "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 1},
        "novel": {"prompt_tokens": 7},
    },
}
NOVEL_TOLD: dict[str, JsonObject] = {
    "anthropic": {**NOVEL["anthropic"], "input_tokens": 37, "cache_read_input_tokens": 195},
    "openai": {
        **NOVEL["openai"],
        "prompt_tokens": 232,
        "total_tokens": 246,
        "prompt_tokens_details": {"cached_tokens": 195, "audio_tokens": 1},
    },
}


@FACTORS
@BOTH
@SIDES
async def test_nothing_but_figures_changes_within_a_dialect(
    corridor: Corridor, side: str, stream: bool, factor: float
) -> None:
    corridor.change(text_endpoint_preference=side)
    expect(corridor, factor)
    body = regular_body(side, stream=stream)
    corridor.upstream.reply = Reply(body=body)
    told = await raw_of(corridor, side, side, stream=stream, model="glm-4.6v")
    larger = body.replace(orjson.dumps(NOVEL[side]), orjson.dumps(NOVEL_TOLD[side]))
    assert told == (body if factor == 1.0 else larger)
    assert body != larger


def regular_body(side: str, *, stream: bool) -> bytes:
    """With nothing to set right, and usage that says more than anybody knows."""
    raw = Reply(answer=ANSWER).render(side, stream=stream)
    kind = b"chat.completion.chunk" if stream else b"chat.completion"
    raw = raw.replace(b'{"id":"fake1"', b'{"id":"fake1","object":"%s"' % kind)
    return re.sub(rb'"usage":(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)?\})', b'"usage":' + orjson.dumps(NOVEL[side]), raw)
