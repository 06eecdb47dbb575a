"""Whole response objects."""

from __future__ import annotations

from openai.types.responses import Response

from proxy_core.chat import Answer, StopReason, Text, Thinking, ToolCall, Usage
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.responses.answers import write_answer
from tests.proxy_core.dialects.responses.builders import AGENTS, LOOK, PATCH, SEALED, context

PARTS = (
    Thinking("Hm.", "sig"),
    Text("Look:"),
    ToolCall("c1", "look", ""),
    ToolCall("c2", "apply_patch", '{"input":"*** Begin"}'),
    ToolCall("c3", "agents__stop", "{}"),
)
ANSWER = Answer("up", "glm", PARTS, StopReason.TOOL_USE, Usage(3, 4, 0, 5), created=9)


def test_a_response_has_all_that_the_sdk_requires() -> None:
    written = write_answer(ANSWER, context(tools=[LOOK, PATCH, AGENTS], **SEALED))
    response = Response.model_validate(written)
    assert response.model_extra == {"store": False}
    assert (response.id, response.output_text, response.status) == ("resp_up", "Look:", "completed")
    assert [item.type for item in response.output] == [
        "reasoning",
        "message",
        "function_call",
        "custom_tool_call",
        "function_call",
    ]
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.total_tokens) == (7, 12)


def test_items_in_full() -> None:
    reasoning, message, call, patch, stop = write_answer(ANSWER, context(tools=[PATCH, AGENTS]))["output"]
    assert reasoning == {
        "id": "rs_up_0",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "Hm."}],
    }
    text = {"type": "output_text", "text": "Look:", "annotations": [], "logprobs": []}
    assert message == {
        "id": "msg_up_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [text],
    }
    assert call["arguments"] == "{}"
    assert (patch["input"], patch["id"], patch["call_id"]) == ("*** Begin", "ctc_up_3", "c2")
    assert (stop["namespace"], stop["name"]) == ("agents", "stop")


def test_the_request_is_repeated() -> None:
    said = {
        "instructions": "Be kind.",
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "text": {"format": {"type": "json_object"}},
        "tool_choice": "required",
        "tools": [LOOK],
        "reasoning": {"effort": "low"},
        "max_output_tokens": 9,
    }
    written = write_answer(ANSWER, context(**said))
    assert {name: written[name] for name in said} == said


def test_nothing_said_and_nothing_asked() -> None:
    written = write_answer(Answer("", "", (Text(""),), StopReason.END_TURN), ReplyContext("asked", "fresh", 7))
    assert (written["id"], written["model"], written["created_at"]) == ("resp_fresh", "asked", 7)
    assert (written["output"], written["tools"], written["tool_choice"]) == ([], [], "auto")


def test_only_the_last_item_of_a_cut_answer_is_incomplete() -> None:
    parts = (Text("a"), Text("b"), Thinking("", "unseen"))
    written = write_answer(Answer("up", "glm", parts, StopReason.MAX_TOKENS), context())
    assert [item["status"] for item in written["output"]] == ["completed", "incomplete"]
    assert written["incomplete_details"] == {"reason": "max_output_tokens"}
