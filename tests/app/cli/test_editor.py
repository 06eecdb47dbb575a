from __future__ import annotations

import sys
import types

import pytest

from app.cli.editor import edited
from app.cli.exits import CommandError


@pytest.fixture
def editor(monkeypatch, tmp_path):
    """The user's editor is a line of shell."""
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(isatty=lambda: True))

    def choose(script: str) -> None:
        path = tmp_path / "editor"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("VISUAL", str(path))

    return choose


def test_what_was_typed_comes_back(editor):
    editor('echo "after" > "$1"')
    assert edited("before") == "after"


@pytest.mark.parametrize(("script", "words"), [("true", "Nothing was changed"), ("exit 3", "code 3")])
def test_where_nothing_came_of_it_it_is_said(editor, script, words):
    editor(script)
    with pytest.raises(CommandError, match=words):
        edited("before")


def test_a_missing_editor_is_named(editor, monkeypatch):
    editor("true")
    monkeypatch.setenv("VISUAL", "/nowhere/editor")
    with pytest.raises(CommandError, match="/nowhere/editor cannot be started"):
        edited("before")
