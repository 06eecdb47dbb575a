"""How a part or a message is changed, so that all that was not meant to change survives.

A changed part cannot keep its `raw` as it came, and what has no `raw` is rendered anew from our words, which do not
hold everything (`cache_control`, a participant's `name`). So `raw` is edited along: a copy with only the text or the
content replaced. This is possible because both dialects that upstreams speak write a plain text alike,
`{"type":"text","text":…}`, and keep everything else that may be edited as a block of `content`. Where it is not, `raw`
is dropped and the writer renders the value.

Nothing here adds or removes a message, so that indexes hold from stage to stage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from proxy_core.chat import (
    Conversation,
    Message,
    Part,
    ResultPart,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    with_messages,
)
from proxy_core.jsontypes import JsonObject
from proxy_core.ledger import Cut

NOTHING_LEFT = Text(".")
"""Stands where an edit took the last part: upstreams refuse empty content (z.ai's code 1214)."""

Change: TypeAlias = Callable[[int, ResultPart], ResultPart | None]
"""(index of the message, part) → the part to stand there: the same object where nothing changes, None to remove it."""

_AnyPart = TypeVar("_AnyPart", bound=Part)


@dataclass(frozen=True, slots=True)
class Edited:
    """What a stage made of a conversation. Without cuts it is the very object that went in."""

    conversation: Conversation
    cuts: tuple[Cut, ...] = ()


def with_text(part: Text, text: str) -> Text:
    """The part with another text and all its other fields."""
    if text == part.text:
        return part
    raw = part.raw
    return Text(text, {**raw, "text": text} if raw is not None and isinstance(raw.get("text"), str) else None)


def with_parts(message: Message, parts: tuple[Part, ...]) -> Message:
    """The message with other parts, never none, and all its other fields. Thinking and calls must stay as they are,
    or whatever the client sent beside them is lost."""
    parts = parts or (NOTHING_LEFT,)
    if _is_lone_result(message.parts) and _is_lone_result(parts) and message.parts[0].raw is message.raw:
        return Message(message.role, parts, parts[0].raw)  # a `role:"tool"` message, of one raw form with its result
    return Message(message.role, parts, _edited_raw(message.raw, message.parts, parts))


def with_result_parts(result: ToolResult, parts: tuple[ResultPart, ...]) -> ToolResult:
    """The result with other parts, never none, and all its other fields."""
    parts = parts or (NOTHING_LEFT,)
    return replace(result, parts=parts, raw=_edited_raw(result.raw, result.parts, parts))


def map_parts(conversation: Conversation, change: Change) -> Conversation:
    """`change` applied to every part that may be edited, those inside tool results too, in order.

    Thinking and tool calls are never offered. Messages in which nothing changes stay the same objects, and so does
    the conversation.
    """
    messages = tuple([_map_message(index, message, change) for index, message in enumerate(conversation.messages)])
    is_same = all(map(_is, messages, conversation.messages))
    return conversation if is_same else with_messages(conversation, messages)


def _map_message(index: int, message: Message, change: Change) -> Message:
    parts = [_map_part(index, part, change) for part in message.parts]
    if all(map(_is, parts, message.parts)):
        return message
    return with_parts(message, _without_none(parts))


def _map_part(index: int, part: Part, change: Change) -> Part | None:
    match part:
        case Thinking() | ToolCall():
            return part
        case ToolResult():
            parts = [change(index, inner) for inner in part.parts]
            is_same = all(map(_is, parts, part.parts))
            return part if is_same else with_result_parts(part, _without_none(parts))
        case _:
            return change(index, part)


def _is(one: object, other: object) -> bool:
    return one is other


def _without_none(parts: Sequence[_AnyPart | None]) -> tuple[_AnyPart, ...]:
    return tuple([part for part in parts if part is not None])


def _is_lone_result(parts: Sequence[Part]) -> bool:
    return len(parts) == 1 and isinstance(parts[0], ToolResult)


def _edited_raw(raw: JsonObject | None, old: Sequence[Part], new: Sequence[Part]) -> JsonObject | None:
    """`raw` with `content` for the new parts; None where that cannot be said without knowing the dialect."""
    if raw is None:
        return None
    content = raw.get("content")
    blocks_before = {id(block) for block in content} if isinstance(content, list) else set()
    # What stands in other fields of the message (reasoning_content, tool_calls) stays there, whole.
    beside = [id(part) for part in old if not isinstance(part, Text) and id(part.raw) not in blocks_before]
    known = set(beside)
    if [id(part) for part in new if id(part) in known] != beside:
        return None
    inside = [part for part in new if id(part) not in known]
    if isinstance(content, str) and len(inside) == 1 and isinstance(inside[0], Text) and inside[0].raw is None:
        return {**raw, "content": inside[0].text}
    blocks = [_block(part) for part in inside]
    return None if None in blocks else {**raw, "content": blocks or ""}


def _block(part: Part) -> JsonObject | None:
    if part.raw is None and isinstance(part, Text):
        return {"type": "text", "text": part.text}
    return part.raw
