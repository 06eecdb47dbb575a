"""The counter, with one token per character so that every sum can be checked by eye."""

from __future__ import annotations

import pytest

from proxy_core.chat import (
    Conversation,
    Document,
    Image,
    Message,
    Part,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Unknown,
)
from proxy_core.errors import BadRequestError
from proxy_core.tokens.count import count_conversation
from tests.proxy_core.tokens.test_images import picture

RESULT = ToolResult("c", (Text("fine"), Image(url="http://x"), Unknown("odd", "12")))


def conversation(*parts: Part, system: tuple[Text, ...] = (), tools: tuple[Tool, ...] = ()) -> Conversation:
    messages = (Message("user", parts),) if parts else ()
    return Conversation("openai", "glm-4.6", messages, system=system, tools=tools)


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (Text("hello"), 5),
        (Text(""), 0),
        (Image("image/png", picture("PNG", (512, 512))), 326),
        (Image(url="https://example.org/a.png"), 1_600),
        (Document("a.txt", "four"), 9),
        (Document("a.pdf", data="JVBERi0="), 1_605),
        (Thinking("hmm", signature="x" * 99), 3),
        (Thinking("", redacted="x" * 99), 0),
        (ToolCall("id", "read", '{"a":1}'), 17),
        (Unknown("search_result", "abc"), 3),
    ],
)
def test_parts(part: Part, tokens: int) -> None:
    assert count_conversation(conversation(part), len) == 3 + 4 + tokens


def test_system_costs_a_message() -> None:
    assert count_conversation(conversation(system=(Text("be"), Text("kind"))), len) == 3 + 4 + 6


def test_an_empty_conversation_costs_the_reply() -> None:
    assert count_conversation(conversation(), len) == 3


def test_results_cost_the_same_alone_and_together() -> None:
    alone = [Message("user", (RESULT,)), Message("user", (RESULT,)), Message("user", (Text("go"),))]
    together = [Message("user", (RESULT, RESULT, Text("go")))]
    counts = {count_conversation(Conversation("openai", "m", tuple(messages)), len) for messages in (alone, together)}
    assert counts == {3 + 2 * (4 + 4 + 1_600 + 2) + 4 + 2}


@pytest.mark.parametrize(
    ("tool", "written"),
    [
        (Tool("ls", "lists", {"type": "object"}), '{"name":"ls","description":"lists","parameters":{"type":"object"}}'),
        (
            Tool("bash", kind="bash_20250124", raw={"type": "bash_20250124", "name": "bash"}),
            '{"type":"bash_20250124","name":"bash"}',
        ),
        (Tool("odd", kind="custom"), '{"name":"odd","description":"","parameters":{}}'),
    ],
)
def test_tools_cost_their_compact_json(tool: Tool, written: str) -> None:
    assert count_conversation(conversation(tools=(tool, tool)), len) == 3 + 2 * (8 + len(written))


def test_what_a_client_marks_on_its_tool_costs_nothing() -> None:
    plain = Tool("ls", "lists", {"type": "object"})
    marked = Tool("ls", "lists", {"type": "object"}, raw={"name": "ls", "cache_control": {"type": "ephemeral"}})
    assert count_conversation(conversation(tools=(marked,)), len) == count_conversation(
        conversation(tools=(plain,)), len
    )


def test_a_bottomless_schema_is_refused_by_name() -> None:
    schema: dict[str, object] = {}
    for _ in range(500):
        schema = {"items": schema}
    with pytest.raises(BadRequestError, match=r"tools\.1") as caught:
        count_conversation(conversation(tools=(Tool("a"), Tool("b", schema=schema))), len)
    assert caught.value.param == "tools.1"
