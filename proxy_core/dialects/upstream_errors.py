"""What upstreams say when they refuse, in every envelope seen so far, read into one UpstreamError.

z.ai puts its business code into `error.code`, into `code` beside `success:false` (with HTTP 200), or only into the
message as `[1310][text][trace id]` (protocols A.5, A.6). What a code means stands in `upstream_codes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from proxy_core.dialects.waits import header_wait_s, midnight_wait_s, reset_wait_s
from proxy_core.errors import STATUS_OF_KIND, ErrorKind, Overflow, UpstreamError, kind_of_status
from proxy_core.jsontypes import JsonObject
from proxy_core.upstream_codes import (
    RETRY_OF_STATUS,
    ErrorClass,
    RetryAdvice,
    UpstreamCode,
    find_code,
    find_phrase,
)

_MAX_READ_CHARS = 4000
_MAX_MESSAGE_CHARS = 1000
_MAX_TEXT_CHARS = 300
_FIRST_ERROR = 400
_BRACKETED = re.compile(r"^(.*?)\[\d{3,4}\]\[(.*?)\](?:\[[^\[\]]*\])?\s*$", re.DOTALL)
_CODE = re.compile(r"\[(\d{3,4})\]\[|[\"']code[\"']\s*:\s*[\"']?(\d{3,4})\b")
_HAN = re.compile("[\u4e00-\u9fff]")
# Anthropic's and OpenAI's own sentences about a prompt that does not fit.
_PROMPT_THEN_WINDOW = re.compile(r"(\d+) tokens > (\d+)")
_WINDOW_THEN_PROMPT = re.compile(r"maximum context length is (\d+) tokens.*?(\d+) tokens", re.DOTALL)
_NETWORK_ERROR = "network_error"
_LOST = "The upstream lost its own connection while the model was answering."
_PASSING_KINDS = (ErrorKind.RATE_LIMIT, ErrorKind.SERVER, ErrorKind.OVERLOADED)

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


@dataclass(frozen=True, slots=True)
class _Said:
    """An error taken out of its envelope, trace id and all else left behind. message: may be empty. body: the
    envelope, if it was JSON."""

    message: str
    code: str | None
    error_type: object = None
    body: JsonObject | None = None


def read_error(status: int, body: bytes, headers: Mapping[str, str], now: float) -> UpstreamError:
    """The error behind a failed answer. Never raises; never repeats more than a little of an unknown body.

    The status stays the upstream's own; what the caller is told, each dialect decides by the table. now: unix
    seconds, against which a Retry-After date or a reset time in the message is measured.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    said = _said_in_body(parsed) if isinstance(parsed, dict) else _said_in_text(status, body)
    error = _error(said, status)
    error.demanded_wait_s = header_wait_s(headers, now)
    if error.demanded_wait_s is None:
        error.demanded_wait_s = _named_wait_s(error, now)
    if error.demanded_wait_s is not None:
        error.retry_after_s = error.demanded_wait_s
    return error


def is_error_body(body: JsonObject) -> bool:
    """Whether a parsed body is an error whatever its status: some come with HTTP 200, or inside a stream."""
    return body.get("type") == "error" or body.get("success") is False or bool(body.get("error"))


def error_of_body(body: JsonObject, status: int = 200) -> UpstreamError:
    """The error that a parsed body describes.

    With a status below 400 (an error inside a stream, or the HTTP 200 ones) the status follows from the kind.
    """
    return _error(_said_in_body(body), status)


def broken_off(finish: object) -> UpstreamError | None:
    """The failure that a finish reason stands for: z.ai ends what its network broke as if it were complete."""
    return _error(_Said(_LOST, _NETWORK_ERROR), 502) if finish == _NETWORK_ERROR else None


def _error(said: _Said, status: int) -> UpstreamError:
    known = find_code(said.code) or find_phrase(said.message)
    kind = _kind(known, said.error_type, status)
    unsaid = known.meaning.en if known else f"The upstream answered with status {status}"
    return UpstreamError(
        (said.message or f"{unsaid}.")[:_MAX_MESSAGE_CHARS],
        kind=kind,
        hint=_remedy(known, said.message),
        status=status if status >= _FIRST_ERROR else STATUS_OF_KIND[kind],
        code=said.code,
        retry_after_s=known.rule.client_wait_s if known else None,
        body=said.body,
        known=known,
        retry=_retry(known, kind, status),
        overflow=_overflow(known, said.message),
    )


