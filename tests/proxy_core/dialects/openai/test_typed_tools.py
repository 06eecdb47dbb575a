"""Anthropic's typed client tools as functions that any model can call."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from proxy_core.chat import Tool
from proxy_core.dialects.openai.typed_tools import as_function, is_only_for_claude

VIEW = {"command": "view", "path": "/a", "view_range": [1, -1]}


@pytest.mark.parametrize(
    ("kind", "call", "is_legal"),
    [
        ("bash_20250124", {"command": "ls"}, True),
        ("bash_20250124", {"restart": True}, True),
        ("bash_20250124", {"command": 1}, False),
        ("text_editor_20250728", VIEW, True),
        ("text_editor_20250728", {"command": "insert", "path": "/a", "insert_line": 0, "insert_text": "x"}, True),
        ("text_editor_20250728", {"command": "undo_edit", "path": "/a"}, False),
        ("text_editor_20250124", {"command": "undo_edit", "path": "/a"}, True),
        ("text_editor_20250124", {"command": "view"}, False),
        ("memory_20250818", {"command": "rename", "old_path": "/a", "new_path": "/b"}, True),
        ("memory_20250818", {"command": "undo_edit", "path": "/a"}, False),
    ],
)
def test_what_a_model_may_call(kind: str, call: dict[str, object], is_legal: bool) -> None:
    tool = as_function(Tool("its_name", kind=kind, raw={"type": kind}))
    assert tool is not None
    assert (tool.name, tool.kind, tool.raw) == ("its_name", "function", None)
    assert tool.description
    assert Draft202012Validator(tool.schema).is_valid(call) is is_legal


@pytest.mark.parametrize(
    ("kind", "is_claudes"),
    [("web_search_20250305", False), ("computer_20250124", True), ("browser_toolset_20260801", True), ("bash2", False)],
)
def test_what_no_schema_is_known_of(kind: str, is_claudes: bool) -> None:
    assert as_function(Tool("t", kind=kind)) is None
    assert is_only_for_claude(Tool("t", kind=kind)) is is_claudes


def test_a_function_stays_what_it_is() -> None:
    assert as_function(Tool("bash", "Mine.")) is None
