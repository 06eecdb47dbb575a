"""What a prompt asks to be done: files to write or read, commands to run, tools to use by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

DEFAULT_CONTENT = "Hello from the demo server.\n"
DEFAULT_NAME = "demo.txt"

_WRITES = re.compile(r"\b(?:write|create|make|save|put|add|generate)\b|写|创建|新建|保存", re.IGNORECASE)
_READS = re.compile(r"\b(?:read|open|show|cat|look at)\b|读|打开|查看", re.IGNORECASE)
_LISTS = re.compile(r"\blist\b[^.]*\b(?:files|directory|folder)\b|列出.*文件", re.IGNORECASE)
_RUNS = re.compile(r"\b(?:run|execute)\s+(?:the\s+)?(?:command\s+)?[`\"']([^`\"'\n]+)[`\"']", re.IGNORECASE)
_USES = re.compile(r"\b(?:call|use|using|invoke)\b|调用|使用", re.IGNORECASE)
_FILE_WORD = re.compile(r"\bfiles?\b|文件", re.IGNORECASE)
_TWO = re.compile(r"\b(?:both|two)\b|两个", re.IGNORECASE)
_ADDRESS = re.compile(r"\bhttps?://\S+")
_DOTTED_NAME = re.compile(r"(?<![\w.])([\w~/\\-][\w~./\\-]*\.[A-Za-z][A-Za-z0-9]{0,7})(?![\w/\\-])")
_CALLED_NAME = re.compile(r"\b(?:named|called)\s+[`\"']?([\w~./\\-]+)", re.IGNORECASE)
_TO_NAME = re.compile(r"\b(?:write|save|put|add)\s+[`\"“]([^`\"”]+)[`\"”]\s+(?:to|in|into)\b", re.IGNORECASE)
_CONTENT = re.compile(
    r"(?:\b(?:with|containing|contains|saying|that says|whose content is)\b|内容[是为]?)\s*:?\s*"
    r"(?:(?:the|exact|exactly|this|following|text|contents?|words?|lines?|(?:a|one|single)(?=\s+(?:line|word)))\b\s*:?\s*)*"
    r"(?:[`\"“](?P<quoted>[^`\"”]*)[`\"”]|'(?P<single>[^'\n]*)'|(?P<bare>[^\n]+))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Make a file."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class ReadFile:
    """Look into a file."""

    name: str


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Run one shell command."""

    command: str


@dataclass(frozen=True, slots=True)
class UseTool:
    """Call a tool, whatever it does."""

    name: str


Errand: TypeAlias = WriteFile | ReadFile | RunCommand | UseTool


def find_errands(prompt: str) -> list[Errand]:
    """The errands in a prompt, in order; usually none or one, several for "both" and lists of files."""
    content, rest = _split_content(_ADDRESS.sub("", prompt))
    names = _file_names(rest)
    if _WRITES.search(rest) and (names or _FILE_WORD.search(rest)):
        return [WriteFile(name, content) for name in _enough_names(names, rest)]
    if command := _RUNS.search(prompt):
        return [RunCommand(command[1])]
    if _LISTS.search(prompt):
        return [RunCommand("ls")]
    if _READS.search(rest) and names:
        return [ReadFile(name) for name in names]
    return []


def find_named_tools(prompt: str, names: list[str]) -> list[Errand]:
    """Tools that the prompt names: "call get_weather", "use get_weather and get_time"."""
    if not _USES.search(prompt):
        return []
    return [UseTool(name) for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", prompt)]


def find_related_tools(prompt: str, names: list[str]) -> list[Errand]:
    """Tools whose name shares a word of four letters or more with the prompt: `get_weather` for "the weather"."""
    words = set(re.findall(r"[a-z]{4,}", prompt.lower()))
    return [UseTool(name) for name in names if words & set(_name_words(name))]


def _name_words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[a-z]{4,}", spaced.lower())


def _split_content(prompt: str) -> tuple[str, str]:
    """What shall stand in the file, and the prompt without it."""
    if match := _TO_NAME.search(prompt):
        return _as_lines(match[1]), prompt.replace(match[1], "")
    if match := _CONTENT.search(prompt):
        content = match["quoted"] or match["single"] or match["bare"] or ""
        return _as_lines(content), prompt[: match.start()] + prompt[match.end() :]
    return DEFAULT_CONTENT, prompt


def _as_lines(content: str) -> str:
    return content.strip().rstrip("\n") + "\n" if content.strip() else DEFAULT_CONTENT


def _file_names(text: str) -> list[str]:
    names = [match[1] for match in _DOTTED_NAME.finditer(text)]
    names += [match[1].rstrip(".") for match in _CALLED_NAME.finditer(text)]
    return list(dict.fromkeys(names))


def _enough_names(names: list[str], prompt: str) -> list[str]:
    """At least one name, at least two where the prompt speaks of two."""
    first = names[0] if names else DEFAULT_NAME
    if _TWO.search(prompt) and len(names) < 2:
        stem, dot, ending = first.rpartition(".")
        return [first, f"{stem or ending}-2{dot}{ending if stem else ''}"]
    return names or [first]
