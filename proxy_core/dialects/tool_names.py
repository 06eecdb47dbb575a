"""Tool names that every upstream takes, made out of those that clients use, and the way back.

Names of MCP tools (`mcp__server__tool`) grow beyond the 64 characters that upstreams allow, and some clients put dots
or slashes into theirs. The safe name depends on nothing but the name, so that history and cached prefixes keep theirs.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from proxy_core.chat import Conversation, Message, Part, ToolCall

_LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")
_KEPT_CHARS = 53
_HASH_CHARS = 10


def safe_name(name: str) -> str:
    """The name itself where it is legal, else its beginning and a short hash of all of it."""
    if _LEGAL.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:_HASH_CHARS]
    return f"{_ILLEGAL.sub('_', name[:_KEPT_CHARS])}_{digest}"


def with_safe_names(conversation: Conversation) -> tuple[Conversation, dict[str, str]]:
    """The conversation under safe names, and safe name → the client's own for those that had to change.

    Tools keep their raw form, with the client's name in it: whoever writes it from there has to change it. Calls in
    the history and their messages lose it.
    """
    names = {tool.name for tool in conversation.tools} | _called(conversation)
    renamed = {name: safe for name in names if (safe := safe_name(name)) != name}
    if not renamed:
        return conversation, {}
    choice = conversation.tool_choice
    renamed_conversation = replace(
        conversation,
        tools=tuple(replace(tool, name=renamed.get(tool.name, tool.name)) for tool in conversation.tools),
        tool_choice=choice and replace(choice, name=renamed.get(choice.name, choice.name)),
        messages=tuple(_renamed_message(message, renamed) for message in conversation.messages),
    )
    return renamed_conversation, {safe: name for name, safe in renamed.items()}


def _called(conversation: Conversation) -> set[str]:
    return {part.name for message in conversation.messages for part in message.parts if isinstance(part, ToolCall)}


def _renamed_message(message: Message, renamed: dict[str, str]) -> Message:
    if not any(isinstance(part, ToolCall) and part.name in renamed for part in message.parts):
        return message
    return Message(message.role, tuple(_renamed_part(part, renamed) for part in message.parts))


def _renamed_part(part: Part, renamed: dict[str, str]) -> Part:
    if isinstance(part, ToolCall) and part.name in renamed:
        return ToolCall(part.id, renamed[part.name], part.arguments)
    return part
