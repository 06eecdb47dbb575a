"""The four legs, and one way to speak and to listen on all of them.

A request is described once, as a `Conversation`; `ask` sends it by the official SDK of the leg's client, and `seen`
reads what the upstream received. Both ends are written against the wire, not by the proxy's own readers and writers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import groupby

from proxy_core.chat import Conversation, Image, Message, Part, Text, Thinking, Tool, ToolCall, ToolResult
from tests.corridor import Corridor, open_anthropic, open_openai
from tests.fake_upstream import Received

Wire = dict[str, object]
Item = tuple[object, ...]


@dataclass(frozen=True)
class Leg:
    """From a client's dialect to the upstream's; the model's suffix forces the way."""

    client: str
    upstream: str

    def __str__(self) -> str:
        return f"{self.client}-to-{self.upstream}"

    @property
    def model(self) -> str:
        return f"glm-4.6-{self.upstream}"

    @property
    def is_crossing(self) -> bool:
        return self.client != self.upstream


SAME = [Leg("anthropic", "anthropic"), Leg("openai", "openai")]
CROSSING = [Leg("anthropic", "openai"), Leg("openai", "anthropic")]
LEGS = [*SAME, *CROSSING]


@dataclass(frozen=True)
class Heard:
    """An answer as the client's SDK understood it. calls: (id, name, arguments)."""

    id: str
    model: str
    text: str
    thinking: str
    calls: tuple[tuple[str, str, object], ...]
    stop: str
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Seen:
    """A request as the upstream understood it: turns of (role, items), neighbours of one role as one turn."""

    model: str
    system: str
    turns: tuple[tuple[str, tuple[Item, ...]], ...]
    tools: tuple[tuple[str, str, object], ...]


def says(*parts: Part | str, role: str = "user") -> Message:
    """A message; a string is text."""
    return Message(role, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def request(*messages: Message | str, model: str = "", **fields: object) -> Conversation:
    """A request; a string is a user message. Without a model the leg's own is asked for."""
    read = tuple(says(message) if isinstance(message, str) else message for message in messages)
    return Conversation("", model, read, **fields)


async def ask(corridor: Corridor, leg: Leg, asked: Conversation, *, stream: bool, **extra: object) -> Heard:
    """The answer, plain or folded by the SDK (Anthropic) or as its documentation says (OpenAI)."""
    asked = replace(asked, model=asked.model or leg.model)
    return await (_ask_anthropic if leg.client == "anthropic" else _ask_openai)(corridor, asked, stream, extra)


async def _ask_anthropic(corridor: Corridor, asked: Conversation, stream: bool, extra: Wire) -> Heard:
    fields = {**anthropic_body(asked), "extra_body": extra}
    async with open_anthropic(corridor.url) as client:
        if not stream:
            return heard_message(await client.messages.create(**fields))
        async with client.messages.stream(**fields) as events:
            return heard_message(await events.get_final_message())


async def _ask_openai(corridor: Corridor, asked: Conversation, stream: bool, extra: Wire) -> Heard:
    fields = {**openai_body(asked), "extra_body": extra}
    async with open_openai(f"{corridor.url}/v1") as client:
        if not stream:
            return heard_completion(await client.chat.completions.create(**fields))
        options = {"include_usage": True}
        chunks = await client.chat.completions.create(**fields, stream=True, stream_options=options)
        return heard_chunks([chunk async for chunk in chunks])


def heard_message(message: object) -> Heard:
    """An Anthropic message object of the SDK."""
    blocks, usage = message.content, message.usage
    cached = usage.cache_read_input_tokens or 0
    return Heard(
        message.id,
        message.model,
        "".join(block.text for block in blocks if block.type == "text"),
        "".join(block.thinking for block in blocks if block.type == "thinking"),
        tuple((block.id, block.name, block.input) for block in blocks if block.type == "tool_use"),
        message.stop_reason,
        usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0),
        cached,
        usage.output_tokens,
    )


def heard_completion(completion: object) -> Heard:
    """A chat completion object of the SDK."""
    choice = completion.choices[0]
    message, usage = choice.message, completion.usage
    calls = [(call.id, call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or ()]
    return Heard(
        completion.id,
        completion.model,
        message.content or "",
        getattr(message, "reasoning_content", None) or "",
        tuple(calls),
        choice.finish_reason,
        usage.prompt_tokens,
        usage.prompt_tokens_details.cached_tokens,
        usage.completion_tokens,
    )


def heard_chunks(chunks: list[object]) -> Heard:
    """Chunks folded by hand, as OpenAI's documentation has it."""
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    calls: dict[int, list[str]] = {}
    for call in (call for delta in deltas for call in delta.tool_calls or ()):
        entry = calls.setdefault(call.index, [call.id, call.function.name, ""])
        entry[2] += call.function.arguments or ""
    usage = next(chunk.usage for chunk in reversed(chunks) if chunk.usage)
    stops = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert len(stops) == 1
    assert len({(chunk.id, chunk.model) for chunk in chunks}) == 1
    return Heard(
        chunks[0].id,
        chunks[0].model,
        "".join(delta.content or "" for delta in deltas),
        "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas),
        tuple((call_id, name, json.loads(text)) for call_id, name, text in calls.values()),
        stops[0],
        usage.prompt_tokens,
        usage.prompt_tokens_details.cached_tokens,
        usage.completion_tokens,
    )


def anthropic_body(asked: Conversation) -> Wire:
    """The request as an Anthropic client writes it."""
    messages = [
        {"role": message.role, "content": [_anthropic_block(part) for part in message.parts]}
        for message in asked.messages
    ]
    body: Wire = {"model": asked.model, "max_tokens": asked.sampling.max_tokens or 1000, "messages": messages}
    if asked.system:
        body["system"] = [{"type": "text", "text": part.text} for part in asked.system]
    if asked.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema} for tool in asked.tools
        ]
    return body


