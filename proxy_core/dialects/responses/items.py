"""Input items → messages.

    message                                    a message of its role; developer is system
    reasoning                                  thinking of the assistant
    function_call, custom_tool_call            a call, by the tool's one name
    …_call with a call_id (local_shell …)      a call of that name, its other fields as arguments
    …_output with a call_id                    its result
    additional_tools, tool_search_output       further tools
    all others                                 their text, if they hold any

Clients write one item where a message has one part, so what the assistant said in a row becomes one message. No kind of
item is an error: what says nothing to another model is left out, and named in `dropped` as `input.<type>`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from proxy_core.chat import Message, Part, Role, Text, ToolCall, ToolResult, Unknown
from proxy_core.dialects.arguments import arguments_text, made_id
from proxy_core.dialects.responses.freeform import freeform_arguments
from proxy_core.dialects.responses.parts import as_json, read_content, read_output, rendering
from proxy_core.dialects.responses.reasoning import read_reasoning
from proxy_core.dialects.responses.tools import joint_name
from proxy_core.dialects.shape import as_object, as_text, at, optional_list, optional_text, refuse
from proxy_core.jsontypes import JsonObject

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}
_PLAIN_KIND = re.compile(r"[a-z0-9_]{1,48}")
_FRAME = ("type", "id", "call_id", "status")


@dataclass(frozen=True, slots=True)
class ReadInput:
    """messages: in order. declared: tools that items brought along, with their paths. dropped: what was left out."""

    messages: tuple[Message, ...]
    declared: tuple[tuple[object, str], ...] = ()
    dropped: tuple[str, ...] = ()


def read_input(value: object) -> ReadInput:
    """The body's `input`: text or items. Raises BadRequestError naming the field."""
    if isinstance(value, str):
        return ReadInput((Message("user", (Text(value),)),))
    if not isinstance(value, list):
        raise refuse("input", "expected a string or a list of items")
    messages: list[Message] = []
    declared: list[tuple[object, str]] = []
    dropped: list[str] = []
    for index, entry in enumerate(value):
        path = at("input", index)
        item = as_object(entry, path)
        kind = _kind(item)
        tools = (optional_list(item, "tools", path) or ()) if kind in _TOOL_BEARERS else ()
        declared += [(tool, at(at(path, "tools"), i)) for i, tool in enumerate(tools)]
        message = _reader(kind, item)(item, path)
        parts = tuple([part for part in map(_without_mute, message.parts) if not _is_mute(part)])
        if parts:
            messages.append(Message(message.role, parts))
        mute = [part.kind for part in _opened(message.parts) if isinstance(part, Unknown) and not part.text]
        left_out = mute if message.parts or kind == "message" else [kind]
        dropped += [f"input.{name if _PLAIN_KIND.fullmatch(name) else 'unknown'}" for name in left_out if not tools]
    return ReadInput(_joined(messages), tuple(declared), tuple(dict.fromkeys(dropped)))


def _kind(item: JsonObject) -> str:
    """The item's type; messages may come without one, and references."""
    kind = item.get("type")
    if isinstance(kind, str):
        return kind
    return "message" if "role" in item else "item_reference" if "id" in item else "unknown"


def _reader(kind: str, item: JsonObject) -> Callable[[JsonObject, str], Message]:
    if kind in _READERS:
        return _READERS[kind]
    if item.get("call_id") and kind.endswith("_call"):
        return _read_other_call
    if kind.endswith("_output") and (item.get("call_id") or item.get("id")):
        return _read_result
    return _read_other


def _opened(parts: Sequence[Part]) -> Iterator[Part]:
    for part in parts:
        yield from part.parts if isinstance(part, ToolResult) else (part,)


def _is_mute(part: Part) -> bool:
    """Whether it holds nothing for another model."""
    return isinstance(part, Unknown) and not part.text


def _without_mute(part: Part) -> Part:
    if not isinstance(part, ToolResult):
        return part
    return ToolResult(part.call_id, tuple([inner for inner in part.parts if not _is_mute(inner)]))


def _joined(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Neighbours of the assistant as one message: thinking belongs to the calls that follow it."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role == message.role == "assistant":
            joined[-1] = Message("assistant", joined[-1].parts + message.parts)
        else:
            joined.append(message)
    return tuple(joined)


def _read_message(item: JsonObject, path: str) -> Message:
    role = _ROLES.get(as_text(item.get("role"), at(path, "role")))
    if role is None:
        raise refuse(at(path, "role"), f"expected {', '.join(_ROLES)}")
    return Message(role, read_content(item.get("content"), at(path, "content")))


def _read_reasoning(item: JsonObject, path: str) -> Message:
    thinking = read_reasoning(item, path)
    return Message("assistant", (thinking,) if thinking else ())


def _call_id(item: JsonObject, path: str) -> str:
    """`call_id`; results of the old local shell have it as their `id`."""
    return optional_text(item, "call_id", path) or optional_text(item, "id", path) or made_id(path)


def _tool_name(item: JsonObject, path: str) -> str:
    name = as_text(item.get("name"), at(path, "name"))
    return joint_name(name, optional_text(item, "namespace", path) or "")


def _read_call(item: JsonObject, path: str) -> Message:
    given = item.get("arguments")
    arguments = arguments_text(given) if isinstance(given, dict) else optional_text(item, "arguments", path) or ""
    return Message("assistant", (ToolCall(_call_id(item, path), _tool_name(item, path), arguments),))


def _read_custom_call(item: JsonObject, path: str) -> Message:
    arguments = freeform_arguments(as_text(item.get("input"), at(path, "input")))
    return Message("assistant", (ToolCall(_call_id(item, path), _tool_name(item, path), arguments),))


def _read_other_call(item: JsonObject, path: str) -> Message:
    """A call of a tool that clients carry out in a way of their own."""
    said = {name: value for name, value in item.items() if name not in _FRAME}
    name = joint_name(str(item["type"]).removesuffix("_call"))
    return Message("assistant", (ToolCall(_call_id(item, path), name, as_json(said, path)),))


def _read_result(item: JsonObject, path: str) -> Message:
    return Message("user", (ToolResult(_call_id(item, path), read_output(item.get("output"), at(path, "output"))),))


def _read_other(item: JsonObject, path: str) -> Message:
    return Message("assistant", (Unknown(_kind(item), rendering(item), item),))


_READERS: dict[str, Callable[[JsonObject, str], Message]] = {
    "message": _read_message,
    "reasoning": _read_reasoning,
    "function_call": _read_call,
    "custom_tool_call": _read_custom_call,
    "function_call_output": _read_result,
    "custom_tool_call_output": _read_result,
}
_TOOL_BEARERS = ("additional_tools", "tool_search_output")
