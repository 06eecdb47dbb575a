"""`{"error":{"message","type","param","code"}}` (protocols C.4). Reading errors: `dialects/upstream_errors.py`."""

from __future__ import annotations

from proxy_core.errors import ErrorKind, ProxyError, UpstreamError
from proxy_core.jsontypes import JsonObject

# kind → (type, code); the codes are the words that clients look for.
_WORDS: dict[ErrorKind, tuple[str, str | None]] = {
    ErrorKind.BAD_REQUEST: ("invalid_request_error", None),
    ErrorKind.AUTH: ("invalid_request_error", "invalid_api_key"),
    ErrorKind.BILLING: ("insufficient_quota", "insufficient_quota"),
    ErrorKind.PERMISSION: ("permission_error", None),
    ErrorKind.NOT_FOUND: ("invalid_request_error", "model_not_found"),
    ErrorKind.CONFLICT: ("invalid_request_error", "conflict"),
    ErrorKind.TOO_LARGE: ("invalid_request_error", "request_too_large"),
    ErrorKind.RATE_LIMIT: ("rate_limit_exceeded", "rate_limit_exceeded"),
    ErrorKind.SERVER: ("server_error", None),
    ErrorKind.TIMEOUT: ("server_error", "timeout"),
    ErrorKind.OVERLOADED: ("server_error", "overloaded"),
}
# z.ai's business codes that say more than their kind does.
_CONTEXT_EXCEEDED = "context_length_exceeded"
_CONTEXT_PHRASE = "maximum context length"
_CODE_OF_BUSINESS_CODE = {
    "1261": _CONTEXT_EXCEEDED,
    "1301": "content_filter",
    **dict.fromkeys(("1304", "1308", "1310", "1313"), "insufficient_quota"),
    **dict.fromkeys((str(code) for code in range(1314, 1322)), "insufficient_quota"),
}


def write_error(error: ProxyError, request_id: str) -> JsonObject:
    """The envelope; the request id of this dialect travels in a header only.

    What an upstream of the same dialect said survives; only missing fields are filled in, and its bare numbers
    become the words that clients know.
    """
    error_type, code = _WORDS[error.kind]
    words: JsonObject = {"type": error_type, "param": error.param, "code": _word(error.code) or code or error.code}
    kept = {key: value for key, value in _said_upstream(error).items() if value is not None}
    if str(kept.get("code", "")).isdigit():
        del kept["code"]
    return {"error": {**words, **kept, "message": _message(error, words["code"])}}


def _word(code: str | None) -> str | None:
    """The word for a code: words stay, known numbers are translated, others have none."""
    return code if code is None or not code.isdigit() else _CODE_OF_BUSINESS_CODE.get(code)


def _message(error: ProxyError, code: object) -> str:
    """Our words; clients that compact by themselves recognise the overflow by OpenAI's own phrase."""
    message = str(error)
    if code == _CONTEXT_EXCEEDED and _CONTEXT_PHRASE not in message:
        return f"This model's {_CONTEXT_PHRASE} is exceeded. {message}"
    return message


def _said_upstream(error: ProxyError) -> JsonObject:
    """The error object of an upstream body of this dialect, else nothing; Anthropic's has a `type` beside it."""
    body = error.body if isinstance(error, UpstreamError) else None
    if body is None or body.get("type") == "error":
        return {}
    said = body.get("error")
    return said if isinstance(said, dict) else {}
