"""Text through the whole proxy: what is said arrives, and what is answered comes back, on every leg."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_core.chat import Sampling, StopReason, Text, Usage
from tests.corridor import STORED_KEY, Corridor
from tests.fake_upstream import HELLO, FakeUpstream, Reply
from tests.legs import CROSSING, LEGS, SAME, Leg, ask, request, says, seen

pytestmark = [pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])]
A_TO_O, O_TO_A = CROSSING


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_an_answer_comes_back_under_the_name_that_was_asked_for(
    corridor: Corridor, leg: Leg, stream: bool
) -> None:
    heard = await ask(corridor, leg, request("Say hello."), stream=stream)
    assert (heard.text, heard.thinking, heard.calls) == ("Hello, world.", "", ())
    assert heard.stop == ("end_turn" if leg.client == "anthropic" else "stop")
    assert (heard.prompt_tokens, heard.cached_tokens, heard.output_tokens) == (76, 64, 5)
    assert heard.model == leg.model
    assert seen(corridor.upstream.last).model == "glm-4.6"


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_system_prompt_and_turns_arrive(corridor: Corridor, leg: Leg, stream: bool) -> None:
    talk = request("one", says("two", role="assistant"), "three 你好 🙂", system=(Text("Be brief."),))
    await ask(corridor, leg, talk, stream=stream)
    turns = (("user", (("text", "one"),)), ("assistant", (("text", "two"),)), ("user", (("text", "three 你好 🙂"),)))
    assert (seen(corridor.upstream.last).system, seen(corridor.upstream.last).turns) == ("Be brief.", turns)


@pytest.mark.parametrize("leg", CROSSING, ids=str)
async def test_a_later_system_message_becomes_a_reminder_in_its_place(
    corridor: Corridor, leg: Leg, stream: bool
) -> None:
    talk = request("one", says("two", role="assistant"), says("Now in French.", role="system"), "three")
    await ask(corridor, leg, talk, stream=stream)
    last = seen(corridor.upstream.last).turns[-1]
    reminder = "<system-reminder>\nNow in French.\n</system-reminder>"
    assert last[0] == "user"
    assert "\n".join(text for _, text in last[1]) == f"{reminder}\nthree"


@pytest.mark.parametrize("leg", SAME, ids=str)
async def test_a_later_system_message_stays_within_its_dialect(corridor: Corridor, leg: Leg, stream: bool) -> None:
    corridor.upstream.allow("system")
    talk = request("one", says("two", role="assistant"), says("Now in French.", role="system"), "three")
    await ask(corridor, leg, talk, stream=stream)
    assert ("system", (("text", "Now in French."),)) in seen(corridor.upstream.last).turns


@pytest.mark.parametrize("leg", CROSSING, ids=str)
async def test_messages_that_do_not_alternate_are_settled(corridor: Corridor, leg: Leg, stream: bool) -> None:
    talk = request(says("first", role="assistant"), "one", "two", says("  ", role="assistant"), "three")
    await ask(corridor, leg, talk, stream=stream)
    roles, texts = zip(*seen(corridor.upstream.last).turns, strict=True)
    assert roles == ("user", "assistant", "user")
    assert "\n".join(text for _, text in texts[-1]) == "one\ntwo\nthree"


STOPS = {
    ("anthropic", "anthropic"): {reason: reason.value for reason in StopReason}
    | {StopReason.CONTEXT_EXCEEDED: "model_context_window_exceeded"},
    ("anthropic", "openai"): {
        StopReason.MAX_TOKENS: "max_tokens",
        StopReason.REFUSAL: "refusal",
        StopReason.CONTEXT_EXCEEDED: "model_context_window_exceeded",
    },
    ("openai", "openai"): {
        StopReason.MAX_TOKENS: "length",
        StopReason.REFUSAL: "content_filter",
        StopReason.CONTEXT_EXCEEDED: "length",
    },
    ("openai", "anthropic"): {
        StopReason.MAX_TOKENS: "length",
        StopReason.STOP_SEQUENCE: "stop",
        StopReason.PAUSE_TURN: "stop",
        StopReason.REFUSAL: "content_filter",
        StopReason.CONTEXT_EXCEEDED: "length",
    },
}
STOP_ROWS = [
    (Leg(*ends), reason, word)
    for ends, words in STOPS.items()
    for reason, word in words.items()
    if reason is not StopReason.TOOL_USE
]


@pytest.mark.parametrize(("leg", "reason", "word"), STOP_ROWS, ids=str)
async def test_stop_reasons_in_the_clients_words(
    corridor: Corridor, leg: Leg, reason: StopReason, word: str, stream: bool
) -> None:
    corridor.upstream.reply = Reply(answer=replace(HELLO, stop=reason))
    assert (await ask(corridor, leg, request("go"), stream=stream)).stop == word


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_the_exchange_is_recorded_once(corridor: Corridor, leg: Leg, stream: bool) -> None:
    await ask(corridor, leg, request("go"), stream=stream)
    started, finished = corridor.events
    exchange = finished.exchange
    assert started.exchange is exchange
    assert (exchange.outcome, exchange.status, exchange.stream) == ("done", 200, stream)
    assert (exchange.usage, exchange.output_chars) == (Usage(12, 64, 0, 5), len("Hello, world."))
    assert (exchange.client_dialect, exchange.upstream_dialect, exchange.server) == (leg.client, leg.upstream, "fake")


@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_one_credential_goes_out_and_it_is_the_stored_one(corridor: Corridor, leg: Leg, stream: bool) -> None:
    await ask(corridor, leg, request("go"), stream=stream)
    headers = corridor.upstream.last.headers
    assert [headers.get("x-api-key"), headers.get("authorization")].count(None) == 1
    assert STORED_KEY in (headers.get("x-api-key") or headers["authorization"])


@pytest.mark.parametrize(
    ("leg", "asked", "extra", "expected"),
    [
        (A_TO_O, Sampling(300), {"temperature": 0.3, "top_p": 0.5}, {"max_tokens": 300, "temperature": 0.3}),
        (A_TO_O, Sampling(300), {"stop_sequences": ["END"]}, {"stop": ["END"]}),
        (O_TO_A, Sampling(), {}, {"max_tokens": 32_000}),
        (O_TO_A, Sampling(), {"max_completion_tokens": 77}, {"max_tokens": 77}),
        (O_TO_A, Sampling(50), {"temperature": 1.7, "top_p": 0}, {"temperature": 1.0, "top_p": 0.01}),
        (O_TO_A, Sampling(50), {"stop": "END"}, {"stop_sequences": ["END"]}),
        (O_TO_A, Sampling(50), {"stop": ["A", "B"]}, {"stop_sequences": ["A", "B"]}),
        (
            SAME[1],
            Sampling(),
            {"max_completion_tokens": 77, "temperature": 1.7},
            {"max_tokens": 77, "temperature": 1.0},
        ),
    ],
)
async def test_what_tunes_the_model_is_carried_over(
    corridor: Corridor, leg: Leg, asked: Sampling, extra: dict[str, object], expected: dict[str, object], stream: bool
) -> None:
    await ask(corridor, leg, request("go", sampling=asked), stream=stream, **extra)
    body = corridor.upstream.last.body
    assert {name: body.get(name) for name in expected} == expected
    assert body.get("stream", False) is stream


async def test_the_upstream_may_stream_unasked_or_answer_whole(
    corridor: Corridor, upstream: FakeUpstream, stream: bool
) -> None:
    told = Reply().render("openai", stream=not stream)
    kind = "application/json" if stream else "text/event-stream"
    upstream.reply = Reply(body=told, headers={"Content-Type": kind})
    assert (await ask(corridor, Leg("anthropic", "openai"), request("go"), stream=stream)).text == "Hello, world."
