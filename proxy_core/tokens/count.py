"""The only counter: what a conversation costs as a prompt, estimated without asking anybody.

The upstream's tokenizer is not published as a file; the bundled tables come within a few percent of it on English,
code and JSON. Whoever learns the true figures scales the estimate, here it stays a plain sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, assert_never

import orjson

from proxy_core.chat import (
    Conversation,
    Document,
    Image,
    Message,
    Part,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Unknown,
)
from proxy_core.errors import BadRequestError
from proxy_core.jsontypes import JsonObject
from proxy_core.tokens.images import image_tokens

Encoder: TypeAlias = Callable[[str], int]
"""Text to its number of tokens. Slow for long texts (about 70 ms for 1 MB): call it in a thread."""

MESSAGE_TOKENS = 4
REPLY_TOKENS = 3
TOOL_TOKENS = 8
CALL_TOKENS = 6
FILE_TOKENS = 1_600
"""A document of which only bytes or an address are known: as much as a page or a picture."""


def count_conversation(conversation: Conversation, encode: Encoder) -> int:
    """Tokens of the whole prompt: system, messages, tools and the opening of the reply. Same input, same figure.

    Raises BadRequestError for a tool that cannot be written as JSON (nested too deep).
    """
    system = sum(encode(part.text) for part in conversation.system)
    if conversation.system:
        system += MESSAGE_TOKENS
    messages = sum(_count_message(message, encode) for message in conversation.messages)
    tools = sum(_count_tool(tool, index, encode) for index, tool in enumerate(conversation.tools))
    return system + messages + tools + REPLY_TOKENS


def _count_message(message: Message, encode: Encoder) -> int:
    # A tool result is framed like a message whether it came as one (OpenAI) or inside one (Anthropic), so that
    # the same conversation costs the same through both doors.
    is_results_only = bool(message.parts) and all(isinstance(part, ToolResult) for part in message.parts)
    frame = 0 if is_results_only else MESSAGE_TOKENS
    return frame + sum(_count_part(part, encode) for part in message.parts)


def _count_part(part: Part, encode: Encoder) -> int:
    match part:
        case Text() | Thinking() | Unknown():
            return encode(part.text)
        case Image():
            return image_tokens(part)
        case Document():
            return _count_document(part, encode)
        case ToolCall():
            return CALL_TOKENS + encode(part.name) + encode(part.arguments)
        case ToolResult():
            return MESSAGE_TOKENS + sum(_count_part(inner, encode) for inner in part.parts)
        case _:
            assert_never(part)


def _count_document(document: Document, encode: Encoder) -> int:
    is_opaque = not document.text and bool(document.data or document.url)
    return encode(document.title) + encode(document.text) + (FILE_TOKENS if is_opaque else 0)


def _count_tool(tool: Tool, index: int, encode: Encoder) -> int:
    try:
        written = orjson.dumps(_tool_json(tool))
    except orjson.JSONEncodeError as fault:
        raise BadRequestError(f"tools.{index}: cannot be written as JSON ({fault})", param=f"tools.{index}") from fault
    return TOOL_TOKENS + encode(written.decode())


def _tool_json(tool: Tool) -> JsonObject:
    """What the model gets to read of a tool, the same from both dialects."""
    if tool.kind != "function" and tool.raw is not None:
        return tool.raw
    return {"name": tool.name, "description": tool.description, "parameters": dict(tool.schema)}
