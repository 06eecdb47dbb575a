"""From an errand to calls of the tools at hand: real agents name and shape them differently, so both are matched."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath

from app.demo.errands import Errand, ReadFile, RunCommand, UseTool, WriteFile
from app.demo.schema import Hints, fill_object, properties_of
from proxy_core.chat import Tool
from proxy_core.jsontypes import JsonObject

_PATH_KEYS = ("file_path", "filePath", "filepath", "path", "target_file", "filename", "file_name", "file")
_CONTENT_KEYS = ("content", "contents", "file_text", "text", "code_content")
_COMMAND_KEYS = ("command", "cmd", "script", "commands")
_WRITER_WORDS = ("write", "create", "save", "new")
_READER_WORDS = ("read", "view", "open", "cat")
_SHELL_WORDS = ("bash", "shell", "exec", "terminal", "command", "run", "powershell")
_NOT_WRITERS = ("edit", "replace", "append", "insert", "todo", "search", "fetch", "notebook")
_PATCHER = "apply_patch"
CLOSING_TOOL = "attempt_completion"
"""Agents that offer this tool want their final words through it."""


def call_for(errand: Errand, tools: Sequence[Tool], directory: str, prompt: str) -> tuple[Tool, JsonObject] | None:
    """The tool and the arguments that do the errand; None where no tool at hand can."""
    match errand:
        case WriteFile():
            found = _write(errand, tools, directory) or _patch(errand, tools)
            return found or _run(_write_command(errand, directory), tools)
        case ReadFile(name):
            return _read(name, tools, directory) or _run(f"cat {shlex.quote(_located(name, directory))}", tools)
        case RunCommand(command):
            return _run(command, tools)
        case UseTool(name):
            tool = next((tool for tool in tools if tool.name == name), None)
            return (tool, fill_object(tool.schema, Hints(prompt))) if tool else None


def _write(errand: WriteFile, tools: Sequence[Tool], directory: str) -> tuple[Tool, JsonObject] | None:
    for tool in _by_words(tools, _WRITER_WORDS):
        path_key = _first_key(tool.schema, _PATH_KEYS)
        content_key = _first_key(tool.schema, _CONTENT_KEYS)
        if path_key and content_key and not any(word in tool.name.lower() for word in _NOT_WRITERS):
            known: JsonObject = {
                path_key: _path_for(tool.schema, path_key, errand.name, directory),
                content_key: errand.content,
                "line_count": errand.content.count("\n"),
                "command": "create",
            }
            return tool, fill_object(tool.schema, Hints(errand.name, known))
    return None


def _patch(errand: WriteFile, tools: Sequence[Tool]) -> tuple[Tool, JsonObject] | None:
    """Codex's way: a patch in a form of its own, with paths relative to where it works."""
    for tool in tools:
        if tool.name == _PATCHER and "input" in properties_of(tool.schema):
            lines = "".join(f"+{line}\n" for line in errand.content.splitlines())
            return tool, {"input": f"*** Begin Patch\n*** Add File: {errand.name}\n{lines}*** End Patch\n"}
    return None


def _read(name: str, tools: Sequence[Tool], directory: str) -> tuple[Tool, JsonObject] | None:
    for tool in _by_words(tools, _READER_WORDS):
        path_key = _first_key(tool.schema, _PATH_KEYS)
        if path_key:
            known: JsonObject = {path_key: _path_for(tool.schema, path_key, name, directory), "command": "view"}
            return tool, fill_object(tool.schema, Hints(name, known))
    return None


def _run(command: str, tools: Sequence[Tool]) -> tuple[Tool, JsonObject] | None:
    for tool in _by_words(tools, _SHELL_WORDS):
        key = _first_key(tool.schema, _COMMAND_KEYS)
        if key:
            declared = properties_of(tool.schema)[key]
            is_list = isinstance(declared, dict) and declared.get("type") == "array"
            known: JsonObject = {key: ["bash", "-lc", command] if is_list else command, "description": "Demo errand"}
            return tool, fill_object(tool.schema, Hints(command, known))
    return None


def _write_command(errand: WriteFile, directory: str) -> str:
    return f"printf '%s' {shlex.quote(errand.content)} > {shlex.quote(_located(errand.name, directory))}"


def _by_words(tools: Sequence[Tool], words: tuple[str, ...]) -> list[Tool]:
    """Tools with one of the words in their name, in the order of the words."""
    return [tool for word in words for tool in tools if word in tool.name.lower()]


def _first_key(schema: Mapping[str, object], keys: tuple[str, ...]) -> str | None:
    declared = properties_of(schema)
    return next((key for key in keys if key in declared), None)


def _path_for(schema: Mapping[str, object], key: str, name: str, directory: str) -> str:
    """Absolute where the directory is known, unless the schema itself asks for relative paths."""
    declared = properties_of(schema)[key]
    words = str(declared.get("description", "")).lower() if isinstance(declared, dict) else ""
    is_relative = "relative" in words and "absolute" not in words
    return name if is_relative else _located(name, directory)


def _located(name: str, directory: str) -> str:
    if not directory or name.startswith(("/", "~")) or PureWindowsPath(name).is_absolute():
        return name
    is_windows = PureWindowsPath(directory).drive != ""
    return str(PureWindowsPath(directory) / name) if is_windows else str(PurePosixPath(directory) / name)
