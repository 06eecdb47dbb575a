"""Input items, read."""

from __future__ import annotations

import pytest

from proxy_core.chat import Document, Image, Message, Text, Thinking, ToolCall, ToolResult, Unknown
from proxy_core.dialects.responses.items import read_input
from proxy_core.dialects.responses.reasoning import seal
from proxy_core.errors import BadRequestError
from tests.proxy_core.dialects.responses.builders import LOOK, Wire, message

CALL: Wire = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "look", "arguments": '{"a":1}'}
PATCHED: Wire = {"type": "custom_tool_call", "call_id": "c2", "name": "apply_patch", "input": "*** Begin\n"}
RESULT: Wire = {"type": "function_call_output", "call_id": "c1", "output": "seen"}
SHELL: Wire = {
    "type": "local_shell_call",
    "id": "x",
    "call_id": "c3",
    "status": "completed",
    "action": {"type": "exec", "command": ["ls"]},
}
THOUGHT: Wire = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}
PICTURE: Wire = {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "auto"}


def assistant(*parts: object) -> Message:
    return Message("assistant", parts)


def result(call_id: str, *parts: object) -> Message:
    return Message("user", (ToolResult(call_id, parts),))


@pytest.mark.parametrize(
    ("item", "read"),
    [
        (message("user", "Hi", "there"), Message("user", (Text("Hi"), Text("there")))),
        ({"role": "user", "content": "Hi"}, Message("user", (Text("Hi"),))),
        (message("developer", "Be kind."), Message("system", (Text("Be kind."),))),
        (message("system", "Be kind."), Message("system", (Text("Be kind."),))),
        (message("assistant", "Yes.", phase="final_answer", id="msg_1", status="completed"), assistant(Text("Yes."))),
        (message("assistant", {"type": "refusal", "refusal": "No."}), assistant(Unknown("refusal", "No."))),
        (message("user", PICTURE), Message("user", (Image("image/png", "QUJD"),))),
        (
            message("user", {"type": "input_image", "image_url": {"url": "https://x/y"}}),
            Message("user", (Image(url="https://x/y"),)),
        ),
        (
            message("user", {"type": "input_file", "filename": "a.md", "file_data": "data:text/plain;base64,SGk="}),
            Message("user", (Document("a.md", "Hi"),)),
        ),
        (
            message("user", {"type": "input_file", "file_url": "https://x/y.pdf"}),
            Message("user", (Document(url="https://x/y.pdf"),)),
        ),
        (CALL, assistant(ToolCall("c1", "look", '{"a":1}'))),
        ({**CALL, "namespace": "agents"}, assistant(ToolCall("c1", "agents__look", '{"a":1}'))),
        ({**CALL, "arguments": {"a": 1}}, assistant(ToolCall("c1", "look", '{"a":1}'))),
        (PATCHED, assistant(ToolCall("c2", "apply_patch", '{"input":"*** Begin\\n"}'))),
        (SHELL, assistant(ToolCall("c3", "local_shell", '{"action":{"type":"exec","command":["ls"]}}'))),
        (RESULT, result("c1", Text("seen"))),
        ({**RESULT, "output": [PICTURE]}, result("c1", Image("image/png", "QUJD"))),
        ({**RESULT, "output": [{"stdout": "x"}]}, result("c1", Text('[{"stdout":"x"}]'))),
        ({**RESULT, "output": None}, result("c1")),
        ({**RESULT, "type": "custom_tool_call_output"}, result("c1", Text("seen"))),
        ({"type": "local_shell_call_output", "id": "c1", "output": "seen"}, result("c1", Text("seen"))),
        (THOUGHT, assistant(Thinking("Hm."))),
        ({**THOUGHT, "encrypted_content": seal(Thinking("Hmmm.", "s"))}, assistant(Thinking("Hmmm.", "s"))),
        (
            {"type": "mcp_call", "id": "m", "name": "x", "output": "found", "error": None},
            assistant(Unknown("mcp_call", "found")),
        ),
    ],
)
def test_items(item: Wire, read: Message) -> None:
    found = read_input([item])
    assert (found.messages, found.dropped) == ((read,), ())


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"type": "item_reference", "id": "msg_1"}, "input.item_reference"),
        ({"id": "msg_1"}, "input.item_reference"),
        ({"type": "reasoning", "id": "rs_1", "summary": []}, "input.reasoning"),
        ({**THOUGHT, "encrypted_content": "gAAAAB-of-somebody-else"}, "input.reasoning"),
        ({"type": "compaction", "encrypted_content": "x"}, "input.compaction"),
        ({"type": "web_search_call", "id": "ws", "status": "completed"}, "input.web_search_call"),
        ({"type": "Of the future\r\nx: y", "a": {"b": [1]}}, "input.unknown"),
        ({}, "input.unknown"),
        ({"type": 7}, "input.unknown"),
        (message("user", {"type": "hologram"}), "input.hologram"),
    ],
)
def test_what_says_nothing_is_left_out_and_named(item: Wire, name: str) -> None:
    found = read_input([item])
    assert (found.messages, found.dropped) == ((), (name,))


def test_a_mute_part_leaves_the_rest_of_a_result() -> None:
    found = read_input([{**RESULT, "output": [{"type": "hologram"}, {"type": "input_text", "text": "seen"}]}])
    assert (found.messages, found.dropped) == ((result("c1", Text("seen")),), ("input.hologram",))


@pytest.mark.parametrize("content", ["", None, []])
def test_an_empty_message_is_nothing(content: object) -> None:
    found = read_input([{"role": "user", "content": content}])
    assert (found.messages, found.dropped) == ((), ())


def test_what_the_assistant_said_in_a_row_is_one_message() -> None:
    found = read_input([THOUGHT, message("assistant", "Yes."), CALL, PATCHED, RESULT, CALL])
    calls = (ToolCall("c1", "look", '{"a":1}'), ToolCall("c2", "apply_patch", '{"input":"*** Begin\\n"}'))
    assert found.messages == (
        assistant(Thinking("Hm."), Text("Yes."), *calls),
        result("c1", Text("seen")),
        assistant(calls[0]),
    )


@pytest.mark.parametrize("kind", ["additional_tools", "tool_search_output"])
def test_items_bring_tools(kind: str) -> None:
    found = read_input([{"type": kind, "role": "developer", "tools": [LOOK]}])
    assert (found.declared, found.messages, found.dropped) == (((LOOK, "input.0.tools.0"),), (), ())


def test_text_alone_is_a_message() -> None:
    assert read_input("Hi").messages == (Message("user", (Text("Hi"),)),)


@pytest.mark.parametrize(
    ("value", "param"),
    [
        (None, "input"),
        ({"role": "user"}, "input"),
        (["Hi"], "input.0"),
        ([{"role": "critic", "content": "x"}], "input.0.role"),
        ([message("user", {"type": "input_text"})], "input.0.content.0.text"),
        ([message("user", {"type": "input_image", "file_id": "f"})], "input.0.content.0.file_id"),
        ([message("user", {"type": "input_image"})], "input.0.content.0.image_url"),
        ([message("user", {"type": "input_file", "file_id": "f"})], "input.0.content.0.file_id"),
        ([message("user", {"type": "input_file"})], "input.0.content.0.file_data"),
        ([message("user", {"type": "input_audio"})], "input.0.content.0"),
        ([{**CALL, "name": None}], "input.0.name"),
        ([{**CALL, "arguments": 5}], "input.0.arguments"),
        ([{**PATCHED, "input": None}], "input.0.input"),
    ],
)
def test_malformed_items_are_refused_by_name(value: object, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_input(value)
    assert caught.value.param == param
