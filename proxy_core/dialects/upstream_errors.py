"""What upstreams say when they refuse, in every envelope seen so far, read into one UpstreamError.

z.ai puts its business code into `error.code`, into `code` beside `success:false` (with HTTP 200), or only into the
message as `[1310][text][trace id]` (protocols A.5, A.6).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import orjson

from proxy_core.errors import STATUS_OF_KIND, ErrorKind, UpstreamError, kind_of_status
from proxy_core.jsontypes import JsonObject

_MAX_MESSAGE_CHARS = 1000
_MAX_TEXT_CHARS = 300
_BRACKETED = re.compile(r"^\s*\[(\d{3,4})\]\[(.*?)\](?:\[[^\[\]]*\])?\s*$", re.DOTALL)
_CODE = re.compile(r"\[(\d{3,4})\]\[|[\"']code[\"']\s*:\s*[\"']?(\d{3,4})\b")

_KIND_OF_CODE: dict[str, ErrorKind] = {
    "500": ErrorKind.SERVER,
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004", "1005"), ErrorKind.AUTH),
    **dict.fromkeys(("1100", "1110", "1111", "1112", "1120", "1121", "1220", "1311"), ErrorKind.PERMISSION),
    **dict.fromkeys(("1113", "1309"), ErrorKind.BILLING),
    **dict.fromkeys(("1200", "1230", "1234"), ErrorKind.SERVER),
    **dict.fromkeys(("1210", "1212", "1213", "1214", "1215", "1261", "1300", "1301"), ErrorKind.BAD_REQUEST),
    **dict.fromkeys(("1211", "1221", "1222"), ErrorKind.NOT_FOUND),
    "1231": ErrorKind.CONFLICT,
    **dict.fromkeys(("1302", "1303", "1304", "1308", "1310", "1313"), ErrorKind.RATE_LIMIT),
    **dict.fromkeys((str(code) for code in range(1314, 1322)), ErrorKind.RATE_LIMIT),
    **dict.fromkeys(("1305", "1312"), ErrorKind.OVERLOADED),
}

_KIND_OF_TYPE: dict[str, ErrorKind] = {
    "invalid_request_error": ErrorKind.BAD_REQUEST,
    "authentication_error": ErrorKind.AUTH,
    "billing_error": ErrorKind.BILLING,
    "permission_error": ErrorKind.PERMISSION,
    "not_found_error": ErrorKind.NOT_FOUND,
    "conflict_error": ErrorKind.CONFLICT,
    "request_too_large": ErrorKind.TOO_LARGE,
    "rate_limit_error": ErrorKind.RATE_LIMIT,
    "rate_limit_exceeded": ErrorKind.RATE_LIMIT,
    "insufficient_quota": ErrorKind.BILLING,
    "api_error": ErrorKind.SERVER,
    "server_error": ErrorKind.SERVER,
    "timeout_error": ErrorKind.TIMEOUT,
    "overloaded_error": ErrorKind.OVERLOADED,
}


def read_error(status: int, body: bytes, headers: Mapping[str, str]) -> UpstreamError:
    """The error behind a failed answer. Never raises; never repeats more than a little of an unknown body.

    The status stays the upstream's own; `retry_after_s` comes from a Retry-After header in seconds.
    """
    wait_s = _retry_after_s(headers)
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _text_error(status, body, wait_s)
    if isinstance(parsed, dict):
        return error_of_body(parsed, status, wait_s)
    return _text_error(status, body, wait_s)


def is_error_body(body: JsonObject) -> bool:
    """Whether a parsed body is an error whatever its status: some come with HTTP 200, or inside a stream."""
    return body.get("type") == "error" or body.get("success") is False or bool(body.get("error"))


def error_of_body(body: JsonObject, status: int = 200, retry_after_s: float | None = None) -> UpstreamError:
    """The error that a parsed body describes.

    With a status below 400 (an error inside a stream, or the HTTP 200 ones) the status follows from the kind.
    """
    details = body.get("error")
    if not isinstance(details, dict):
        details = body if details is None else {"message": details}
    said = _message(details)
    code = _code(details, said)
    kind = _kind(code, details.get("type"), status)
    cleaned = _BRACKETED.match(said)
    message = (cleaned[2].strip() if cleaned else said) or f"The upstream answered with status {status}."
    return UpstreamError(
        message[:_MAX_MESSAGE_CHARS],
        kind=kind,
        status=status if status >= 400 else STATUS_OF_KIND[kind],
        code=code,
        retry_after_s=retry_after_s,
        body=body,
    )


def _message(details: Mapping[str, object]) -> str:
    for key in ("message", "msg", "detail"):
        value = details.get(key)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def _code(details: Mapping[str, object], message: str) -> str | None:
    """The most telling code: a business code from the field or out of the message, else whatever the field says."""
    value = details.get("code")
    code = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if code in _KIND_OF_CODE:
        return code
    found = _CODE.search(message)
    return (found[1] or found[2]) if found else code or None


def _kind(code: str | None, error_type: object, status: int) -> ErrorKind:
    if code in _KIND_OF_CODE:
        return _KIND_OF_CODE[code]
    if isinstance(error_type, str) and error_type in _KIND_OF_TYPE:
        return _KIND_OF_TYPE[error_type]
    return kind_of_status(status)


def _text_error(status: int, body: bytes, retry_after_s: float | None) -> UpstreamError:
    text = body[: 4 * _MAX_TEXT_CHARS].decode("utf-8", "replace").strip()
    if not text:
        message = f"The upstream answered with status {status} and nothing else."
    elif text.startswith("<"):
        message = f"The upstream answered with an HTML page (status {status})."
    else:
        message = f"The upstream answered with status {status}: {text[:_MAX_TEXT_CHARS]}"
    found = _CODE.search(text)
    code = (found[1] or found[2]) if found else None
    kind = _kind(code, None, status)
    final = status if status >= 400 else STATUS_OF_KIND[kind]
    return UpstreamError(message, kind=kind, status=final, code=code, retry_after_s=retry_after_s)


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    value = next((text for name, text in headers.items() if name.lower() == "retry-after"), "")
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
