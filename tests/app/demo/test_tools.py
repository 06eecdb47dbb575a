"""Errands are done by the tools that real agents offer."""

from __future__ import annotations

import pytest

from app.demo.errands import Errand, ReadFile, RunCommand, UseTool, WriteFile
from app.demo.tools import call_for
from proxy_core.chat import Tool
from tests.app.demo.builders import CLAUDE, CLINE, CODEX, CODEX_PATCH, OPENCODE, WEATHER, tool

WRITE = WriteFile("a.txt", "it's\n")
SHELL_LINE = "printf '%s' 'it'\"'\"'s\n' > /w/a.txt"


@pytest.mark.parametrize(
    ("errand", "tools", "name", "arguments"),
    [
        (WRITE, CLAUDE, "Write", {"file_path": "/w/a.txt", "content": "it's\n"}),
        (WRITE, OPENCODE, "write", {"filePath": "/w/a.txt", "content": "it's\n"}),
        (WRITE, CLINE, "write_to_file", {"path": "a.txt", "content": "it's\n"}),
        (WRITE, CODEX, "shell", {"command": ["bash", "-lc", SHELL_LINE]}),
        (
            WriteFile("a.txt", "1\n\n2\n"),
            CODEX_PATCH,
            "apply_patch",
            {"input": "*** Begin Patch\n*** Add File: a.txt\n+1\n+\n+2\n*** End Patch\n"},
        ),
        (WRITE, CODEX_PATCH[:1], "exec_command", {"cmd": SHELL_LINE}),
        (WRITE, CLAUDE[:2], "Bash", {"command": SHELL_LINE, "description": "Demo errand"}),
        (WriteFile("/b.txt", "x"), CLAUDE, "Write", {"file_path": "/b.txt", "content": "x"}),
        (ReadFile("a.txt"), CLAUDE, "Read", {"file_path": "/w/a.txt"}),
        (ReadFile("a b.txt"), OPENCODE, "bash", {"command": "cat '/w/a b.txt'", "description": "Demo errand"}),
        (RunCommand("ls"), CODEX, "shell", {"command": ["bash", "-lc", "ls"]}),
        (UseTool("get_weather"), WEATHER, "get_weather", {"city": "New York"}),
    ],
)
def test_an_errand_becomes_a_call(errand: Errand, tools: tuple[Tool, ...], name: str, arguments: object) -> None:
    found = call_for(errand, tools, "/w", "Do it in New York")
    assert found is not None
    assert (found[0].name, found[1]) == (name, arguments)


@pytest.mark.parametrize(("errand", "tools"), [(WRITE, WEATHER), (WRITE, ()), (UseTool("none"), WEATHER)])
def test_no_tool_no_call(errand: Errand, tools: tuple[Tool, ...]) -> None:
    assert call_for(errand, tools, "/w", "Do it") is None


@pytest.mark.parametrize(
    ("directory", "path"), [("", "a.txt"), ("/w", "/w/a.txt"), (r"C:\Users\me", r"C:\Users\me\a.txt")]
)
def test_a_path_is_absolute_where_the_directory_is_known(directory: str, path: str) -> None:
    found = call_for(WRITE, CLAUDE, directory, "")
    assert found is not None
    assert found[1]["file_path"] == path


def test_a_tool_for_editing_is_no_writer() -> None:
    editor = tool("write_edit", {"path": "string", "content": "string"})
    assert call_for(WRITE, (editor,), "", "") is None
