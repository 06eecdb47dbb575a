"""Settled turns of another dialect as chat messages; raw forms are foreign here and never looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proxy_core.chat import Document, Image, Message, Part, ResultPart, Text, Thinking, ToolCall, ToolResult, Unknown
from proxy_core.dialects.arguments import arguments_text
from proxy_core.dialects.openai.messages import PICTURES_OF_TOOLS, function_call
from proxy_core.dialects.openai.parts import document_text, image_part, text_part
from proxy_core.dialects.shape import refuse
from proxy_core.facts import ModelFacts
from proxy_core.jsontypes import JsonObject

_NO_OUTPUT = "(no output)"
_ERROR_PREFIX = "Error: "


def render_turns(messages: Sequence[Message], facts: ModelFacts) -> tuple[list[JsonObject], bool]:
    """Chat messages, and whether any carries reasoning. Raises BadRequestError for parts that cannot go along."""
    rendered: list[JsonObject] = []
    for message in messages:
        rendered += _assistant(message, facts) if message.role == "assistant" else _user(message, facts)
    return rendered, any("reasoning_content" in message for message in rendered)


def _assistant(message: Message, facts: ModelFacts) -> list[JsonObject]:
    """One message, or none where only thinking is left; text goes before the calls, wherever it stood."""
    texts = [text for part in message.parts if (text := _spoken(part)) is not None]
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if not texts and not calls:
        return []
    rendered: JsonObject = {"role": "assistant", "content": "\n".join(texts)}
    thoughts = [part.text for part in message.parts if isinstance(part, Thinking) and part.text]
    if thoughts and facts.thinking != "none":
        rendered["reasoning_content"] = "\n".join(thoughts)
    if calls:
        rendered["tool_calls"] = [function_call(call.id, call.name, arguments_text(call.arguments)) for call in calls]
    return [rendered]


def _spoken(part: Part) -> str | None:
    """What an assistant's part says; None for thinking and calls, which stand elsewhere."""
    match part:
        case Thinking() | ToolCall():
            return None
        case Image():
            raise refuse("messages", "a picture in an assistant message cannot be carried over")
        case ToolResult():
            raise refuse("messages", "a tool result in an assistant message cannot be carried over")
        case _:
            return _words(part)


def _user(message: Message, facts: ModelFacts) -> list[JsonObject]:
    """Tool messages, then one user message with the pictures they brought, then what the user said."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    rest = [part for part in message.parts if not isinstance(part, ToolResult)]
    pictures = [part for result in results for part in result.parts if isinstance(part, Image)]
    rendered: list[JsonObject] = []
    number = 1
    for result in results:
        rendered.append({"role": "tool", "tool_call_id": result.call_id, "content": _result_text(result, number)})
        number += sum(isinstance(part, Image) for part in result.parts)
    if pictures:
        content = _user_content([Text(PICTURES_OF_TOOLS), *pictures], facts)
        rendered.append({"role": "user", "content": content})
    content = _user_content(rest, facts)
    return [*rendered, {"role": "user", "content": content}] if content else rendered


def _result_text(result: ToolResult, number: int) -> str:
    """All of a result as one text; `number` is that of its first picture in this turn."""
    lines: list[str] = []
    for part in result.parts:
        if isinstance(part, Image):
            lines.append(f"[image {number} attached below]")
            number += 1
        else:
            lines.append(_words(part))
    text = "\n".join(line for line in lines if line) or _NO_OUTPUT
    return _ERROR_PREFIX + text if result.is_error and not text.startswith(_ERROR_PREFIX) else text


def _user_content(parts: Sequence[Part], facts: ModelFacts) -> str | list[JsonObject]:
    """One string for text alone; a list only where something to look at needs it."""
    if any(_is_visual(part) for part in parts):
        return [_user_part(part, facts) for part in parts if _is_visual(part) or _words(part)]
    return "\n".join(_all_words(parts))


def _is_visual(part: Part) -> bool:
    return isinstance(part, Image) or (isinstance(part, Document) and bool(part.url))


def _user_part(part: Part, facts: ModelFacts) -> JsonObject:
    if not _is_visual(part):
        return text_part(_words(part))
    what = "picture" if isinstance(part, Image) else "linked document"
    if not facts.sees:
        raise refuse("messages", f"the model {facts.id} cannot read a {what}")
    if isinstance(part, Image):
        return image_part(part)
    return {"type": "file_url", "file_url": {"url": part.url if isinstance(part, Document) else ""}}


def _all_words(parts: Iterable[Part]) -> list[str]:
    return [words for part in parts if (words := _words(part))]


def _words(part: Part | ResultPart) -> str:
    """The text of a part. Raises BadRequestError for one that has none and cannot be left out."""
    match part:
        case Text(text):
            return text
        case Document() if part.text:
            return document_text(part)
        case Document():
            raise refuse("messages", f"a document as {part.media_type or 'a link'} cannot be carried over")
        case Unknown() if part.text:
            return part.text
        case Unknown():
            raise refuse("messages", f"a part of type {part.kind!r} cannot be carried over")
        case _:
            return ""
