"""Making and folding events of the Messages API, for the tests of readers, relays and writers."""

from __future__ import annotations

import json

import orjson

from proxy_core.wire.sse import SseDecoder, SseEvent, encode_json


def event(payload, name=None) -> SseEvent:
    """One event as it comes from an upstream; name: the `event:` line, by default the payload's type."""
    name = payload["type"] if name is None else name
    raw = encode_json(payload, name)
    return SseEvent(name, orjson.dumps(payload), raw)


def start(**usage) -> SseEvent:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "glm-4.6", "content": []}
    return event({"type": "message_start", "message": {**message, "usage": usage or {"input_tokens": 5}}})


def block(index, **content) -> SseEvent:
    return event({"type": "content_block_start", "index": index, "content_block": content})


def delta(index, kind, **content) -> SseEvent:
    return event({"type": "content_block_delta", "index": index, "delta": {"type": kind, **content}})


def stop(index) -> SseEvent:
    return event({"type": "content_block_stop", "index": index})


def message_delta(reason, **usage) -> SseEvent:
    payload = {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}}
    return event({**payload, "usage": usage or {"output_tokens": 7}})


END = event({"type": "message_stop"})
PING = event({"type": "ping"})


def sent(raw: bytes) -> list[dict]:
    """The payloads of what was written; every event is whole and carries its type as its name."""
    decoder = SseDecoder()
    events = [each for each in decoder.feed(raw) if each.data is not None]
    assert not decoder.flush()
    payloads = [json.loads(each.data) for each in events]
    assert [each.name for each in events] == [payload["type"] for payload in payloads]
    return payloads


def folded(payloads: list[dict]) -> dict:
    """The message that a client makes of these events, checking their order on the way."""
    (begun, *middle, ended, last) = [payload for payload in payloads if payload["type"] != "ping"]
    assert (begun["type"], ended["type"], last) == ("message_start", "message_delta", {"type": "message_stop"})
    content: list[dict] = []
    is_open = False
    for payload in middle:
        match payload["type"]:
            case "content_block_start":
                assert (payload["index"], is_open) == (len(content), False)
                content.append({**payload["content_block"], "_json": ""})
            case "content_block_delta":
                assert (payload["index"], is_open) == (len(content) - 1, True)
                _grow(content[-1], payload["delta"])
            case "content_block_stop":
                assert (payload["index"], is_open) == (len(content) - 1, True)
        is_open = payload["type"] != "content_block_stop"
    assert not is_open
    usage = {**begun["message"]["usage"], **ended["usage"]}
    return {**begun["message"], "content": [_whole(each) for each in content], **ended["delta"], "usage": usage}


def _grow(content: dict, change: dict) -> None:
    assert not content.get("signature")
    for source, target in (("text", "text"), ("thinking", "thinking"), ("partial_json", "_json")):
        content[target] = content.get(target, "") + change.get(source, "") if source in change else content.get(target)
    content["signature"] = change.get("signature", content.get("signature"))


def _whole(content: dict) -> dict:
    text = content.pop("_json")
    if content["type"] == "tool_use":
        content["input"] = json.loads(text)
    return {key: value for key, value in content.items() if value is not None}


def assert_legal(payloads: list[dict]) -> None:
    """The order of the events of a stream that came to its end, and arguments that are JSON."""
    assert [payloads[0]["type"], payloads[-1]["type"]] == ["message_start", "message_stop"]
    begun, is_open, fragments = 0, False, ""
    for payload in payloads[1:-1]:
        match payload["type"]:
            case "content_block_start":
                assert (payload["index"], is_open) == (begun, False)
                begun, is_open, fragments = begun + 1, True, ""
            case "content_block_delta":
                assert (payload["index"], is_open) == (begun - 1, True)
                fragments += payload["delta"].get("partial_json", "")
            case "content_block_stop":
                assert (payload["index"], is_open) == (begun - 1, True)
                is_open = bool(fragments) and orjson.loads(fragments) is fragments
    assert not is_open
    assert any(each["type"] == "message_delta" and each["delta"]["stop_reason"] for each in payloads)
