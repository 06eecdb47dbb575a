"""Chat messages ↔ our messages, one to one: `messages[i]` is always `Message.raw`."""

from __future__ import annotations

from collections.abc import Sequence

from proxy_core.chat import Message, Part, Thinking, ToolCall, ToolResult, Unknown
from proxy_core.dialects.arguments import arguments_text, made_id
from proxy_core.dialects.openai.parts import (
    joined_texts,
    read_content,
    text_part,
    with_file_texts,
    without_detail,
    write_content,
)
from proxy_core.dialects.shape import as_list, as_object, as_text, at, optional_list, optional_text, refuse
from proxy_core.errors import BadRequestError
from proxy_core.jsontypes import JsonObject

_ROLES = "system, developer, user, assistant, tool or function"

_OTHER_REASONING = ("reasoning", "reasoning_details")  # names that z.ai does not know

PICTURES_OF_TOOLS = "Images returned by tools:"


def read_messages(raw: object) -> tuple[Message, ...]:
    """The body's `messages`. Raises BadRequestError naming the field."""
    messages = as_list(raw, "messages")
    if not messages:
        raise refuse("messages", "expected at least one message")
    reader = _MessageReader()
    return tuple(reader.read(as_object(message, f"messages.{i}"), i) for i, message in enumerate(messages))


class _MessageReader:
    """Reads messages in order; remembers legacy function calls, whose results name only the function."""

    def __init__(self) -> None:
        self._function_ids: dict[str, str] = {}

    def read(self, raw: JsonObject, position: int) -> Message:
        path = f"messages.{position}"
        role = as_text(raw.get("role"), at(path, "role"))
        match role:
            case "system" | "developer":
                return Message("system", read_content(raw.get("content"), at(path, "content")), raw)
            case "user":
                return Message("user", read_content(raw.get("content"), at(path, "content")), raw)
            case "assistant":
                return Message("assistant", self._assistant_parts(raw, path), raw)
            case "tool" | "function":
                return Message("user", (self._result(raw, path, role),), raw)
            case _:
                raise BadRequestError(f"{path}.role: expected {_ROLES}.", param=f"{path}.role")

    def _assistant_parts(self, raw: JsonObject, path: str) -> tuple[Part, ...]:
        thinking = _thinking_of(raw, path)
        refusal = optional_text(raw, "refusal", path)
        parts: list[Part] = [Thinking(thinking)] if thinking else []
        parts += read_content(raw.get("content"), at(path, "content"))
        if refusal:
            parts.append(Unknown("refusal", refusal, {"type": "refusal", "refusal": refusal}))
        if raw.get("audio") is not None:
            raise refuse(at(path, "audio"), "an answer in sound lies on OpenAI's servers and cannot be heard here")
        calls = optional_list(raw, "tool_calls", path) or []
        parts += [_read_call(call, at(at(path, "tool_calls"), i)) for i, call in enumerate(calls)]
        if raw.get("function_call") is not None:
            parts.append(self._function_call(raw, path))
        return tuple(parts)

    def _function_call(self, raw: JsonObject, path: str) -> ToolCall:
        where = at(path, "function_call")
        function = as_object(raw["function_call"], where)
        name = as_text(function.get("name"), at(where, "name"))
        self._function_ids[name] = made_id(path, name)
        return ToolCall(self._function_ids[name], name, _arguments(function.get("arguments"), at(where, "arguments")))

    def _result(self, raw: JsonObject, path: str, role: str) -> ToolResult:
        if role == "tool":
            call_id = as_text(raw.get("tool_call_id"), at(path, "tool_call_id"))
        else:
            name = as_text(raw.get("name"), at(path, "name"))
            call_id = self._function_ids.get(name) or made_id(path, name)
        return ToolResult(call_id, read_content(raw.get("content"), at(path, "content")), raw=raw)


def _thinking_of(raw: JsonObject, path: str) -> str:
    """Reasoning that the client gives back, under whichever of its three names."""
    text = optional_text(raw, "reasoning_content", path) or optional_text(raw, "reasoning", path)
    return text or text_of_details(optional_list(raw, "reasoning_details", path) or [])


def text_of_details(details: Sequence[object]) -> str:
    """The readable text of `reasoning_details`: `{"type":"reasoning.text","text"}` or `{…"summary"}`; encrypted parts
    have none."""
    found = [detail.get("text") or detail.get("summary") for detail in details if isinstance(detail, dict)]
    return "".join(text for text in found if isinstance(text, str))


