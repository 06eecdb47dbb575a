"""What an upstream may receive: the SDKs' own types, and the rules that types cannot say.

`broken_rules` returns sentences, each beginning with a short name in brackets by which a test may allow it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from proxy_core.routing.catalogue import model_facts

Body = dict[str, object]
_CREDENTIALS = ("authorization", "x-api-key", "api-key")
_PRIVATE = ("cookie", "proxy-authorization", "origin", "referer", "x-forwarded-for")
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@cache
def validator(dialect: str, stream: bool) -> Draft202012Validator:
    """The JSON Schema of the official SDK's own request type."""
    from pydantic import TypeAdapter

    if dialect == "anthropic":
        from anthropic.types import message_create_params as params

        kind = params.MessageCreateParamsStreaming if stream else params.MessageCreateParamsNonStreaming
    else:
        from openai.types.chat import completion_create_params as params

        kind = params.CompletionCreateParamsStreaming if stream else params.CompletionCreateParamsNonStreaming
    return Draft202012Validator(TypeAdapter(kind).json_schema())


def broken_rules(dialect: str, body: object, headers: Mapping[str, str], secrets: tuple[str, ...] = ()) -> list[str]:
    """Every rule that this request breaks; [] for a good one. secrets: texts that may not go out."""
    broken = list(_header_rules(headers, secrets))
    if not isinstance(body, dict):
        return [*broken, "[schema] the body is no object"]
    error = best_match(validator(dialect, body.get("stream") is True).iter_errors(body))
    if error is not None:
        return [*broken, f"[schema] {error.json_path}: {error.message[:300]}"]
    if dialect == "anthropic":
        broken += _anthropic_rules(body)
        if "anthropic-version" not in headers:
            broken.append("[headers] no anthropic-version")
    else:
        broken += _openai_rules(body)
    return broken


def _header_rules(headers: Mapping[str, str], secrets: tuple[str, ...]) -> Iterator[str]:
    sent = {name.lower(): value for name, value in headers.items()}
    credentials = [name for name in _CREDENTIALS if sent.get(name, "").strip()]
    if len(credentials) != 1:
        yield f"[credential] expected exactly one, got {credentials}"
    for name in _PRIVATE:
        if name in sent:
            yield f"[headers] {name} went out"
    for secret in secrets:
        if any(secret in value for value in sent.values()):
            yield "[secret] a local secret went out"
    if sent.get("content-type", "").split(";")[0] != "application/json":
        yield f"[headers] content-type {sent.get('content-type')!r}"


def _blocks(content: object) -> list[Body]:
    """Content as a list of blocks; a string is one text block."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())


def _anthropic_rules(body: Body) -> Iterator[str]:
    messages: list[Body] = body["messages"]
    yield from _turn_rules([str(message["role"]) for message in messages])
    system = [] if body.get("system") is None else _blocks(body["system"])
    for block in [*system, *(block for message in messages for block in _opened(_blocks(message["content"])))]:
        if block["type"] == "text" and not block["text"].strip():
            yield "[empty text] an empty text block"
        if block["type"] == "image":
            yield "[picture] a picture on the Anthropic-style side"
    for place, message in enumerate(messages):
        if not _blocks(message["content"]):
            yield f"[empty message] messages.{place}"
    yield from _anthropic_pairs(messages)


def _opened(blocks: list[Body]) -> Iterator[Body]:
    for block in blocks:
        yield block
        if block["type"] == "tool_result":
            yield from _blocks(block.get("content"))


def _turn_rules(roles: list[str]) -> Iterator[str]:
    if roles[:1] != ["user"]:
        yield f"[first] the first message is from {roles[:1]}"
    if any(left == right for left, right in pairwise(roles)):
        yield f"[alternate] roles do not alternate: {roles}"
    if "system" in roles:
        yield "[system] a system message among the messages"


def _anthropic_pairs(messages: list[Body]) -> Iterator[str]:
    open_calls: list[object] = []
    for place, message in enumerate(messages):
        blocks = _blocks(message["content"])
        answered = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if answered != open_calls:
            yield f"[pairs] messages.{place}: calls {open_calls}, answers {answered}"
        kinds = [block["type"] == "tool_result" for block in blocks]
        if kinds != sorted(kinds, reverse=True):
            yield f"[results first] messages.{place}"
        open_calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if not all(_ID.fullmatch(str(call)) for call in open_calls) or len(set(open_calls)) < len(open_calls):
            yield f"[ids] messages.{place}: {open_calls}"
    if open_calls:
        yield f"[pairs] calls without answer at the end: {open_calls}"


def _openai_rules(body: Body) -> Iterator[str]:
    messages: list[Body] = body["messages"]
    if not any(message["role"] in ("user", "tool") for message in messages):
        yield "[user] neither a user nor a tool message"
    for place, message in enumerate(messages):
        yield from _openai_message_rules(place, message, str(body["model"]))
    yield from _openai_pairs(messages)
    yield from _openai_tool_rules(body)
    stop = body.get("stop")
    if isinstance(stop, list) and len(stop) > 1:
        yield "[stop] more than one stop sequence"


def _openai_message_rules(place: int, message: Body, model: str) -> Iterator[str]:
    role = message["role"]
    if role not in ("system", "user", "assistant", "tool"):
        yield f"[role] messages.{place}: {role}"
    if role != "user" and not isinstance(message.get("content"), str | None):
        yield f"[content] messages.{place}: {role} content is no string"
    blocks = _blocks(message.get("content"))
    may_be_empty = role == "assistant" and (message.get("tool_calls") or message.get("reasoning_content"))
    if not may_be_empty and not blocks:
        yield f"[empty message] messages.{place}"
    for block in blocks:
        if block["type"] == "text" and not block["text"].strip() and not may_be_empty:
            yield f"[empty text] messages.{place}"
        if block["type"] == "image_url" and (role != "user" or not model_facts(model).sees):
            yield f"[picture] messages.{place}: a picture in a {role} message to {model}"


def _openai_pairs(messages: list[Body]) -> Iterator[str]:
    open_calls: list[object] = []
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            if open_calls[:1] != [message["tool_call_id"]]:
                yield f"[pairs] messages.{place}: open {open_calls}, answered {message['tool_call_id']}"
            open_calls = open_calls[1:]
            continue
        if open_calls:
            yield f"[pairs] messages.{place}: calls without answer: {open_calls}"
        open_calls = [call["id"] for call in message.get("tool_calls") or ()]
    if open_calls:
        yield f"[pairs] calls without answer at the end: {open_calls}"


def _openai_tool_rules(body: Body) -> Iterator[str]:
    for tool in body.get("tools") or ():
        function = tool.get("function", {})
        if not _TOOL_NAME.fullmatch(str(function.get("name", ""))):
            yield f"[tool name] {function.get('name')!r}"
        if not function.get("description") or not isinstance(function.get("parameters"), dict):
            yield f"[tool] {function.get('name')!r} lacks a description or parameters"
    if body.get("tool_choice", "auto") != "auto":
        yield f"[tool choice] {body['tool_choice']!r}"
