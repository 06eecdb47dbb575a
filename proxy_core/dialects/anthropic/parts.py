"""Content blocks of the Messages API, both ways (protocols B.3, "content blocks").

Every block keeps itself as `raw`, so that its own dialect gets it back whole. Blocks without a word of ours become
Unknown, with a short text where one can be given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from proxy_core.chat import Document, Image, Message, Part, ResultPart, Text, Thinking, ToolCall, ToolResult, Unknown
from proxy_core.dialects.arguments import arguments_object, arguments_text, safe_id
from proxy_core.dialects.shape import as_list, as_object, as_text, at, optional_bool, optional_text, refuse, wrong
from proxy_core.jsontypes import JsonObject

MEDIA_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_NO_OUTPUT = "(no output)"
_RENDERED_DEPTH = 3


def read_content(value: object, path: str) -> tuple[Part, ...]:
    """Message content: a string or a list of blocks. Raises BadRequestError."""
    if isinstance(value, str):
        return (Text(value),)
    if not isinstance(value, list):
        raise wrong(path, "a string or a list", value)
    return tuple([_read_block(block, at(path, index)) for index, block in enumerate(value)])


def read_texts(value: object, path: str) -> tuple[Text, ...]:
    """A system prompt: nothing, a string or a list of text blocks. Raises BadRequestError."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (Text(value),)
    if not isinstance(value, list):
        raise wrong(path, "a string or a list", value)
    blocks = [as_object(block, at(path, index)) for index, block in enumerate(value)]
    return tuple([_read_system_block(block, at(path, index)) for index, block in enumerate(blocks)])


def _read_system_block(block: JsonObject, path: str) -> Text:
    kind = as_text(block.get("type"), at(path, "type"))
    text = as_text(block.get("text"), at(path, "text")) if kind == "text" else rendering(block)
    return Text(text, raw=block)


def _read_block(value: object, path: str) -> Part:
    block = as_object(value, path)
    read = _READERS.get(as_text(block.get("type"), at(path, "type")), _read_unknown)
    return read(block, path)


def _read_result_block(value: object, path: str) -> ResultPart:
    block = as_object(value, path)
    read = _RESULT_READERS.get(as_text(block.get("type"), at(path, "type")), _read_unknown)
    return read(block, path)


def _read_text(block: JsonObject, path: str) -> Text:
    return Text(as_text(block.get("text"), at(path, "text")), raw=block)


def _read_image(block: JsonObject, path: str) -> Image | Unknown:
    source = as_object(block.get("source"), at(path, "source"))
    path = at(path, "source")
    match source.get("type"):
        case "base64":
            data = as_text(source.get("data"), at(path, "data"))
            return Image(as_text(source.get("media_type"), at(path, "media_type")), data, raw=block)
        case "url":
            return Image(url=as_text(source.get("url"), at(path, "url")), raw=block)
        case kind:
            return Unknown(f"image.{as_text(kind, at(path, 'type'))}", raw=block)


def _read_document(block: JsonObject, path: str) -> Document | Unknown:
    source = as_object(block.get("source"), at(path, "source"))
    title = optional_text(block, "title", path) or ""
    path = at(path, "source")
    match source.get("type"):
        case "text":
            return Document(title, as_text(source.get("data"), at(path, "data")), raw=block)
        case "base64":
            data = as_text(source.get("data"), at(path, "data"))
            return Document(
                title, media_type=as_text(source.get("media_type"), at(path, "media_type")), data=data, raw=block
            )
        case "url":
            return Document(title, url=as_text(source.get("url"), at(path, "url")), raw=block)
        case "content":
            texts = _only_texts(source.get("content"), at(path, "content"))
            return Document(title, texts, raw=block) if texts else Unknown("document.content", raw=block)
        case kind:
            return Unknown(f"document.{as_text(kind, at(path, 'type'))}", raw=block)


def _only_texts(value: object, path: str) -> str:
    """The text of a content list that holds nothing else, "" where it does."""
    if isinstance(value, str):
        return value
    blocks = [as_object(block, at(path, index)) for index, block in enumerate(as_list(value, path))]
    texts = [text for block in blocks if isinstance(text := block.get("text"), str)]
    return "\n".join(texts) if len(texts) == len(blocks) else ""


def _read_thinking(block: JsonObject, path: str) -> Thinking:
    text = as_text(block.get("thinking"), at(path, "thinking"))
    return Thinking(text, optional_text(block, "signature", path) or "", raw=block)


def _read_redacted(block: JsonObject, path: str) -> Thinking:
    return Thinking("", redacted=as_text(block.get("data"), at(path, "data")), raw=block)


def _read_call(block: JsonObject, path: str) -> ToolCall:
    call_id = as_text(block.get("id"), at(path, "id"))
    name = as_text(block.get("name"), at(path, "name"))
    return ToolCall(call_id, name, arguments_text(block.get("input")), raw=block)