def _read_call(value: object, path: str) -> ToolCall:
    raw = as_object(value, path)
    call_id = optional_text(raw, "id", path) or made_id(path)
    if raw.get("type") == "custom":
        custom = as_object(raw.get("custom"), at(path, "custom"))
        said = as_text(custom.get("input"), at(path, "custom.input"))
        name = as_text(custom.get("name"), at(path, "custom.name"))
        return ToolCall(call_id, name, arguments_text({"input": said}), raw)
    function = as_object(raw.get("function"), at(path, "function"))
    name = as_text(function.get("name"), at(path, "function.name"))
    return ToolCall(call_id, name, _arguments(function.get("arguments"), at(path, "function.arguments")), raw)


def _arguments(value: object, path: str) -> str:
    """The text of `arguments`: a string by the standard, an object from some clients, "" where absent."""
    if value is None:
        return ""
    return arguments_text(value) if isinstance(value, dict) else as_text(value, path)


def write_messages(messages: Sequence[Message]) -> list[JsonObject]:
    """All messages for z.ai. Its tools answer in text only: their pictures follow as a message of the user's."""
    written: list[JsonObject] = []
    pictures: list[object] = []
    for raw in (raw for message in messages for raw in write_message(message)):
        if raw.get("role") != "tool":
            written += _shown(pictures)
            pictures = []
        written.append(_without_pictures(raw, pictures) if raw.get("role") == "tool" else raw)
    return [*written, *_shown(pictures)]


def _shown(pictures: list[object]) -> list[JsonObject]:
    return [{"role": "user", "content": [text_part(PICTURES_OF_TOOLS), *pictures]}] if pictures else []


def _without_pictures(raw: JsonObject, pictures: list[object]) -> JsonObject:
    """A tool's message with its pictures moved to `pictures`; the same object where it has none."""
    content = raw.get("content")
    if not isinstance(content, list) or not any(map(_is_picture, content)):
        return raw
    left: list[object] = []
    for part in content:
        if _is_picture(part):
            pictures.append(part)
        left.append(text_part(f"[image {len(pictures)} attached below]") if _is_picture(part) else part)
    return {**raw, "content": joined_texts(left)}


def _is_picture(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "image_url"


def write_message(message: Message) -> list[JsonObject]:
    """One message for z.ai, nearly always a list of one: the client's own form where it still has it.

    z.ai knows no role `developer`, no `detail` of pictures, no legacy functions, and takes text from anybody but
    the user as a string only; those are changed, in a copy.
    """
    if message.raw is not None and not _is_legacy(message.raw):
        return [_acceptable(message.raw)]
    if message.role == "assistant":
        return [_acceptable(_write_assistant(message))]
    results = [_acceptable(_write_result(part)) for part in message.parts if isinstance(part, ToolResult)]
    rest = tuple(part for part in message.parts if not isinstance(part, ToolResult))
    if results and not rest:
        return results
    return [*results, _acceptable({"role": message.role, "content": write_content(rest)})]


def _is_legacy(raw: JsonObject) -> bool:
    return raw.get("role") == "function" or raw.get("function_call") is not None


def _acceptable(raw: JsonObject) -> JsonObject:
    """A message as z.ai takes it; the same object where nothing has to change."""
    role, content = raw.get("role"), raw.get("content")
    content = with_file_texts(content)
    plain = without_detail(content) if role == "user" else joined_texts(content)
    if role == "assistant" and not raw.get("reasoning_content") and (thinking := _thinking_of(raw, "messages")):
        kept = {key: value for key, value in raw.items() if key not in _OTHER_REASONING}
        return {**kept, "reasoning_content": thinking, "content": plain}
    if role == "developer":
        return {**raw, "role": "system", "content": plain}
    return raw if plain is raw.get("content") else {**raw, "content": plain}


def _write_assistant(message: Message) -> JsonObject:
    """Rendered anew: reasoning_content, content and tool_calls."""
    rendered: JsonObject = {"role": "assistant"}
    thinking = "\n".join(part.text for part in message.parts if isinstance(part, Thinking) and part.text)
    if thinking:
        rendered["reasoning_content"] = thinking
    rendered["content"] = write_content(
        tuple(part for part in message.parts if not isinstance(part, (Thinking, ToolCall)))
    )
    calls = [_write_call(part) for part in message.parts if isinstance(part, ToolCall)]
    return {**rendered, "tool_calls": calls} if calls else rendered


def _write_call(call: ToolCall) -> JsonObject:
    """One entry of `tool_calls`, the client's own form where it still has it."""
    if call.raw is not None:
        return call.raw
    return function_call(call.id, call.name, arguments_text(call.arguments))


def function_call(call_id: str, name: str, arguments: str) -> JsonObject:
    """`{"id","type":"function","function":{"name","arguments"}}`."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _write_result(result: ToolResult) -> JsonObject:
    if result.raw is not None and not _is_legacy(result.raw):
        return result.raw
    return {"role": "tool", "tool_call_id": result.call_id, "content": write_content(result.parts)}
