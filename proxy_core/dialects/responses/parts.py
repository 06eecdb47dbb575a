"""Content parts of Responses items: `{"type":"input_text"|"output_text"|"input_image"|"input_file"|…}` → our parts."""

from __future__ import annotations

import orjson

from proxy_core.chat import Document, Image, ResultPart, Text, Unknown
from proxy_core.dialects.data_urls import read_file_data, read_picture
from proxy_core.dialects.shape import as_object, as_text, at, optional_text, refuse, wrong
from proxy_core.jsontypes import JsonObject

_TEXT_KINDS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
_TEXT_KEYS = ("text", "content", "output", "result", "summary", "refusal", "error")
_RENDERED_DEPTH = 3


def read_content(content: object, path: str) -> tuple[ResultPart, ...]:
    """`content` of a message as parts: null and "" are none. What has no word of ours is Unknown, with its text."""
    if content is None or content == "":
        return ()
    if isinstance(content, str):
        return (Text(content),)
    if not isinstance(content, list):
        raise wrong(path, "a string or a list", content)
    return tuple([_read_part(as_object(part, at(path, i)), at(path, i)) for i, part in enumerate(content)])


def read_output(output: object, path: str) -> tuple[ResultPart, ...]:
    """`output` of a tool: like content, but objects of any other form are told as their JSON."""
    is_content = isinstance(output, list) and all(isinstance(part, dict) and "type" in part for part in output)
    if output is None or isinstance(output, str) or is_content:
        return read_content(output, path)
    return (Text(as_json(output, path)),)


def as_json(value: object, path: str) -> str:
    """The JSON text of a value. Raises BadRequestError for what no writer takes (nested some 250 levels deep)."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError as error:
        raise refuse(path, "nested too deeply") from error


def _read_part(raw: JsonObject, path: str) -> ResultPart:
    kind = as_text(raw.get("type"), at(path, "type"))
    match kind:
        case _ if kind in _TEXT_KINDS:
            return Text(as_text(raw.get("text"), at(path, "text")), raw)
        case "input_image":
            return _read_image(raw, path)
        case "input_file":
            return _read_file(raw, path)
        case "input_audio":
            raise refuse(path, "audio cannot be heard here")
        case _:
            return Unknown(kind, rendering(raw), raw)


def _read_image(raw: JsonObject, path: str) -> Image:
    where = at(path, "image_url")
    address = raw.get("image_url")
    if isinstance(address, dict):  # as chat completions have it
        address = address.get("url")
    if not address:
        _refuse_stored(raw, path)
    return read_picture(as_text(address, where), where, raw)


def _read_file(raw: JsonObject, path: str) -> Document:
    title = optional_text(raw, "filename", path) or ""
    data, url = optional_text(raw, "file_data", path), optional_text(raw, "file_url", path)
    if data:
        return read_file_data(data, title, raw)
    if not url:
        _refuse_stored(raw, path)
    return Document(title, url=as_text(url, at(path, "file_data")), raw=raw)


def _refuse_stored(raw: JsonObject, path: str) -> None:
    """Leaving out a file that the question is about would change the meaning."""
    if raw.get("file_id"):
        raise refuse(at(path, "file_id"), "a file that lies on OpenAI's servers cannot be read here")


def rendering(raw: JsonObject, depth: int = _RENDERED_DEPTH) -> str:
    """The text in something that we have no word for, "" where there is none."""
    found: list[str] = []
    for value in (raw.get(key) for key in _TEXT_KEYS):
        inner = value if isinstance(value, list) else [value]
        found += [item for item in inner if isinstance(item, str)]
        found += [rendering(item, depth - 1) for item in inner if isinstance(item, dict) and depth]
    return "\n".join(text for text in found if text.strip())