def _anthropic_block(part: Part) -> Wire:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Thinking():
            return {"type": "thinking", "thinking": part.text, "signature": part.signature}
        case Image(url="") as image:
            source = {"type": "base64", "media_type": image.media_type, "data": image.data}
            return {"type": "image", "source": source}
        case Image(url=url):
            return {"type": "image", "source": {"type": "url", "url": url}}
        case ToolCall():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": json.loads(part.arguments)}
        case ToolResult():
            content = [_anthropic_block(inner) for inner in part.parts]
            return {"type": "tool_result", "tool_use_id": part.call_id, "content": content, "is_error": part.is_error}
    raise AssertionError(part)


def openai_body(asked: Conversation) -> Wire:
    """The request as an OpenAI client writes it."""
    messages = [{"role": "system", "content": part.text} for part in asked.system]
    messages += [wire for message in asked.messages for wire in _openai_messages(message)]
    body: Wire = {"model": asked.model, "messages": messages}
    if asked.sampling.max_tokens:
        body["max_tokens"] = asked.sampling.max_tokens
    if asked.tools:
        body["tools"] = [{"type": "function", "function": _function(tool)} for tool in asked.tools]
    return body


def _function(tool: Tool) -> Wire:
    return {"name": tool.name, "description": tool.description, "parameters": tool.schema}


def _openai_messages(message: Message) -> list[Wire]:
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    wires: list[Wire] = [
        {"role": "tool", "tool_call_id": part.call_id, "content": _openai_content(part.parts)} for part in results
    ]
    said = tuple(part for part in message.parts if isinstance(part, (Text, Image)))
    if message.role == "assistant":
        return [_openai_assistant(message, "".join(part.text for part in said if isinstance(part, Text)))]
    return [*wires, {"role": message.role, "content": _openai_content(said)}] if said else wires


def _openai_content(parts: tuple[Part, ...]) -> object:
    """A lone text as a string, as most clients write it."""
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [_openai_part(part) for part in parts]


def _openai_assistant(message: Message, text: str) -> Wire:
    wire: Wire = {"role": "assistant", "content": text}
    if thinking := "".join(part.text for part in message.parts if isinstance(part, Thinking)):
        wire["reasoning_content"] = thinking
    if calls := [part for part in message.parts if isinstance(part, ToolCall)]:
        wire["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    return wire


def _openai_part(part: Part) -> Wire:
    if isinstance(part, Image):
        return {"type": "image_url", "image_url": {"url": part.url or f"data:{part.media_type};base64,{part.data}"}}
    assert isinstance(part, Text)
    return {"type": "text", "text": part.text}


def seen(received: Received) -> Seen:
    """What the upstream understood of a request, in either dialect."""
    body = received.body
    read = _seen_anthropic if received.dialect == "anthropic" else _seen_openai
    system, messages, tools = read(body)
    turns = tuple(
        (role, tuple(item for _, items in group for item in items))
        for role, group in groupby(messages, key=lambda message: message[0])
    )
    return Seen(str(body["model"]), system, turns, tools)


def _seen_anthropic(body: Wire) -> tuple[str, list[tuple[str, list[Item]]], tuple[tuple[str, str, object], ...]]:
    system = "\n\n".join(block["text"] for block in _blocks(body.get("system")))
    messages = [
        (message["role"], [_seen_block(block) for block in _blocks(message["content"])]) for message in body["messages"]
    ]
    tools = [(tool["name"], tool.get("description", ""), tool["input_schema"]) for tool in body.get("tools", ())]
    return system, messages, tuple(tools)


def _blocks(content: object) -> list[Wire]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())


def _seen_block(block: Wire) -> Item:
    match block["type"]:
        case "text":
            return "text", block["text"]
        case "thinking":
            return "thinks", block["thinking"]
        case "tool_use":
            return "call", block["id"], block["name"], block["input"]
        case "tool_result":
            inner = "\n".join(part["text"] for part in _blocks(block.get("content")))
            return "result", block["tool_use_id"], inner, block.get("is_error", False)
    raise AssertionError(block["type"])


def _seen_openai(body: Wire) -> tuple[str, list[tuple[str, list[Item]]], tuple[tuple[str, str, object], ...]]:
    messages: list[tuple[str, list[Item]]] = []
    system = ""
    for message in body["messages"]:
        if message["role"] == "system" and not messages:
            system = "\n\n".join(filter(None, [system, message["content"]]))
        else:
            role = "user" if message["role"] == "tool" else message["role"]
            messages.append((role, _seen_openai_items(message)))
    functions = [tool["function"] for tool in body.get("tools", ())]
    tools = [(one["name"], one.get("description", ""), one.get("parameters")) for one in functions]
    return system, messages, tuple(tools)


def _seen_openai_items(message: Wire) -> list[Item]:
    content = _blocks(message.get("content"))
    if message["role"] == "tool":
        text = "\n".join(part["text"] for part in content)
        bare = text.removeprefix("Error: ")
        return [("result", message["tool_call_id"], bare, bare != text)]
    items: list[Item] = [("thinks", message["reasoning_content"])] if "reasoning_content" in message else []
    for part in content:
        is_text = part["type"] == "text"
        if not is_text or part["text"]:
            items.append(("text", part["text"]) if is_text else ("picture", part["image_url"]["url"]))
    for call in message.get("tool_calls") or ():
        function = call["function"]
        items.append(("call", call["id"], function["name"], json.loads(function["arguments"])))
    return items
