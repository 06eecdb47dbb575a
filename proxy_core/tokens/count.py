"""The only counter: what a conversation costs as a prompt, estimated without asking anybody.

The upstream's tokenizer is not published as a file; the bundled tables come within a few percent of it on English,
code and JSON. Whoever learns the true figures scales the estimate, here it stays a plain sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
from proxy_core.tokens.content import ContentClass, Estimate
from proxy_core.tokens.images import image_tokens

Encoder: TypeAlias = Callable[[str], int]
"""Text to its number of tokens. Slow for long texts (about 70 ms for 1 MB): call it in a thread."""

Weigh: TypeAlias = Callable[[str], Iterable[tuple[ContentClass | None, int]]]
"""Text to its tokens by class; None: the class that its place in the conversation gives it."""

MESSAGE_TOKENS = 4
REPLY_TOKENS = 3
TOOL_TOKENS = 8
CALL_TOKENS = 6
FILE_TOKENS = 1_600
"""A document of which only bytes or an address are known: as much as a page or a picture."""


def count_conversation(conversation: Conversation, encode: Encoder) -> int:
    """Tokens of the whole prompt. Raises BadRequestError, like `estimate_conversation`."""
    return estimate_conversation(conversation, lambda text: ((None, encode(text)),)).total


def estimate_conversation(conversation: Conversation, weigh: Weigh) -> Estimate:
    """Tokens of the whole prompt by class: system, messages, tools and the opening of the reply. Same input, same
    figures.

    Raises BadRequestError for a tool that cannot be written as JSON (nested too deep).
    """
    tally = _Tally(weigh)
    if conversation.system:
        tally.add(ContentClass.PROSE, MESSAGE_TOKENS)
    for part in conversation.system:
        tally.add_text(part.text)
    for message in conversation.messages:
        tally.add_message(message)
    for index, tool in enumerate(conversation.tools):
        tally.add_tool(tool, index)
    tally.add(ContentClass.PROSE, REPLY_TOKENS)
    return Estimate(tally.tokens)


class _Tally:
    """Sums up by class. What surrounds a text counts as what usually stands there."""

    def __init__(self, weigh: Weigh) -> None:
        self._weigh = weigh
        self.tokens = dict.fromkeys(ContentClass, 0)

    def add(self, content: ContentClass, tokens: int) -> None:
        self.tokens[content] += tokens

    def add_text(self, text: str, usual: ContentClass = ContentClass.PROSE) -> None:
        for content, tokens in self._weigh(text):
            self.tokens[content or usual] += tokens

    def add_message(self, message: Message) -> None:
        # A tool result is framed like a message whether it came as one (OpenAI) or inside one (Anthropic), so that
        # the same conversation costs the same through both doors.
        if not message.parts or not all(isinstance(part, ToolResult) for part in message.parts):
            self.add(ContentClass.PROSE, MESSAGE_TOKENS)
        for part in message.parts:
            self._add_part(part)

    def _add_part(self, part: Part, usual: ContentClass = ContentClass.PROSE) -> None:
        match part:
            case Text() | Thinking() | Unknown():
                self.add_text(part.text, usual)
            case Image():
                self.add(ContentClass.PICTURES, image_tokens(part))
            case Document():
                self._add_document(part)
            case ToolCall():
                self.add(ContentClass.JSON, CALL_TOKENS)
                self.add_text(part.name, ContentClass.JSON)
                self.add_text(part.arguments, ContentClass.JSON)
            case ToolResult():
                self.add(ContentClass.PROSE, MESSAGE_TOKENS)
                for inner in part.parts:
                    self._add_part(inner, ContentClass.CODE)
            case _:
                assert_never(part)

    def _add_document(self, document: Document) -> None:
        if not document.text and (document.data or document.url):
            self.add(ContentClass.PICTURES, FILE_TOKENS)
        self.add_text(document.title)
        self.add_text(document.text)

    def add_tool(self, tool: Tool, index: int) -> None:
        try:
            written = orjson.dumps(_tool_json(tool))
        except orjson.JSONEncodeError as fault:
            place = f"tools.{index}"
            raise BadRequestError(f"{place}: cannot be written as JSON ({fault})", param=place) from fault
        self.add(ContentClass.JSON, TOOL_TOKENS)
        self.add_text(written.decode(), ContentClass.JSON)


def _tool_json(tool: Tool) -> JsonObject:
    """What the model gets to read of a tool, the same from both dialects."""
    if tool.kind != "function" and tool.raw is not None:
        return tool.raw
    return {"name": tool.name, "description": tool.description, "parameters": dict(tool.schema)}
