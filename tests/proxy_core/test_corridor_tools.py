"""Tools through the whole proxy: offered, called, answered; odd ones mended where a dialect would refuse them."""

from __future__ import annotations

import json
from dataclasses import replace

import orjson
import pytest

from proxy_core.chat import Answer, Conversation, StopReason, Text, Tool, ToolCall, ToolResult, Usage
from tests.corridor import Corridor, open_openai
from tests.fake_upstream import Reply
from tests.legs import CROSSING, LEGS, SAME, Leg, anthropic_body, ask, openai_body, request, says, seen

A_TO_O, O_TO_A = CROSSING
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("get_weather", "Tells the weather.", SCHEMA)
PARIS = ToolCall("call_1", "get_weather", '{"city":"Paris","deep":{"n":[1,2.5,null,"ü"]}}')
EMPTY = ToolCall("call_2", "now", "")
CALLS = Answer("a1", "glm-4.6", (Text("Let me see."), PARIS, EMPTY), StopReason.TOOL_USE, Usage(9, 0, 0, 7))
CALLED = says(replace(PARIS, arguments='{"city":"Paris"}'), replace(EMPTY, arguments="{}"), role="assistant")
SEEN_CALLS = ("assistant", (("call", "call_1", "get_weather", {"city": "Paris"}), ("call", "call_2", "now", {})))
HEARD_CALLS = (("call_1", "get_weather", json.loads(PARIS.arguments)), ("call_2", "now", {}))


@BOTH
@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_parallel_calls_come_back_whole(corridor: Corridor, leg: Leg, stream: bool) -> None:
    corridor.upstream.reply = Reply(
        answer=CALLS if leg.upstream == "anthropic" or leg.is_crossing else with_braces(CALLS)
    )
    heard = await ask(corridor, leg, request("Weather?", tools=(WEATHER,)), stream=stream)
    assert (heard.text, heard.calls) == ("Let me see.", HEARD_CALLS)
    assert heard.stop == ("tool_use" if leg.client == "anthropic" else "tool_calls")


def with_braces(answer: Answer) -> Answer:
    """Empty arguments written out: within one dialect they pass as they are, and "" is no JSON."""
    return replace(
        answer,
        parts=tuple(replace(part, arguments="{}") if part == EMPTY else part for part in answer.parts),
    )


@BOTH
@pytest.mark.parametrize("leg", LEGS, ids=str)
async def test_tools_are_offered_with_their_schema(corridor: Corridor, leg: Leg, stream: bool) -> None:
    await ask(corridor, leg, request("Weather?", tools=(WEATHER,)), stream=stream)
    assert seen(corridor.upstream.last).tools == (("get_weather", "Tells the weather.", SCHEMA),)
    has_extra = corridor.upstream.last.body.get("tool_stream", False)
    assert has_extra is (stream and leg.upstream == "openai")


def results(*parts: ToolResult | str, before: tuple[object, ...] = ()) -> Conversation:
    return request("Weather?", CALLED, *before, says(*parts), tools=(WEATHER,))


ONE = ToolResult("call_1", (Text("sunny"),))
TWO = ToolResult("call_2", (Text("noon"),), is_error=True)
SEEN_ONE, SEEN_TWO = ("result", "call_1", "sunny", False), ("result", "call_2", "noon", True)
MISSING = ("result", "call_2", "(no result)", True)
RESULT_ROWS = [
    ("in order", results(ONE, TWO), (SEEN_ONE, SEEN_TWO)),
    ("with a word", results(ONE, TWO, "thanks"), (SEEN_ONE, SEEN_TWO, ("text", "thanks"))),
    ("in two messages", results(TWO, before=(says(ONE),)), (SEEN_ONE, SEEN_TWO)),
    ("turned round", results(TWO, ONE), (SEEN_ONE, SEEN_TWO)),
    ("one missing", results(ONE), (SEEN_ONE, MISSING)),
    (
        "all missing",
        results("never mind"),
        (("result", "call_1", "(no result)", True), MISSING, ("text", "never mind")),
    ),
    ("empty", results(ToolResult("call_1"), TWO), (("result", "call_1", "(no output)", False), SEEN_TWO)),
    ("twice", results(ToolResult("call_1", (Text("old"),)), ONE, TWO), (SEEN_ONE, SEEN_TWO)),
]


