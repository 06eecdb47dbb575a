"""Errors: before an answer in the envelope that all of OpenAI's interfaces share, within one as `response.failed`."""

from __future__ import annotations

from proxy_core.dialects.openai.errors import status_of, write_error
from proxy_core.errors import ErrorKind, ProxyError
from proxy_core.jsontypes import JsonObject

__all__ = ["failure", "status_of", "write_error"]

_DEFAULT_CODE = "server_error"
# Codex gives up on these, waits for the time that a rate limit names, and sends the same again for all others.
_CODES = ("context_length_exceeded", "insufficient_quota", "rate_limit_exceeded")
_FINAL_CODE = "invalid_prompt"
_FINAL_KINDS = (ErrorKind.BAD_REQUEST, ErrorKind.TOO_LARGE)


def failure(error: ProxyError) -> JsonObject:
    """The `error` of a response that failed: a code that clients act on, and words."""
    envelope = write_error(error, "").get("error")
    said = envelope if isinstance(envelope, dict) else {}
    code = said.get("code")
    if code not in _CODES:
        code = _FINAL_CODE if error.kind in _FINAL_KINDS else _DEFAULT_CODE
    message = str(said.get("message") or error)
    if code == "rate_limit_exceeded" and error.retry_after_s is not None:
        message = f"{message} Please try again in {error.retry_after_s:g}s."
    return {"code": code, "message": message}
