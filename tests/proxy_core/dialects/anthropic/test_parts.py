"""Content blocks, both ways."""

from __future__ import annotations

import pytest

from proxy_core.chat import Document, Image, Text, Thinking, ToolCall, ToolResult, Unknown
from proxy_core.dialects.anthropic.parts import read_content, read_texts, rendering, write_part
from proxy_core.errors import BadRequestError
from tests.proxy_core.dialects.anthropic.corpus import ASSISTANT_BLOCKS, PNG, RESULT_BLOCKS

TEXT = {"type": "text", "text": "a"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
BLOCKS = [*ASSISTANT_BLOCKS, *RESULT_BLOCKS]


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "a"}, Text("a")),
        ({"type": "image", "source": PNG}, Image("image/png", "aGk=")),
        ({"type": "image", "source": {"type": "url", "url": "http://x"}}, Image(url="http://x")),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, Unknown("image.file")),
        ({"type": "document", "source": PDF, "title": "T"}, Document("T", media_type="application/pdf", data="JVBE")),
        ({"type": "document", "source": {"type": "url", "url": "http://x"}}, Document(url="http://x")),
        ({"type": "document", "source": {"type": "text", "data": "D"}, "title": None}, Document(text="D")),
        ({"type": "document", "source": {"type": "content", "content": "C"}}, Document(text="C")),
        ({"type": "document", "source": {"type": "content", "content": [TEXT, TEXT]}}, Document(text="a\na")),
        (
            {"type": "document", "source": {"type": "content", "content": [{"type": "image"}]}},
            Unknown("document.content"),
        ),
        ({"type": "thinking", "thinking": "hm"}, Thinking("hm")),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, Thinking("hm", "s")),
        ({"type": "redacted_thinking", "data": "d"}, Thinking("", redacted="d")),
        ({"type": "tool_use", "id": "i", "name": "n", "input": {"a": 1}}, ToolCall("i", "n", '{"a":1}')),
        ({"type": "tool_use", "id": "i", "name": "n"}, ToolCall("i", "n", "{}")),
        ({"type": "tool_result", "tool_use_id": "i"}, ToolResult("i")),
        ({"type": "tool_result", "tool_use_id": "i", "content": "x"}, ToolResult("i", (Text("x"),))),
        ({"type": "tool_result", "tool_use_id": "i", "is_error": True}, ToolResult("i", is_error=True)),
        (
            {"type": "tool_result", "tool_use_id": "i", "content": [{"type": "tool_result", "content": "in"}]},
            ToolResult("i", (Unknown("tool_result", "in"),)),
        ),
    ],
)
def test_blocks_become_parts(block, part):
    (read,) = read_content([block], "messages.0.content")
    assert read == part
    assert read.raw is block


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block["type"])
def test_in_its_own_dialect_every_block_goes_out_as_it_came(block):
    (part,) = read_content([block], "")
    assert write_part(part, own=True) is block


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": "a"},
        {"type": "image", "source": PNG},
        {"type": "image", "source": {"type": "url", "url": "http://x"}},
        {"type": "document", "source": PDF, "title": "T"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "D"}},
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "tool_use", "id": "i", "name": "n", "input": {"a": [1, None]}},
        {"type": "tool_result", "tool_use_id": "i", "content": [{"type": "text", "text": "x"}], "is_error": True},
    ],
    ids=lambda block: block["type"],
)
def test_what_was_rendered_anew_says_the_same(block):
    (part,) = read_content([block], "")
    assert write_part(part, own=False) == block


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (ToolCall("i", "n", ""), {"type": "tool_use", "id": "i", "name": "n", "input": {}}),
        (ToolResult("i"), {"type": "tool_result", "tool_use_id": "i", "content": "(no output)"}),
        (Unknown("odd", "text"), {"type": "text", "text": "text"}),
        (
            Image("image/jpg", "x"),
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "x"}},
        ),
    ],
)
def test_parts_of_another_dialect(part, block):
    assert write_part(part, own=False) == block


def test_ids_are_made_legal_alike_in_calls_and_results():
    call, result = ToolCall("a.b", "n", ""), ToolResult("a.b")
    assert write_part(call, own=False)["id"] == write_part(result, own=False)["tool_use_id"] != "a.b"
    assert write_part(call, own=True)["id"] == write_part(result, own=True)["tool_use_id"] == "a.b"


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (RESULT_BLOCKS[8], "[S](http://s)\nfound"),
        (ASSISTANT_BLOCKS[4], "[T](http://t)"),
        ({"type": "tool_reference", "tool_name": "grep"}, "[tool_reference: grep]"),
        ({"type": "server_tool_use", "name": "web_search"}, "[server_tool_use: web_search]"),
        ({"type": "compaction", "content": "so far"}, "so far"),
        ({"type": "container_upload", "file_id": "f"}, ""),
        ({"type": "odd", "content": 7, "text": None}, ""),
        ({"type": "odd", "title": "T", "text": " ", "content": "c"}, "c"),
    ],
)
def test_unknown_blocks_are_rendered_where_they_say_something(block, text):
    assert rendering(block) == text


def test_endless_nesting_is_not_followed():
    block = {"type": "odd", "text": "x"}
    for _ in range(5000):
        block = {"type": "odd", "content": [block]}
    assert rendering(block) == ""


@pytest.mark.parametrize(
    ("content", "param"),
    [
        (None, "c"),
        (7, "c"),
        ({"type": "text"}, "c"),
        (["text"], "c.0"),
        ([{"text": "x"}], "c.0.type"),
        ([{"type": "text"}], "c.0.text"),
        ([{"type": "text", "text": ["x"]}], "c.0.text"),
        ([{"type": "text", "text": "x"}, {"type": "image"}], "c.1.source"),
        ([{"type": "image", "source": {"type": "base64", "media_type": "image/png"}}], "c.0.source.data"),
        ([{"type": "image", "source": {"type": "base64", "data": ""}}], "c.0.source.media_type"),
        ([{"type": "image", "source": {"type": "url"}}], "c.0.source.url"),
        ([{"type": "image", "source": {}}], "c.0.source.type"),
        ([{"type": "document", "source": {"type": "text"}}], "c.0.source.data"),
        ([{"type": "document", "source": {"type": "content"}}], "c.0.source.content"),
        ([{"type": "document", "title": 1, "source": {}}], "c.0.title"),
        ([{"type": "thinking"}], "c.0.thinking"),
        ([{"type": "redacted_thinking"}], "c.0.data"),
        ([{"type": "tool_use", "name": "n", "input": {}}], "c.0.id"),
        ([{"type": "tool_use", "id": "i", "input": {}}], "c.0.name"),
        ([{"type": "tool_result"}], "c.0.tool_use_id"),
        ([{"type": "tool_result", "tool_use_id": "i", "content": 7}], "c.0.content"),
        ([{"type": "tool_result", "tool_use_id": "i", "content": [7]}], "c.0.content.0"),
        ([{"type": "tool_result", "tool_use_id": "i", "is_error": "no"}], "c.0.is_error"),
    ],
)
def test_malformed_content_is_refused_by_name(content, param):
    with pytest.raises(BadRequestError, match=rf"^{param}: ") as caught:
        read_content(content, "c")
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (None, ()),
        ("", (Text(""),)),
        ("a", (Text("a"),)),
        ([{"type": "text", "text": "a"}, {"type": "search_result", "content": "b"}], (Text("a"), Text("b"))),
    ],
)
def test_system_prompts(value, texts):
    assert read_texts(value, "system") == texts
