"""Prompts are read as errands."""

from __future__ import annotations

import pytest

from app.demo.errands import (
    DEFAULT_CONTENT,
    ReadFile,
    RunCommand,
    UseTool,
    WriteFile,
    find_errands,
    find_named_tools,
    find_related_tools,
)


@pytest.mark.parametrize(
    ("prompt", "errands"),
    [
        ('Write a file hello.txt with "Hi there"', [WriteFile("hello.txt", "Hi there\n")]),
        ("write a file hello.txt with Hello, world", [WriteFile("hello.txt", "Hello, world\n")]),
        ("Create a file named notes.md containing the text: one two", [WriteFile("notes.md", "one two\n")]),
        ("write a file x.txt with one line: it works", [WriteFile("x.txt", "it works\n")]),
        ("create `src/app.py`", [WriteFile("src/app.py", DEFAULT_CONTENT)]),
        ("Create a file called Makefile with 'all:'", [WriteFile("Makefile", "all:\n")]),
        ('write "hi" to out.log', [WriteFile("out.log", "hi\n")]),
        ("write a file", [WriteFile("demo.txt", DEFAULT_CONTENT)]),
        ("Write both a.txt and b.txt with x", [WriteFile("a.txt", "x\n"), WriteFile("b.txt", "x\n")]),
        ("create two files", [WriteFile("demo.txt", DEFAULT_CONTENT), WriteFile("demo-2.txt", DEFAULT_CONTENT)]),
        ("创建文件 hello.txt 内容为“你好”", [WriteFile("hello.txt", "你好\n")]),
        ("Please write a file /tmp/x/y.json with {}.", [WriteFile("/tmp/x/y.json", "{}.\n")]),
        ("read pyproject.toml", [ReadFile("pyproject.toml")]),
        ("Run `git status` for me", [RunCommand("git status")]),
        ("list the files here", [RunCommand("ls")]),
        ("write a poem about the sea", []),
        ("what does https://example.com/a.html say?", []),
        ("hello", []),
        ("", []),
    ],
)
def test_a_prompt_is_read_as_errands(prompt: str, errands: list[object]) -> None:
    assert find_errands(prompt) == errands


def test_tools_named_in_the_prompt_are_used_in_the_order_of_the_tools() -> None:
    prompt = "Use `get_time` and get_weather now"
    assert find_named_tools(prompt, ["get_weather", "get_time", "other"]) == [
        UseTool("get_weather"),
        UseTool("get_time"),
    ]
    assert find_named_tools("get_weather is a nice tool", ["get_weather"]) == []


def test_a_tool_is_found_by_a_word_of_its_name() -> None:
    names = ["get_weather", "getStockPrice", "set"]
    assert find_related_tools("How is the weather?", names) == [UseTool("get_weather")]
    assert find_related_tools("the stock of ACME", names) == [UseTool("getStockPrice")]
    assert find_related_tools("set it", names) == []
