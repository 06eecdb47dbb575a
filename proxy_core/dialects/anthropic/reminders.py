"""System messages among the others, for an upstream that knows user and assistant only (protocols B.10, D.1).

The same places as `dialects/turns.py` gives them across dialects, but on raw messages: here nothing else may change.
"""

from __future__ import annotations

from collections.abc import Iterable

from proxy_core.jsontypes import JsonObject


def fold_system(messages: Iterable[JsonObject]) -> list[JsonObject]:
    """Raw messages without role system: their texts are reminders in a user message in their place.

    Messages that need no reminder stay the very objects they were, and those of an earlier turn fold to the same
    messages again when more is appended: the upstream's prompt cache keeps hitting. cache_control of a system
    message's last block moves along, as clients cache up to there.
    """
    folded: list[JsonObject] = []
    waiting: list[object] = []
    for message in messages:
        if message["role"] == "system":
            waiting += _reminder(message["content"])
            if waiting and folded and folded[-1]["role"] == "user":
                folded[-1] = _with_reminders(folded[-1], behind=waiting)
                waiting = []
        elif message["role"] == "user":
            folded.append(_with_reminders(message, before=waiting))
            waiting = []
        else:
            folded += _own_message(waiting)
            waiting = []
            folded.append(message)
    return [*folded, *_own_message(waiting)]


def _own_message(waiting: list[object]) -> list[JsonObject]:
    return [{"role": "user", "content": waiting}] if waiting else []


def _reminder(content: object) -> list[object]:
    """One text block, and whatever of the message is no text."""
    blocks = _blocks(content)
    texts = [block for block in blocks if isinstance(block, dict) and isinstance(block.get("text"), str)]
    others = [block for block in blocks if block not in texts]
    text = "\n\n".join(str(block["text"]) for block in texts if str(block["text"]).strip())
    if not text:
        return others
    mark = {"cache_control": texts[-1]["cache_control"]} if "cache_control" in texts[-1] else {}
    return [{"type": "text", "text": f"<system-reminder>\n{text}\n</system-reminder>", **mark}, *others]


def _with_reminders(
    message: JsonObject, before: list[object] | None = None, behind: list[object] | None = None
) -> JsonObject:
    """The message with blocks around what the user says; results stay first, as they must follow their calls."""
    if not before and not behind:
        return message
    blocks = _blocks(message["content"])
    results = [block for block in blocks if _is_result(block)]
    said = [block for block in blocks if not _is_result(block)]
    return {**message, "content": [*results, *(before or ()), *said, *(behind or ())]}


def _is_result(block: object) -> bool:
    return isinstance(block, dict) and block.get("type") == "tool_result"


def _blocks(content: object) -> list[object]:
    """Content as blocks; a string is one text block, or none if there is nothing in it."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content.strip() else []
    return list(content) if isinstance(content, list) else []
