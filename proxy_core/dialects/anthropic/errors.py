"""Anthropic's error envelope: `{"type":"error","error":{"type","message"},"request_id"}` (protocols B.6)."""

from __future__ import annotations

from proxy_core.errors import ErrorKind, ProxyError, UpstreamError
from proxy_core.jsontypes import JsonObject
from proxy_core.upstream_codes import ErrorClass

TYPE_OF_KIND: dict[ErrorKind, str] = {
    ErrorKind.BAD_REQUEST: "invalid_request_error",
    ErrorKind.AUTH: "authentication_error",
    ErrorKind.BILLING: "billing_error",
    ErrorKind.PERMISSION: "permission_error",
    ErrorKind.NOT_FOUND: "not_found_error",
    ErrorKind.CONFLICT: "conflict_error",
    ErrorKind.TOO_LARGE: "request_too_large",
    ErrorKind.RATE_LIMIT: "rate_limit_error",
    ErrorKind.SERVER: "api_error",
    ErrorKind.TIMEOUT: "timeout_error",
    ErrorKind.OVERLOADED: "overloaded_error",
}
# Claude Code compacts its history only when it reads these very words (protocols B.6).
_PROMPT_TOO_LONG = "prompt is too long: "


def status_of(error: ProxyError) -> int:
    """The HTTP status for callers of this dialect: by the table where the code is known, else the error's own."""
    return error.known.rule.status if error.known else error.status


def write_error(error: ProxyError, request_id: str) -> JsonObject:
    """The envelope. An upstream's error in this very form keeps its further fields, and its type unless the table
    knows better."""
    body = error.body if isinstance(error, UpstreamError) else None
    envelope: JsonObject = body if body is not None and body.get("type") == "error" else {}
    said = envelope.get("error")
    details: JsonObject = said if isinstance(said, dict) else {}
    given = details.get("type")
    error_type = given if isinstance(given, str) and given and not error.known else TYPE_OF_KIND[error.kind]
    details = {**details, "type": error_type, "message": _message(error)}
    return {**envelope, "type": "error", "error": details, "request_id": request_id or envelope.get("request_id") or ""}


def _message(error: ProxyError) -> str:
    if error.overflow:
        return f"{_PROMPT_TOO_LONG}{error.overflow.prompt_tokens} tokens > {error.overflow.window_tokens} maximum"
    if error.known and error.known.rule.error_class is ErrorClass.TOO_LONG:
        return f"{_PROMPT_TOO_LONG}{error.message}"
    return str(error)
