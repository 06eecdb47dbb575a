"""What some clients put at the very beginning of the system prompt and change with every request.

The upstream caches by prefix: a nonce there has the whole prompt read anew. Cut is only what is known to be one, says
nothing to the model, and leads the prompt; the same words further on are somebody's. Times of day, which older versions
of goose and of pi wrote into their prompts, are no such thing: they say something, and stand still within a session in
the versions of today.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from proxy_core.chat import Conversation, Message, Text, with_messages
from proxy_core.context.edits import Edited, with_parts, with_text
from proxy_core.ledger import Cut, Stage
from proxy_core.tokens.count import Encoder


@dataclass(frozen=True, slots=True)
class VolatileLine:
    """A line that leads the system prompt. pattern: matched at its beginning, with the line's end and what is blank
    behind it. source: where it is known from."""

    name: str
    pattern: re.Pattern[str]
    source: str


VOLATILE_LINES = (
    VolatileLine(
        "Claude Code's billing header",
        re.compile(r"\s*x-anthropic-billing-header:[^\n]*+\s*"),
        "protocols B.10; anthropics/claude-code issues 24168, 68900: the version's suffix and `cch` change every time",
    ),
)


def steady_prefix(conversation: Conversation, encode: Encoder) -> Edited:
    """The conversation without such lines. A system prompt that has nothing else is left alone: it must not be empty,
    and there is nothing to keep in a cache."""
    texts = _leading_texts(conversation)
    steady, found = _without_line(texts)
    if not found or not steady:
        return Edited(conversation)
    removed = sum([encode(text.text) for text in texts]) - sum([encode(text.text) for text in steady])
    return Edited(_with_leading(conversation, steady), (Cut(Stage.VOLATILE, 1, removed, note=found),))


def _without_line(texts: tuple[Text, ...]) -> tuple[tuple[Text, ...], str]:
    """The texts without the lines that lead them, and the name of the last: "" where there is none."""
    found = ""
    while texts and (match := _match(texts[0].text)):
        name, end = match
        rest = texts[0].text[end:]
        texts = ((with_text(texts[0], rest),) if rest else ()) + texts[1:]
        found = name
    return texts, found


def _match(text: str) -> tuple[str, int] | None:
    matches = [(line.name, match.end()) for line in VOLATILE_LINES if (match := line.pattern.match(text))]
    return matches[0] if matches else None


def _leading_texts(conversation: Conversation) -> tuple[Text, ...]:
    """The system prompt: Anthropic's own field, or the message that other dialects begin with."""
    if conversation.system:
        return conversation.system
    first = _first_system_message(conversation)
    return tuple([part for part in first.parts if isinstance(part, Text)]) if first else ()


def _first_system_message(conversation: Conversation) -> Message | None:
    first = conversation.messages[0] if conversation.messages else None
    is_plain = first is not None and first.role == "system" and all(isinstance(part, Text) for part in first.parts)
    return first if is_plain else None


def _with_leading(conversation: Conversation, texts: tuple[Text, ...]) -> Conversation:
    first = _first_system_message(conversation)
    if conversation.system or first is None:
        return replace(conversation, system=texts)
    return with_messages(conversation, (with_parts(first, texts), *conversation.messages[1:]))
