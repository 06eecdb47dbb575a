"""Small makers for the tests of this room."""

from __future__ import annotations

import json

from proxy_core.chat import Conversation, Delta
from proxy_core.dialects.base import ReplyContext, Target
from proxy_core.dialects.openai.requests import read_request
from proxy_core.dialects.openai.stream_reader import OpenAiStreamReader
from proxy_core.facts import ModelFacts, UpstreamQuirks
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.sse import SseDecoder, SseEvent, encode_event, encode_json

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg=="
PNG_URI = f"data:image/png;base64,{PNG}"

ALWAYS = ModelFacts("glm-5.3", thinking="always", efforts=("low", "high", "max"))
GRADED = ModelFacts("glm-5.2", efforts=("high", "max"))
TOGGLE = ModelFacts("glm-4.6")
SEES = ModelFacts("glm-4.6v", max_output_tokens=32_768, modalities=("text", "image"))
NEVER = ModelFacts("glm-4-32b", thinking="none")
CONTEXT = ReplyContext(model="asked", fresh_id="fresh", created=7)
ASKED_USAGE = ReplyContext(model="asked", fresh_id="fresh", created=7, wants_usage=True)


def target(facts: ModelFacts = TOGGLE, default: bool | None = None, quirks: UpstreamQuirks | None = None) -> Target:
    """Where a request goes."""
    return Target(facts.id, facts, quirks or UpstreamQuirks(), default)


def body(*messages: JsonObject, **fields: object) -> JsonObject:
    """A request; a lone question if no messages are given."""
    return {"model": "glm-4.6", "messages": list(messages) or [{"role": "user", "content": "Hi"}], **fields}


def conversation(*messages: JsonObject, **fields: object) -> Conversation:
    """The same, read."""
    return read_request(body(*messages, **fields))


def part(text: str) -> JsonObject:
    """A text part."""
    return {"type": "text", "text": text}


def picture(url: str = PNG_URI, **more: object) -> JsonObject:
    """A picture part."""
    return {"type": "image_url", "image_url": {"url": url, **more}}


def call(call_id: str = "call_1", name: str = "look", arguments: object = "{}") -> JsonObject:
    """An entry of `tool_calls`."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def piece(index: object = 0, call_id: object = None, name: object = None, arguments: object = None) -> JsonObject:
    """An entry of a streamed `tool_calls`; what is None is left out."""
    function = {"name": name, "arguments": arguments}
    entry = {"index": index, "id": call_id, "function": {k: v for k, v in function.items() if v is not None}}
    return {key: value for key, value in entry.items() if value is not None}


def chunk(delta: JsonObject | None = None, finish: str | None = None, **more: object) -> JsonObject:
    """A chunk of z.ai's, which has no `object`."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {"id": "up-1", "created": 5, "model": "glm-4.6", "choices": [choice], **more}


def event(payload: object) -> SseEvent:
    """An event with JSON, or with text as it is."""
    raw = encode_event(payload.encode()) if isinstance(payload, str) else encode_json(payload)
    return SseDecoder().feed(raw)[0]


def read_all(*payloads: object) -> list[Delta]:
    """All deltas of a stream, its end included."""
    reader = OpenAiStreamReader()
    deltas = [delta for payload in payloads for delta in reader.read(event(payload))]
    return deltas + reader.close()


def payloads(stream: bytes) -> list[object]:
    """The data of every event in written bytes: parsed, or "[DONE]", or None for comments."""
    datas = [found.data for found in SseDecoder().feed(stream)]
    return [None if data is None else "[DONE]" if data == b"[DONE]" else json.loads(data) for data in datas]
