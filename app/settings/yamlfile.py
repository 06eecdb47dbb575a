"""YAML files that people write by hand: read plainly, changed with their comments and order kept."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import TypeAlias

from filelock import FileLock, Timeout
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from app.paths import set_aside, write_private
from proxy_core.jsontypes import JsonObject

Edit: TypeAlias = Callable[[MutableMapping[str, object]], None]
EDIT_LOCK = ".edit.lock"
_TURN_S = 10.0


class BrokenFileError(Exception):
    """The file is there but does not parse; the message says why in a few words."""


def read_text(path: Path) -> str:
    """The file's text, "" where there is none. Raises BrokenFileError (not UTF-8) and OSError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except UnicodeDecodeError as error:
        raise BrokenFileError("it is not UTF-8 text") from error


def read_mapping(path: Path) -> JsonObject:
    """Top-level keys and values; empty where there is no file. Raises BrokenFileError and OSError."""
    return _as_mapping(_parse(YAML(typ="safe", pure=True), read_text(path)))


def read_or_set_aside(path: Path, notices: list[str]) -> JsonObject:
    """As read_mapping, but a file that does not parse gets another name, which is said in `notices`."""
    try:
        return read_mapping(path)
    except BrokenFileError as error:
        notices.append(put_aside(path, str(error)))
        return {}


def put_aside(path: Path, reason: str) -> str:
    """Set a broken file aside and say so in one sentence."""
    try:
        name = set_aside(path).name
    except OSError as error:
        return f"{path} cannot be used: {reason}; it could not be renamed either ({error.strerror}) and is ignored."
    return f"{path} cannot be used: {reason}; it was set aside as {name} and defaults are used instead."


def edit_mapping(path: Path, edit: Edit) -> None:
    """Change a file in place, whole or not at all; comments and order stay. Programs that do so at once take turns.

    Raises BrokenFileError where the file does not parse, and OSError.
    """
    try:
        with FileLock(path.with_name(EDIT_LOCK), timeout=_TURN_S, mode=0o600):
            _edit(path, edit)
    except Timeout as error:
        raise OSError(errno.EBUSY, "another program is changing it", str(path)) from error


def _edit(path: Path, edit: Edit) -> None:
    text = read_text(path)
    writer = _round_trip()
    data = _parse(writer, text)
    if data is None:  # nothing but comments, which a parsed document would lose
        fresh: CommentedMap = CommentedMap()
        edit(fresh)
        write_private(path, _joined(text, _dump(writer, fresh)))
        return
    if not isinstance(data, CommentedMap):
        raise BrokenFileError("it holds no keys")
    edit(data)
    write_private(path, _dump(writer, data))


def _round_trip() -> YAML:
    writer = YAML()
    writer.preserve_quotes = True
    writer.width = 4096
    return writer


def _parse(parser: YAML, text: str) -> object:
    try:
        return parser.load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        raise BrokenFileError(_reason(error)) from error


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    line = getattr(mark, "line", None)
    return f"it is not YAML (line {line + 1})" if isinstance(line, int) else "it is not YAML"


def _as_mapping(data: object) -> JsonObject:
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise BrokenFileError("it holds no keys")
    return {str(key): value for key, value in data.items()}


def _dump(writer: YAML, data: object) -> str:
    buffer = io.StringIO()
    writer.dump(data, buffer)
    return buffer.getvalue()


def _joined(comments: str, body: str) -> str:
    return comments + ("" if not comments or comments.endswith("\n") else "\n") + body