def _kind(known: UpstreamCode | None, error_type: object, status: int) -> ErrorKind:
    if known is not None:
        return kind_of_status(known.rule.status)
    if isinstance(error_type, str) and error_type in _KIND_OF_TYPE:
        return _KIND_OF_TYPE[error_type]
    return kind_of_status(status)


def _remedy(known: UpstreamCode | None, message: str) -> str:
    """In the language that the upstream chose."""
    if known is None:
        return ""
    return known.rule.remedy.zh if _HAN.search(message) else known.rule.remedy.en


def _retry(known: UpstreamCode | None, kind: ErrorKind, status: int) -> RetryAdvice | None:
    if known is not None:
        return known.rule.retry
    return RETRY_OF_STATUS.get(status) if kind in _PASSING_KINDS else None


def _overflow(known: UpstreamCode | None, message: str) -> Overflow | None:
    """The figures, where the upstream's own message holds them."""
    if known is None or known.rule.error_class is not ErrorClass.TOO_LONG:
        return None
    if found := _PROMPT_THEN_WINDOW.search(message):
        return Overflow(int(found[1]), int(found[2]))
    if found := _WINDOW_THEN_PROMPT.search(message):
        return Overflow(int(found[2]), int(found[1]))
    return None


def _named_wait_s(error: UpstreamError, now: float) -> float | None:
    """Until the reset that the message names; a daily limit resets at midnight even if nobody says so."""
    if error.known is None or not error.known.rule.names_reset:
        return None
    wait_s = reset_wait_s(error.message, now)
    if wait_s is None and error.error_class is ErrorClass.DAILY:
        return midnight_wait_s(now)
    return wait_s


def _said_in_body(body: JsonObject) -> _Said:
    details = body.get("error")
    if not isinstance(details, dict):
        details = body if details is None else {"message": details}
    said = _message(details)[:_MAX_READ_CHARS]
    return _Said(_unwrapped(said), _code(details, said), details.get("type"), body)


def _unwrapped(message: str) -> str:
    """The text out of `[code][text][trace id]`, with whatever a gateway wrote before it."""
    found = _BRACKETED.match(message)
    return f"{found[1].lstrip()}{found[2].strip()}" if found else message


def _message(details: Mapping[str, object]) -> str:
    for key in ("message", "msg", "detail"):
        value = details.get(key)
        if isinstance(value, str) and value.strip():
            return value
    complaints = details.get("detail")
    return "; ".join(_complaints(complaints if isinstance(complaints, list) else [complaints]))


def _complaints(values: Iterable[object]) -> Iterator[str]:
    """What FastAPI and its like have against each field: `{"loc":["body","messages",0],"msg":"field required"}`."""
    for value in values:
        complaint = value if isinstance(value, dict) else {}
        message = complaint.get("msg") or complaint.get("message") or value
        if isinstance(message, str) and message.strip():
            place = complaint.get("loc")
            path = (
                ".".join(str(step) for step in place if isinstance(step, (str, int))) if isinstance(place, list) else ""
            )
            yield f"{path}: {message}" if path else message


def _code(details: Mapping[str, object], message: str) -> str | None:
    """The most telling code: a known one from the field or out of the message, else whatever the field says."""
    value = details.get("code")
    code = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return code if find_code(code) else _code_in(message) or code or None


def _code_in(text: str) -> str | None:
    found = _CODE.search(text)
    return (found[1] or found[2]) if found else None


def _said_in_text(status: int, body: bytes) -> _Said:
    text = body[: 4 * _MAX_TEXT_CHARS].decode("utf-8", "replace").strip()
    if not text:
        message = f"The upstream answered with status {status} and nothing else."
    elif text.startswith("<"):
        message = f"The upstream answered with an HTML page (status {status})."
    else:
        message = f"The upstream answered with status {status}: {_unwrapped(text[:_MAX_TEXT_CHARS])}"
    return _Said(message, _code_in(text))