@pytest.mark.parametrize("leg", CROSSING, ids=str)
@pytest.mark.parametrize(("case", "asked", "items"), RESULT_ROWS, ids=[row[0] for row in RESULT_ROWS])
async def test_results_answer_their_calls(
    corridor: Corridor, leg: Leg, case: str, asked: Conversation, items: tuple[object, ...]
) -> None:
    if leg.client == "openai":  # has no word for a failed result
        items = tuple((*item[:3], item[2] == "(no result)") if item[0] == "result" else item for item in items)
    await ask(corridor, leg, asked, stream=False)
    assert seen(corridor.upstream.last).turns[1:] == (SEEN_CALLS, ("user", items))


@pytest.mark.parametrize("leg", SAME, ids=str)
async def test_good_results_pass_untouched(corridor: Corridor, leg: Leg) -> None:
    asked = results(ONE, replace(TWO, is_error=False))
    await ask(corridor, leg, asked, stream=False)
    write = anthropic_body if leg.client == "anthropic" else openai_body
    assert corridor.upstream.last.body["messages"] == write(asked)["messages"]


@pytest.mark.parametrize("leg", CROSSING, ids=str)
async def test_a_result_without_its_call_becomes_text(corridor: Corridor, leg: Leg) -> None:
    await ask(
        corridor,
        leg,
        request("go", says("yes", role="assistant"), says(ToolResult("lost", (Text("42"),)))),
        stream=False,
    )
    assert seen(corridor.upstream.last).turns[-1] == ("user", (("text", "[Result of tool call lost]\n42"),))


async def test_ids_that_anthropic_would_refuse_are_made_safe_in_both_places(corridor: Corridor) -> None:
    odd = "functions.get_weather:0"
    call, answer = ToolCall(odd, "get_weather", "{}"), ToolResult(odd, (Text("sunny"),))
    await ask(corridor, O_TO_A, request("go", says(call, role="assistant"), says(answer)), stream=False)
    (_, (seen_call,)), (_, (seen_result,)) = seen(corridor.upstream.last).turns[1:]
    assert seen_call[1] == seen_result[1] != odd


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ('{"city": "Par', {"city": "Par"}),
        ('"{\\"city\\": \\"Paris\\"}"', {"city": "Paris"}),
        ("[1]", {"value": [1]}),
        ("null", {}),
    ],
)
@BOTH
async def test_arguments_that_are_no_object_are_made_one(
    corridor: Corridor, arguments: str, meant: object, stream: bool
) -> None:
    answer = replace(CALLS, parts=(replace(PARIS, arguments=arguments),))
    corridor.upstream.reply = Reply(answer=answer)
    heard = await ask(corridor, A_TO_O, request("Weather?", tools=(WEATHER,)), stream=stream)
    assert heard.calls == (("call_1", "get_weather", meant),)