def _read_result(block: JsonObject, path: str) -> ToolResult:
    call_id = as_text(block.get("tool_use_id"), at(path, "tool_use_id"))
    is_error = optional_bool(block, "is_error", path) or False
    return ToolResult(call_id, _read_result_content(block.get("content"), at(path, "content")), is_error, raw=block)


def _read_result_content(value: object, path: str) -> tuple[ResultPart, ...]:
    """Like message content, but possibly absent, and without calls or results inside."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (Text(value),)
    if not isinstance(value, list):
        raise wrong(path, "a string or a list", value)
    return tuple([_read_result_block(block, at(path, index)) for index, block in enumerate(value)])


def _read_unknown(block: JsonObject, path: str) -> Unknown:
    return Unknown(as_text(block.get("type"), at(path, "type")), rendering(block), raw=block)


_RESULT_READERS: dict[str, Callable[[JsonObject, str], ResultPart]] = {
    "text": _read_text,
    "image": _read_image,
    "document": _read_document,
}
_READERS: dict[str, Callable[[JsonObject, str], Part]] = {
    **_RESULT_READERS,
    "thinking": _read_thinking,
    "redacted_thinking": _read_redacted,
    "tool_use": _read_call,
    "tool_result": _read_result,
}


def rendering(block: JsonObject, depth: int = _RENDERED_DEPTH) -> str:
    """A short text for a block we have no word for (search results, server tools), "" where nothing fits."""
    texts = [value for key in ("text", "content") if isinstance(value := block.get(key), str) and value.strip()]
    inner = block.get("content")
    if isinstance(inner, list) and depth:
        texts += [rendering(item, depth - 1) for item in inner if isinstance(item, dict)]
    return "\n".join(text for text in (_heading(block), *texts) if text)


def _heading(block: JsonObject) -> str:
    title, source = block.get("title"), block.get("url") or block.get("source")
    if isinstance(title, str) and isinstance(source, str):
        return f"[{title}]({source})"
    name = block.get("tool_name") or block.get("name")
    return f"[{block.get('type')}: {name}]" if isinstance(name, str) else ""


def write_message(message: Message, *, own: bool) -> JsonObject:
    """One message. own: it was read in this dialect, so raw parts go out as they came."""
    return {"role": message.role, "content": [write_part(part, own=own) for part in message.parts]}


def write_part(part: Part, *, own: bool) -> JsonObject:
    """One block; `raw` where `own` and present. Raises BadRequestError for what has no block."""
    if own and part.raw is not None:
        return part.raw
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image():
            return {"type": "image", "source": _write_source(part)}
        case Document():
            title: JsonObject = {"title": part.title} if part.title else {}
            return {"type": "document", "source": _write_source(part), **title}
        case Thinking(redacted=""):
            return {"type": "thinking", "thinking": part.text, "signature": part.signature}
        case Thinking():
            return {"type": "redacted_thinking", "data": part.redacted}
        case ToolCall():
            call_id = part.id if own else safe_id(part.id)
            return {"type": "tool_use", "id": call_id, "name": part.name, "input": arguments_object(part.arguments)}
        case ToolResult():
            return _write_result(part, own=own)
        case Unknown():
            return {"type": "text", "text": part.text}
        case _:
            assert_never(part)


def _write_source(part: Image | Document) -> JsonObject:
    if part.url:
        return {"type": "url", "url": part.url}
    if isinstance(part, Document) and not part.data:
        return {"type": "text", "media_type": "text/plain", "data": part.text}
    return {"type": "base64", "media_type": _media_type(part), "data": part.data}


def _media_type(part: Image | Document) -> str:
    return "image/jpeg" if part.media_type == "image/jpg" else part.media_type


def _write_result(result: ToolResult, *, own: bool) -> JsonObject:
    content: list[JsonObject] = [write_part(part, own=own) for part in result.parts]
    block: JsonObject = {
        "type": "tool_result",
        "tool_use_id": result.call_id if own else safe_id(result.call_id),
        # The upstream is known to refuse empty input (its code 1214).
        "content": content or _NO_OUTPUT,
    }
    return {**block, "is_error": True} if result.is_error else block


def refuse_uncarried(messages: tuple[Message, ...]) -> None:
    """Raise BadRequestError for the first part of another dialect that this one has no block for."""
    for index, message in enumerate(messages):
        for part in message.parts:
            for inner in part.parts if isinstance(part, ToolResult) else (part,):
                why = _why_uncarried(inner)
                if why:
                    raise refuse(f"messages.{index}.content", why)


def _why_uncarried(part: Part) -> str:
    match part:
        case Unknown(text=""):
            return f"a part of type {part.kind[:64]!r} cannot be sent to this upstream"
        case Image(url="") if _media_type(part) not in MEDIA_TYPES:
            return f"a picture of type {part.media_type[:64]!r} is not one of {', '.join(MEDIA_TYPES)}"
        case Image(url="", data=""):
            return "the picture is empty"
        case _:
            return ""
