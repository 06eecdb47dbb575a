"""Edits without a thought for the upstream's cache, as an older program of this kind made them.

Every turn anew: environment blocks cut from all messages but the last, old pictures described by two calls each and
named in a notice at the head of the *first* message, and from 80 % of the window on the older half summarised, every
time again, into a summary that is never the same.
"""

from __future__ import annotations

import copy
import re

from proxy_core.jsontypes import JsonObject
from tests.bench.session.vendor import CHARS_PER_TOKEN, Vendor

_BLOCK = re.compile(r"<environment_details>.*?</environment_details>", re.DOTALL)
_AGE = 3
_WINDOW = 204_800
_WARNING = 0.8
_SUMMARY = "[Summary of {count} messages, made at turn {turn}]: the importer reads rows in blocks; tests pass. " * 12


def edit(body: JsonObject, turn: int, vendor: Vendor) -> JsonObject:
    """The body as such a program would send it; its own calls are billed."""
    messages = copy.deepcopy(body["messages"])
    assert isinstance(messages, list)
    described = 0
    for index, message in enumerate(messages):
        described += _edit_message(message, is_last=index == len(messages) - 1, age=len(messages) - 1 - index)
    for number in range(described * 2):
        vendor.bill({"model": "glm-4.6v", "messages": [_picture_of(body, number // 2)]}, "description", 60)
    if described:
        notice = "[Previous images in conversation context: " + "Image description: a window with bars. " * described
        messages[0]["content"].insert(0, {"type": "text", "text": notice})
    return {**body, "messages": _condensed(body, messages, turn, vendor)}


def _edit_message(message: JsonObject, *, is_last: bool, age: int) -> int:
    kept, pictures = [], 0
    parts = message["content"]
    assert isinstance(parts, list)
    for part in parts:
        if part["type"] == "image" and age >= _AGE:
            pictures += 1
            continue
        if part["type"] == "text" and not is_last:
            part["text"] = _BLOCK.sub("", part["text"]) or "."
        kept.append(part)
    message["content"] = kept
    return pictures


def _picture_of(body: JsonObject, number: int) -> JsonObject:
    messages = body["messages"]
    assert isinstance(messages, list)
    found = [part for message in messages for part in message["content"] if part["type"] == "image"]
    return {"role": "user", "content": [{"type": "text", "text": "Describe this."}, found[number]]}


def _condensed(body: JsonObject, messages: list[JsonObject], turn: int, vendor: Vendor) -> list[JsonObject]:
    size = sum(len(str(message["content"])) for message in messages) / CHARS_PER_TOKEN
    if size < _WARNING * _WINDOW:
        return messages
    half = len(messages) // 2 // 2 * 2 + 1
    asked: JsonObject = {"role": "user", "content": f"Summarise: {messages[:half]}"}
    vendor.bill({"model": "glm-4.6", "messages": [asked]}, "summary", 1000)
    summary: JsonObject = {"role": "user", "content": _SUMMARY.format(count=half, turn=turn)}
    return [summary, *messages[half:]]