def openai_stream(*deltas: dict[str, object]) -> Reply:
    """A raw chunk stream with these deltas."""
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "glm-4.6"}
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 5,
        "total_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    chunks = [{**head, "choices": [choice]} for choice in choices]
    chunks[-1]["usage"] = usage
    return Reply(body=b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n")


def call_delta(
    index: int | None, arguments: object, call_id: str | None = None, name: str | None = None
) -> dict[str, object]:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    call = (
        {"function": function} | ({"index": index} if index is not None else {}) | ({"id": call_id} if call_id else {})
    )
    return {"tool_calls": [call]}


ODD_STREAMS = {
    "interleaved": [
        *(call_delta(0, '{"a"', "x", "f"), call_delta(1, '{"b"', "y", "g")),
        *(call_delta(0, ":1}"), call_delta(1, ":2}")),
    ],
    "one chunk each": [call_delta(0, '{"a":1}', "x", "f"), call_delta(1, '{"b":2}', "y", "g")],
    "all index 0": [call_delta(0, '{"a":1}', "x", "f"), call_delta(0, '{"b":2}', "y", "g")],
    "no index": [call_delta(None, '{"a":1}', "x", "f"), call_delta(None, '{"b":2}', "y", "g")],
    "name late": [call_delta(0, "", "x"), call_delta(0, '{"a":1}', None, "f"), call_delta(1, '{"b":2}', "y", "g")],
    "arguments as objects": [call_delta(0, {"a": 1}, "x", "f"), call_delta(1, {"b": 2}, "y", "g")],
}


@pytest.mark.parametrize("case", ODD_STREAMS)
async def test_odd_call_streams_are_understood(corridor: Corridor, case: str) -> None:
    corridor.upstream.reply = openai_stream(*ODD_STREAMS[case])
    heard = await ask(corridor, A_TO_O, request("go", tools=(WEATHER,)), stream=True)
    assert heard.calls == (("x", "f", {"a": 1}), ("y", "g", {"b": 2}))
    assert heard.stop == "tool_use"


CHOICES = [
    (O_TO_A, "auto", {"type": "auto"}),
    (O_TO_A, "none", {"type": "none"}),
    (O_TO_A, "required", {"type": "any"}),
    (O_TO_A, {"type": "function", "function": {"name": "get_weather"}}, {"type": "tool", "name": "get_weather"}),
    (A_TO_O, {"type": "auto"}, "auto"),
    (A_TO_O, {"type": "any"}, "auto"),
    (SAME[0], {"type": "tool", "name": "get_weather"}, {"type": "tool", "name": "get_weather"}),
    (SAME[1], "auto", "auto"),
]


@pytest.mark.parametrize(("leg", "choice", "sent"), CHOICES, ids=str)
async def test_tool_choice_in_the_upstreams_words(corridor: Corridor, leg: Leg, choice: object, sent: object) -> None:
    await ask(corridor, leg, request("go", tools=(WEATHER,)), stream=False, tool_choice=choice)
    assert corridor.upstream.last.body["tool_choice"] == sent


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "get_weather"}], ids=["any", "tool"])
async def test_a_forced_call_is_demanded_in_words_where_the_field_is_not_known(
    corridor: Corridor, choice: object
) -> None:
    other = replace(WEATHER, name="other")
    await ask(corridor, A_TO_O, request("go", tools=(WEATHER, other)), stream=False, tool_choice=choice)
    heard = seen(corridor.upstream.last)
    offered = [name for name, _, _ in heard.tools]
    assert offered == (["get_weather"] if choice["type"] == "tool" else ["get_weather", "other"])
    assert "must call" in f"{heard.system} {heard.turns[-1]}"


async def test_no_tools_are_offered_where_none_may_be_called(corridor: Corridor) -> None:
    await ask(corridor, A_TO_O, request("go", tools=(WEATHER,)), stream=False, tool_choice={"type": "none"})
    assert "tools" not in corridor.upstream.last.body


async def test_single_calls_are_asked_for_in_anthropics_words(corridor: Corridor) -> None:
    await ask(corridor, O_TO_A, request("go", tools=(WEATHER,)), stream=False, parallel_tool_calls=False)
    choice = corridor.upstream.last.body["tool_choice"]
    assert choice == {"type": "auto", "disable_parallel_tool_use": True}


async def test_bare_tools_get_what_the_other_side_requires(corridor: Corridor) -> None:
    bare = [{"type": "function", "function": {"name": "now"}}]
    async with open_openai(f"{corridor.url}/v1") as client:
        for model in ("glm-4.6-anthropic", "glm-4.6-openai"):
            corridor.upstream.allow("tool")
            await client.chat.completions.create(model=model, messages=[{"role": "user", "content": "go"}], tools=bare)
    assert corridor.upstream.requests[0].body["tools"][0]["input_schema"] == {"type": "object", "properties": {}}
