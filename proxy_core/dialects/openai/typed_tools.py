"""Anthropic's typed client tools as plain functions.

Such a tool (`{"type":"bash_20250124","name":"bash"}`) comes without a schema, since Claude knows it by heart. The
client runs it, so any model may call it that is told what it takes.
"""

from __future__ import annotations

import re
from dataclasses import replace

from proxy_core.chat import Tool
from proxy_core.jsontypes import JsonObject

_TEXT: JsonObject = {"type": "string"}
_LINE: JsonObject = {"type": "integer"}
_RANGE: JsonObject = {"type": "array", "items": _LINE, "description": "First and last line; -1 is the end."}
_DATE = re.compile(r"_(\d{8})$")
_NEW_EDITOR = 20250429
"""The first editor without undo, whose `insert` takes `insert_text`."""

_ONLY_CLAUDE = ("computer_", "browser_")
"""Run by the client as well, but useless without a model trained for them."""


def is_only_for_claude(tool: Tool) -> bool:
    """Whether leaving the tool out would leave the client without the point of its request."""
    return tool.kind.startswith(_ONLY_CLAUDE)


def as_function(tool: Tool) -> Tool | None:
    """The tool as a function with its schema; None for one that is not known or that the vendor runs."""
    date = _DATE.search(tool.kind)
    family = tool.kind[: date.start()] if date else tool.kind
    version = int(date[1]) if date else 0
    match family:
        case "bash":
            return _function(tool, "Runs a command in a shell that stays open.", _bash())
        case "text_editor":
            return _function(tool, "Views, creates and edits text files.", _editor(version))
        case "memory":
            return _function(tool, "Keeps notes in files under /memories.", _memory())
        case _:
            return None


def _function(tool: Tool, description: str, schema: JsonObject) -> Tool:
    return replace(tool, kind="function", description=tool.description or description, schema=schema, raw=None)


def _bash() -> JsonObject:
    restart: JsonObject = {"type": "boolean", "description": "Instead of a command: start the shell anew."}
    return {"type": "object", "properties": {"command": _TEXT, "restart": restart}}


def _editor(version: int) -> JsonObject:
    """`insert` puts text behind a line; in the older editors that text is `new_str`."""
    is_new = version >= _NEW_EDITOR
    commands = ["view", "create", "str_replace", "insert", *([] if is_new else ["undo_edit"])]
    inserted: JsonObject = {"insert_text": _TEXT} if is_new else {}
    return _commands(commands, {"path": _TEXT, **_edits(), **inserted}, ["command", "path"])


def _memory() -> JsonObject:
    commands = ["view", "create", "str_replace", "insert", "delete", "rename"]
    places: JsonObject = {"path": _TEXT, "old_path": _TEXT, "new_path": _TEXT}
    return _commands(commands, {**places, **_edits(), "insert_text": _TEXT}, ["command"])


def _edits() -> JsonObject:
    """file_text: for `create`; old_str, new_str: for `str_replace`; insert_line: the line to insert behind."""
    return {"view_range": _RANGE, "file_text": _TEXT, "old_str": _TEXT, "new_str": _TEXT, "insert_line": _LINE}


def _commands(commands: list[str], fields: JsonObject, required: list[str]) -> JsonObject:
    command: JsonObject = {"type": "string", "enum": commands}
    return {"type": "object", "properties": {"command": command, **fields}, "required": required}
