"""Tool arguments between the dialects: one side carries JSON text, the other a JSON object.

Models break off in the middle of them (token limits) and upstreams wrap them oddly, so turning text into an
object never fails here: what cannot be repaired travels as {"_raw": text}.
"""

from __future__ import annotations

import hashlib
import re

import orjson

from proxy_core.errors import UpstreamError
from proxy_core.jsontypes import JsonObject

_TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*["\\]?|[{}\[\],:]|[^ \t\r\n{}\[\],:"]+', re.DOTALL)
_STRING_UNIT = re.compile(r'[^"\\]+|\\u[0-9a-fA-F]{4}|\\[^u]', re.DOTALL)
_NO_CHARACTER = r"\ufffd"
_HIGH_SURROGATE = re.compile(r"\\u[dD][89abAB]")
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
_BLANKS = " \t\r\n"  # JSON's own, fewer than Python's
_LITERALS = ("true", "false", "null")
_CLOSER = {"{": "}", "[": "]"}
# (closing bracket, what stands last before it) → what JSON still wants there.
_WANTED = {("}", ","): '"":null', ("}", "key"): ":null", ("}", ":"): "null", ("]", ","): "null"}
_DANGLING_COMMA = '"":null'


def arguments_object(text: str) -> JsonObject:
    """The object that a call's JSON text means.

    Blank or null → {}; other JSON → {"value": …}; an object encoded twice is unwrapped; text cut off by a token
    limit is closed; anything else → {"_raw": text}.
    """
    if not text.strip(_BLANKS):
        return {}
    try:
        return _as_arguments(_parsed(text))
    except orjson.JSONDecodeError:
        repaired = _repaired(text)
    return {"_raw": text} if repaired is None else _as_arguments(_parsed(repaired))


def whole_arguments(text: str) -> str | None:
    """The JSON text of a call that is over: closed where it was cut, taken out of a string where it was encoded twice.

    "{}" for blanks and null; None for what no honest completion makes JSON. What is JSON but no object stays.
    """
    repaired = "{}" if not text.strip(_BLANKS) else text if _is_json(text) else _repaired(text)
    if repaired is None:
        return None
    value = _parsed(repaired)
    if isinstance(value, str) and value.lstrip(_BLANKS).startswith("{"):
        inner = whole_arguments(value)
        return repaired if inner is None else inner
    return "{}" if value is None else repaired


def arguments_text(value: object) -> str:
    """The JSON text of a call's arguments, compact; text stays as it is; nothing at all → "{}".

    What no writer takes (nested some 250 levels deep) → {"_raw": …}, too.
    """
    if isinstance(value, str):
        return value if value.strip(_BLANKS) else "{}"
    try:
        return "{}" if value is None else orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return '{"_raw":"(nested too deeply)"}'


def told_arguments(text: str, *, is_cut: bool) -> str:
    """The arguments of a call in a whole answer: `whole_arguments`, or as they are where a limit has cut the answer.

    Raises UpstreamError for what is no JSON: nobody shall carry it out.
    """
    whole = arguments_text(text) if is_cut else whole_arguments(text)
    if whole is None:
        raise bad_arguments()
    return whole


def bad_arguments() -> UpstreamError:
    """The model's call cannot be understood."""
    return UpstreamError("The upstream sent tool arguments that are not JSON.", status=502)


def completion_suffix(text: str) -> str | None:
    """What must follow `text`, already sent, so that the whole is valid JSON.

    "" if it is valid as it stands, "{}" if it is blank, None if nothing that follows can help.
    """
    if not text.strip(_BLANKS):
        return "{}"
    if _is_json(text):
        return ""
    suffix = _open_end(text)
    return suffix if suffix is not None and _is_json(text + suffix) else None


def safe_id(text: str) -> str:
    """An id that both dialects accept: [a-zA-Z0-9_-], never empty, the same for the same text.

    What had to be changed gets a digest appended, so that two odd ids never become one.
    """
    safe = re.sub(r"[^a-zA-Z0-9_-]", "_", text)
    return text if safe == text and text else f"{safe or 'call'}_{_digest(text, 8)}"


def made_id(*parts: object) -> str:
    """A tool call id for an upstream that gave none, made from whatever identifies the call."""
    return "call_" + _digest("\0".join(map(str, parts)), 24)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def _as_arguments(value: object) -> JsonObject:
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and (not value.strip(_BLANKS) or value.lstrip(_BLANKS).startswith("{")):
        inner = arguments_object(value)
        return {"value": value} if "_raw" in inner else inner
    return {} if value is None else {"value": value}


def _parsed(text: str) -> object:
    """The value; halves of surrogate pairs, which are JSON but no Unicode, become U+FFFD."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        mended = _ESCAPE.sub(lambda found: _NO_CHARACTER if found["lone"] else found[0], text)
        if mended == text:
            raise
    return orjson.loads(mended)


def _is_json(text: str) -> bool:
    try:
        _parsed(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _repaired(text: str) -> str | None:
    suffix = completion_suffix(text)
    if suffix is None or not suffix.startswith(_DANGLING_COMMA):
        return None if suffix is None else text + suffix
    # Nothing was sent yet, so the comma can go instead of gaining an empty key.
    return text.rstrip(_BLANKS).removesuffix(",") + suffix.removeprefix(_DANGLING_COMMA)


def _open_end(text: str) -> str | None:
    """The closing of whatever is open at the end, supposing that `text` is the beginning of valid JSON."""
    frames: list[list[str]] = []  # per open bracket: its closing one, and what stands last inside
    token = ""
    end = 0
    for match in _TOKEN.finditer(text):
        token, end = match.group(), match.end()
        if token in ("}", "]"):
            if not frames:
                return None
            frames.pop()
            continue
        if frames:
            frames[-1][1] = _last_kind(token, frames[-1])
        if token in _CLOSER:
            frames.append([_CLOSER[token], token])
    wanted = _rest_of(token) if end == len(text) else ""
    return wanted + "".join(_WANTED.get((closer, last), "") + closer for closer, last in reversed(frames))


def _last_kind(token: str, frame: list[str]) -> str:
    closer, last = frame
    if token in (",", ":"):
        return token
    return "key" if closer == "}" and last in ("{", ",") else "value"


def _rest_of(token: str) -> str:
    """What completes the last token: a string, a literal or a number that was cut."""
    if token.startswith('"'):
        return _rest_of_string(token)
    for literal in _LITERALS:
        if literal.startswith(token):
            return literal[len(token) :]
    is_number_open = token[0] in "-0123456789" and token[-1] in "-+.eE"
    return "0" if is_number_open else ""


def _rest_of_string(token: str) -> str:
    end, unit = 1, ""
    while match := _STRING_UNIT.match(token, end):
        end, unit = match.end(), match.group()
    tail = token[end:]  # "" or an escape that was cut: \ \u \u0 …
    if tail == '"':
        return ""
    if _is_high_surrogate(unit):
        return _low_surrogate_after(tail) + '"'
    rest = "\\u0020"[len(tail) :] if tail else ""
    if len(tail) > 3 and _is_high_surrogate(tail + rest):
        rest += "\\udc00"
    return rest + '"'


def _low_surrogate_after(tail: str) -> str:
    return "\\udc00"[len(tail) :] if len(tail) < 4 else "0" * (6 - len(tail))


def _is_high_surrogate(unit: str) -> bool:
    return _HIGH_SURROGATE.match(unit) is not None
