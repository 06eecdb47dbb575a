"""Which of the oldest turns a summary stands for, and how it is put in their place.

The summary is one user message where the covered messages were. They end directly before a message of the
assistant, so roles go on in turn, and never between a tool call and its result. System messages at the beginning and
the newest turns stay as they are.

Sizes here are bytes of text, scaled by the tokens of the whole prompt: enough to choose a place, and free of counting.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import assert_never

from proxy_core.chat import (
    Conversation,
    Document,
    Image,
    Message,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Unknown,
    with_messages,
)
from proxy_core.context.ceilings import Ceiling
from proxy_core.tokens.count import FILE_TOKENS
from proxy_core.tokens.images import image_tokens

_OPENING = (
    "<conversation_summary>\n"
    "The conversation had grown too long, so this summary stands for its oldest part. It was made from the full text: "
    "take what it says as having happened, and go on from there without mentioning it.\n\n"
)
_CLOSING = "\n</conversation_summary>"

_MOST_SUMMARY_TOKENS = 3_000
_SUMMARY_SHARE = 0.1
_LEAST_TAIL_SHARE = 0.15
_LEAST_GAIN_SHARE = 0.2
_LEAST_KEPT = 4
"""Messages that always stay, unless the prompt does not fit otherwise: two turns."""
_BYTES_PER_TOKEN = 4
_FRAME_BYTES = 16


def first_turn(messages: Sequence[Message]) -> int:
    """Index of the first message that is no system prompt."""
    return next((index for index, message in enumerate(messages) if message.role != "system"), len(messages))


def plan(
    conversation: Conversation,
    prompt_tokens: int,
    ceiling: Ceiling,
    *,
    is_urgent: bool = False,
    most_tokens: int | None = None,
) -> int | None:
    """Index of the message before which the covered ones end; None where a summary is not worth its price.

    is_urgent: the prompt will be refused as it is, so any gain is worth it. most_tokens: what the system prompt, the
    tools and the covered messages may have together, where the summarising model takes no more.
    """
    places = _places(conversation.messages, 2 if is_urgent else _LEAST_KEPT)
    before, total = _weights(conversation)
    if not places or not total:
        return None
    scale = prompt_tokens / total
    fixed = before[first_turn(conversation.messages)] * scale
    summary = min(_MOST_SUMMARY_TOKENS, ceiling.critical_tokens * _SUMMARY_SHARE)
    tail = max(ceiling.target_tokens - fixed - summary, ceiling.critical_tokens * _LEAST_TAIL_SHARE)
    end = next((place for place in places if (total - before[place]) * scale <= tail), places[-1])
    if most_tokens is not None:
        takeable = [place for place in places if place <= end and before[place] * scale <= most_tokens]
        end = takeable[-1] if takeable else 0
    gain = before[end] * scale - fixed - summary
    least = 0 if is_urgent else ceiling.critical_tokens * _LEAST_GAIN_SHARE
    return end if gain > least else None


def apply_summary(conversation: Conversation, end: int, summary: str) -> Conversation:
    """The conversation with the summary in place of the messages before `end`; unchanged where that would not make
    it clearly smaller."""
    messages = conversation.messages
    first = first_turn(messages)
    standing = summary_message(summary)
    # Half as many bytes are fewer tokens in every script.
    if 2 * _message_weight(standing) > sum(map(_message_weight, messages[first:end])):
        return conversation
    return with_messages(conversation, (*messages[:first], standing, *messages[end:]))


def summary_message(summary: str) -> Message:
    """What stands for the covered messages. Nothing in it changes from turn to turn."""
    return Message("user", (Text(f"{_OPENING}{summary.strip()}{_CLOSING}"),))


def _places(messages: Sequence[Message], least_kept: int) -> list[int]:
    """Where covered messages may end: after the user, before the assistant, and before the newest user's message."""
    split = _split_places(messages)
    newest = max((index for index, message in enumerate(messages) if message.role == "user"), default=0)
    last = min(newest - 1, len(messages) - least_kept)
    return [
        place
        for place in range(first_turn(messages) + 1, last + 1)
        if messages[place].role == "assistant" and messages[place - 1].role == "user" and not split[place]
    ]


def _split_places(messages: Sequence[Message]) -> list[int]:
    """For each index, how many calls before it have their result at it or behind.

    A result belongs to the newest call of its id: some clients count anew in every turn.
    """
    steps = [0] * (len(messages) + 1)
    asked: dict[str, int] = {}
    for index, message in enumerate(messages):
        for part in message.parts:
            if isinstance(part, ToolCall):
                asked[part.id] = index
            elif isinstance(part, ToolResult) and part.call_id in asked:
                steps[asked[part.call_id] + 1] += 1
                steps[index + 1] -= 1
    return list(accumulate(steps))


def _weights(conversation: Conversation) -> tuple[list[int], int]:
    """For each message what stands before it, system prompt and tools included; and the whole."""
    fixed = sum(_text_weight(part.text) for part in conversation.system)
    for tool in conversation.tools:
        fixed += _text_weight(tool.name) + _text_weight(tool.description) + len(str(tool.schema))
    sums = list(accumulate(map(_message_weight, conversation.messages), initial=fixed))
    return sums[:-1], sums[-1]


def _message_weight(message: Message) -> int:
    return _FRAME_BYTES + sum(map(_part_weight, message.parts))


def _part_weight(part: Part) -> int:
    match part:
        case Text() | Thinking() | Unknown():
            return _text_weight(part.text)
        case Image():
            return image_tokens(part) * _BYTES_PER_TOKEN
        case Document():
            opaque = 0 if part.text else FILE_TOKENS * _BYTES_PER_TOKEN
            return opaque + _text_weight(part.title) + _text_weight(part.text)
        case ToolCall():
            return _FRAME_BYTES + _text_weight(part.name) + _text_weight(part.arguments)
        case ToolResult():
            return _FRAME_BYTES + sum(map(_part_weight, part.parts))
        case _:
            assert_never(part)


def _text_weight(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
