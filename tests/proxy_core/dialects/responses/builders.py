"""Requests as Codex makes them, and a client that follows a stream and insists on every rule of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import get_args

import orjson
from openai.types import responses as sdk
from pydantic import BaseModel

from proxy_core.chat import Delta
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.responses.requests import Echo, read_request
from proxy_core.dialects.responses.stream_writer import ResponsesStreamWriter
from proxy_core.wire.sse import SseDecoder

Wire = dict[str, object]

LOOK: Wire = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}
PATCH: Wire = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Edits files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: patch"},
}
AGENTS: Wire = {"type": "namespace", "name": "agents", "description": "Helpers.", "tools": [{**LOOK, "name": "stop"}]}
SEARCH: Wire = {"type": "web_search", "external_web_access": False}
SEALED = {"include": ["reasoning.encrypted_content"]}


def body(*items: Wire, **fields: object) -> Wire:
    """A request; without items it says "Hi"."""
    return {"model": "glm-4.6", "input": list(items) if items else "Hi", **fields}


def codex_body(*items: Wire) -> Wire:
    """What Codex 0.169 sends, its prompts shortened."""
    first = [
        {
            "type": "message",
            "id": "msg_1",
            "role": "developer",
            "content": [{"type": "input_text", "text": "You code."}],
        },
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "<environment_context>x</environment_context>"}],
        },
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Do it."}]},
    ]
    return {
        "model": "glm-4.6",
        "stream": True,
        "input": [*first, *items],
        "tools": [LOOK, PATCH, AGENTS, SEARCH],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k",
        "client_metadata": {"thread_id": "t"},
    }


def message(role: str, *parts: Wire | str, **fields: object) -> Wire:
    """A message item; a string is text of its role."""
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": part} if isinstance(part, str) else part for part in parts]
    return {"type": "message", "role": role, "content": content, **fields}


def context(**fields: object) -> ReplyContext:
    """The context of an answer to a request with these fields."""
    echo = read_request(body(**fields)).echo
    assert isinstance(echo, Echo)
    return ReplyContext("glm-4.6", "fresh", 7, echo=echo)


def stream(asked: ReplyContext, *deltas: Delta) -> list[Wire]:
    """The events that a client receives; comments are left out."""
    writer = ResponsesStreamWriter(asked)
    events = SseDecoder().feed(b"".join(writer.write(delta) for delta in deltas))
    payloads = [orjson.loads(event.data) for event in events if event.data is not None]
    assert [event.name for event in events if event.data is not None] == [payload["type"] for payload in payloads]
    return payloads


@cache
def _models() -> dict[str, type[BaseModel]]:
    """The SDK's own model of each event."""
    union = get_args(sdk.ResponseStreamEvent)[0]
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(union)}


def check_event(event: Wire) -> None:
    """It has all the fields of the SDK's type, of the right types, and none that the type does not know."""
    if event["type"] != "keepalive":  # OpenAI's own, but in no type
        assert _models()[str(event["type"])].model_validate(event).model_extra == {}


@dataclass
class Client:
    """Follows a stream: items by output_index, their pieces added up."""

    items: list[Wire] = field(default_factory=list)
    pieces: dict[int, str] = field(default_factory=dict)
    done: dict[int, Wire] = field(default_factory=dict)

    def follow(self, events: list[Wire]) -> Wire:
        """The response in the last event."""
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
        for event in events:
            check_event(event)
            self._take(event)
        last = events[-1]["response"]
        assert events[-1]["type"] == f"response.{last['status']}"
        assert {event["response"]["id"] for event in events if "response" in event} == {last["id"]}
        assert last["output"] == [self.done[index] for index in sorted(self.done)]
        if last["status"] != "failed":
            assert len(self.done) == len(self.items)
        return last

    def _take(self, event: Wire) -> None:
        index = event.get("output_index")
        if index is None:
            return
        if event["type"] == "response.output_item.added":
            assert index == len(self.items)
            self.items.append(event["item"])
            return
        assert index not in self.done
        item = event.get("item")
        assert (item["id"] if item else event["item_id"]) == self.items[index]["id"]
        if str(event["type"]).endswith(".delta"):
            self.pieces[index] = self.pieces.get(index, "") + event["delta"]
        if item is not None:
            assert index == len(self.done)
            self.done[index] = item
        elif str(event["type"]).endswith(".done"):
            self._check_whole(index, event)

    def _check_whole(self, index: int, event: Wire) -> None:
        part = event.get("part") or event
        said = next(part[name] for name in ("text", "arguments", "input") if name in part)
        assert said == self.pieces.get(index, "")


def follow(asked: ReplyContext, *deltas: Delta) -> Wire:
    """The response that a client ends up with."""
    return Client().follow(stream(asked, *deltas))
