"""Anthropic's error envelope: `{"type":"error","error":{"type","message"},"request_id"}` (protocols B.6)."""

from __future__ import annotations

from proxy_core.errors import ErrorKind, ProxyError, UpstreamError
from proxy_core.jsontypes import JsonObject

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
_PROMPT_TOO_LONG_CODE = "1261"
# Claude Code compacts its history only when it reads these very words (protocols B.6).
_PROMPT_TOO_LONG = "prompt is too long: "


def write_error(error: ProxyError, request_id: str) -> JsonObject:
    """The envelope. An upstream's error in this very form keeps its fields; only what is missing is filled in."""
    body = error.body if isinstance(error, UpstreamError) else None
    envelope: JsonObject = body if body is not None and body.get("type") == "error" else {}
    details = _filled(envelope.get("error"), {"type": TYPE_OF_KIND[error.kind], "message": str(error)})
    if error.code == _PROMPT_TOO_LONG_CODE and _PROMPT_TOO_LONG not in str(details["message"]):
        details["message"] = f"{_PROMPT_TOO_LONG}{error.message}"
    return {**envelope, "type": "error", "error": details, "request_id": request_id or envelope.get("request_id") or ""}


def _filled(given: object, ours: JsonObject) -> JsonObject:
    if not isinstance(given, dict):
        return ours
    kept = {name: given[name] for name in ours if isinstance(given.get(name), str) and given[name]}
    return {**given, **ours, **kept}
