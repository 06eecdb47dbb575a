"""How many tokens something is, roughly: about four characters of English, fewer of Chinese, make one."""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson

from proxy_core.chat import (
    AnswerPart,
    Conversation,
    Document,
    Image,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Unknown,
    Usage,
)

_PICTURE_TOKENS = 1_000
_MESSAGE_TOKENS = 4
_CACHE_STEP = 64
_PIECE = re.compile(r"\s*\S{1,12}|\s+\Z")
_WIDE_PIECE = re.compile(r"\s*[^\s]{1,4}|\s+\Z")


def rough_tokens(text: str) -> int:
    """Tokens of a text; at least one for any text at all."""
    wide = len(text) - len(text.encode("ascii", "ignore"))
    return -(-((len(text) - wide) + wide * 3) // 4)


def pieces_of(text: str) -> list[str]:
    """The text cut as a model would stream it, at most a few tokens a piece; joined they are the text."""
    return (_PIECE if text.isascii() else _WIDE_PIECE).findall(text)


def usage_of(conversation: Conversation, parts: Sequence[AnswerPart]) -> Usage:
    """What the exchange cost. All but the newest message counts as cached, in whole steps, once there is history."""
    sizes = [sum(_part_tokens(part) for part in message.parts) + _MESSAGE_TOKENS for message in conversation.messages]
    head = sum(rough_tokens(part.text) for part in conversation.system)
    head += sum(
        rough_tokens(tool.name + tool.description) + rough_tokens(_json(dict(tool.schema)))
        for tool in conversation.tools
    )
    cached = (head + sum(sizes[:-1])) // _CACHE_STEP * _CACHE_STEP if len(sizes) > 1 else 0
    thinking = sum(rough_tokens(part.text) for part in parts if isinstance(part, Thinking))
    output = sum(_part_tokens(part) for part in parts)
    return Usage(head + sum(sizes) - cached, cached, 0, output, thinking or None)


def cut_to_tokens(parts: Sequence[AnswerPart], limit: int | None) -> list[AnswerPart] | None:
    """The parts that fit into `limit` tokens, the last one cut; None where all of them do."""
    if limit is None or sum(_part_tokens(part) for part in parts) <= limit:
        return None
    kept: list[AnswerPart] = []
    for part in parts:
        room = limit - sum(_part_tokens(one) for one in kept)
        if _part_tokens(part) <= room:
            kept.append(part)
            continue
        if isinstance(part, Text) and room > 0:
            kept.append(Text(_cut_text(part.text, room)))
        return kept
    return kept


def _cut_text(text: str, limit: int) -> str:
    kept = ""
    for piece in pieces_of(text):
        if rough_tokens(kept + piece) > limit:
            break
        kept += piece
    return kept or text[:1]


def _part_tokens(part: Part) -> int:
    match part:
        case Text(text) | Document(text=text) | Unknown(text=text) | Thinking(text):
            return rough_tokens(text)
        case Image():
            return _PICTURE_TOKENS
        case ToolCall():
            return rough_tokens(part.name + part.arguments)
        case ToolResult():
            return sum(_part_tokens(inner) for inner in part.parts)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
