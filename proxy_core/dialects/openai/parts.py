"""Content parts of chat messages: `{"type":"text"|"image_url"|"file"|…}` ↔ our parts."""

from __future__ import annotations

from proxy_core.chat import Document, Image, Part, ResultPart, Text, Unknown
from proxy_core.dialects.data_urls import read_file_data, read_picture
from proxy_core.dialects.shape import as_list, as_object, as_text, at, optional_text, refuse, wrong
from proxy_core.jsontypes import JsonObject


def read_content(content: object, path: str) -> tuple[ResultPart, ...]:
    """`content` as parts: null and "" are none, a string is one Text without raw."""
    if content is None or content == "":
        return ()
    if isinstance(content, str):
        return (Text(content),)
    if not isinstance(content, list):
        raise wrong(path, "a string or a list", content)
    return tuple(_read_part(as_object(part, at(path, i)), at(path, i)) for i, part in enumerate(content))


def _read_part(raw: JsonObject, path: str) -> ResultPart:
    kind = as_text(raw.get("type"), at(path, "type"))
    match kind:
        case "text":
            return Text(as_text(raw.get("text"), at(path, "text")), raw)
        case "image_url":
            return _read_image(raw, at(path, "image_url"))
        case "file":
            return _read_file(raw, path)
        case "input_audio":
            raise refuse(path, "audio cannot be heard here")
        case "refusal":
            return Unknown(kind, as_text(raw.get("refusal"), at(path, "refusal")), raw)
        case _:
            text = raw.get("text")
            return Unknown(kind, text if isinstance(text, str) else "", raw)


def _read_image(raw: JsonObject, path: str) -> Image:
    holder = raw.get("image_url")
    if isinstance(holder, str):  # not documented, but sent by some clients
        return read_picture(holder, path, raw)
    return read_picture(as_text(as_object(holder, path).get("url"), at(path, "url")), at(path, "url"), raw)


def _read_file(raw: JsonObject, path: str) -> Document:
    """A file that brings its data; leaving out any other would change the meaning."""
    where = at(path, "file")
    file = as_object(raw.get("file"), where)
    data = optional_text(file, "file_data", where)
    if not data and file.get("file_id"):
        raise refuse(at(where, "file_id"), "a file that lies on OpenAI's servers cannot be read here")
    return read_file_data(as_text(data, at(where, "file_data")), optional_text(file, "filename", where) or "", raw)


def write_content(parts: tuple[Part, ...]) -> str | list[JsonObject]:
    """Parts as `content`, raw where it is left: a lone plain text as a string, anything else as a list."""
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].raw is None:
        return parts[0].text
    return [rendered for part in parts if (rendered := write_part(part)) is not None]


def write_part(part: Part) -> JsonObject | None:
    """One part of `content`; None for those that stand elsewhere in a message (thinking, calls, results)."""
    match part:
        case Text() | Image() | Document() | Unknown() if part.raw is not None:
            return part.raw
        case Text(text):
            return text_part(text)
        case Image():
            return image_part(part)
        case Document():
            return text_part(document_text(part))
        case Unknown():
            return text_part(part.text) if part.text else None
        case _:
            return None


def text_part(text: str) -> JsonObject:
    """`{"type":"text",…}`."""
    return {"type": "text", "text": text}


def image_part(image: Image) -> JsonObject:
    """`{"type":"image_url",…}` without `detail`, which z.ai's schema does not have."""
    return {"type": "image_url", "image_url": {"url": image.url or f"data:{image.media_type};base64,{image.data}"}}


def document_text(document: Document) -> str:
    """A text document with its title above it."""
    return f"# {document.title}\n\n{document.text}" if document.title else document.text


def with_file_texts(content: object) -> object:
    """`content` with files of text told as text, as z.ai takes no files; the same object where there is none."""
    if not isinstance(content, list) or not any(map(_is_file, content)):
        return content
    return [_told_file(as_object(part, "content")) if _is_file(part) else part for part in content]


def _is_file(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "file"


def _told_file(raw: JsonObject) -> JsonObject:
    document = _read_file(raw, "content")
    return text_part(document_text(document)) if document.text else raw


def joined_texts(content: object) -> object:
    """`content` as one string where it is a list of nothing but text; else with pictures cleaned."""
    if isinstance(content, list) and content and all(map(_is_text, content)):
        return "\n".join(as_text(as_object(part, "content")["text"], "text") for part in content)
    return without_detail(content)


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "text"


def without_detail(content: object) -> object:
    """`content` whose picture parts lost `detail`; the same object where there is none."""
    if not isinstance(content, list) or not any(map(_has_detail, content)):
        return content
    return [_strip_detail(part) if _has_detail(part) else part for part in as_list(content, "content")]


def _has_detail(part: object) -> bool:
    holder = part.get("image_url") if isinstance(part, dict) else None
    return isinstance(holder, dict) and "detail" in holder


def _strip_detail(part: object) -> JsonObject:
    raw = as_object(part, "content")
    holder = as_object(raw["image_url"], "image_url")
    return {**raw, "image_url": {key: value for key, value in holder.items() if key != "detail"}}
