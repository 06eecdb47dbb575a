"""`{"error":{"message","type","param","code"}}` (protocols C.4). Reading errors: `dialects/upstream_errors.py`."""

from __future__ import annotations

from proxy_core.errors import ErrorKind, ProxyError, UpstreamError
from proxy_core.jsontypes import JsonObject
from proxy_core.upstream_codes import ErrorClass

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
_CONTEXT_PHRASE = "This model's maximum context length is"


def status_of(error: ProxyError) -> int:
    """The HTTP status for callers of this dialect: by the table where the code is known, else the error's own."""
    return error.known.rule.openai.status if error.known else error.status


def write_error(error: ProxyError, request_id: str) -> JsonObject:
    """The envelope; the request id of this dialect travels in a header only.

    What an upstream of the same dialect said survives but for what the table knows better; missing fields are filled
    in, and bare numbers become the words that clients know, where there is one.
    """
    error_type, code = _type_and_code(error)
    ours: JsonObject = {"type": error_type, "param": error.param, "code": code}
    kept = {key: value for key, value in _said_upstream(error).items() if value is not None}
    if error.known or str(kept.get("code", "")).isdigit():
        kept.pop("code", None)
    if error.known:
        kept.pop("type", None)
    return {"error": {**ours, **kept, "message": _message(error)}}


def _type_and_code(error: ProxyError) -> tuple[str, str | None]:
    if error.known:
        return error.known.rule.openai.type, error.known.rule.openai.code or error.code
    error_type, code = _WORDS[error.kind]
    word = error.code if error.code and not error.code.isdigit() else None
    return error_type, word or code or error.code


def _message(error: ProxyError) -> str:
    """Our words; clients that compact by themselves recognise the overflow by OpenAI's own sentence."""
    if error.overflow:
        return (
            f"{_CONTEXT_PHRASE} {error.overflow.window_tokens} tokens. However, your messages resulted in "
            f"{error.overflow.prompt_tokens} tokens. Please reduce the length of the messages."
        )
    if error.known and error.known.rule.error_class is ErrorClass.TOO_LONG:
        return f"{_CONTEXT_PHRASE} exceeded. {error}"
    return str(error)


def _said_upstream(error: ProxyError) -> JsonObject:
    """The error object of an upstream body of this dialect, else nothing; Anthropic's has a `type` beside it."""
    body = error.body if isinstance(error, UpstreamError) else None
    if body is None or body.get("type") == "error":
        return {}
    said = body.get("error")
    return said if isinstance(said, dict) else {}
