"""The few errors that travel through the proxy; each knows its status, its kind and one remedy.

`server/` turns them into the envelope of the caller's dialect, `app/` into words for a person. The family
is flat: what a handler needs to tell apart is `kind`, not a class tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from proxy_core.jsontypes import JsonObject
from proxy_core.upstream_codes import ErrorClass, RetryAdvice, UpstreamCode


class ErrorKind(StrEnum):
    """What went wrong, in words that both dialects can be derived from."""

    BAD_REQUEST = "bad_request"
    AUTH = "auth"
    BILLING = "billing"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    RATE_LIMIT = "rate_limit"
    SERVER = "server"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"


STATUS_OF_KIND: dict[ErrorKind, int] = {
    ErrorKind.BAD_REQUEST: 400,
    ErrorKind.AUTH: 401,
    ErrorKind.BILLING: 402,
    ErrorKind.PERMISSION: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.RATE_LIMIT: 429,
    ErrorKind.SERVER: 500,
    ErrorKind.TIMEOUT: 504,
    ErrorKind.OVERLOADED: 529,
}

_KIND_OF_STATUS = {status: kind for kind, status in STATUS_OF_KIND.items()} | {
    403: ErrorKind.PERMISSION,
    408: ErrorKind.TIMEOUT,
    422: ErrorKind.BAD_REQUEST,
    # z.ai's own two: no permission for the API, file too large.
    434: ErrorKind.PERMISSION,
    435: ErrorKind.TOO_LARGE,
    502: ErrorKind.SERVER,
    503: ErrorKind.OVERLOADED,
}


_FINAL_KINDS = (ErrorKind.AUTH, ErrorKind.BILLING, ErrorKind.PERMISSION, ErrorKind.NOT_FOUND, ErrorKind.TOO_LARGE)
_CJK = "\u2e80"
_SENTENCE_ENDS = (".", "!", "?", "…", ":", "。", "！", "？", "：")


def kind_of_status(status: int) -> ErrorKind:
    """The kind that an HTTP status means; unknown 4xx are bad requests, everything else a server error."""
    fallback = ErrorKind.BAD_REQUEST if 400 <= status < 500 else ErrorKind.SERVER
    return _KIND_OF_STATUS.get(status, fallback)


@dataclass(frozen=True, slots=True)
class Overflow:
    """A prompt that does not fit: its size and the model's window, in tokens."""

    prompt_tokens: int
    window_tokens: int


class ProxyError(Exception):
    """Anything that ends an exchange and is told to the client.

    message: what happened, safe to show (never a key, a prompt or a body).
    hint: likely cause and the one remedy, appended to the message for people; may be empty.
    status: HTTP status for the client; defaults to the kind's own.
    code: machine word of the dialect or upstream ("model_not_found", "1302"), if any.
    retry_after_s: seconds the client should wait, if known.
    known: the row of the upstream's code, where there is one. overflow: set where the prompt was too long.
    """

    kind: ErrorKind = ErrorKind.SERVER
    known: UpstreamCode | None = None
    overflow: Overflow | None = None

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind | None = None,
        hint: str = "",
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind or type(self).kind
        self.hint = hint
        self.status = status or STATUS_OF_KIND[self.kind]
        self.code = code
        self.param = param
        self.retry_after_s = retry_after_s

    @property
    def should_retry(self) -> bool | None:
        """Whether the client should send the same again; None: it may judge by the status."""
        return False if self.kind in _FINAL_KINDS else None

    def __str__(self) -> str:
        if not self.message or not self.hint or self.message.endswith(_SENTENCE_ENDS):
            return f"{self.message} {self.hint}".strip()
        return f"{self.message}{'。' if self.message[-1] >= _CJK else '.'} {self.hint}"


class BadRequestError(ProxyError):
    """The body is malformed or asks for what cannot be carried; `param` names the field."""

    kind = ErrorKind.BAD_REQUEST


class AccessDeniedError(ProxyError):
    """The caller may not come in, or no credential for the upstream is at hand."""

    kind = ErrorKind.AUTH


class UnknownModelError(ProxyError):
    """The model name is neither ours nor mapped."""

    kind = ErrorKind.NOT_FOUND


class UpstreamError(ProxyError):
    """The upstream answered with an error, or could not be reached, or broke off.

    body: the upstream's parsed error body where there was one: the same dialect passes it on whole.
    retry: sending the same again is worth it, and how; None: it is not. demanded_wait_s: the wait that the upstream
    itself named, where `retry_after_s` may be ours. was_sent: it may have seen the request.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind = ErrorKind.SERVER,
        hint: str = "",
        status: int | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
        body: JsonObject | None = None,
        known: UpstreamCode | None = None,
        retry: RetryAdvice | None = None,
        demanded_wait_s: float | None = None,
        was_sent: bool = True,
        overflow: Overflow | None = None,
    ) -> None:
        super().__init__(message, kind=kind, hint=hint, status=status, code=code, retry_after_s=retry_after_s)
        self.body = body
        self.known = known
        self.retry = retry
        self.demanded_wait_s = demanded_wait_s
        self.was_sent = was_sent
        self.overflow = overflow

    @property
    def error_class(self) -> ErrorClass | None:
        """The class of its code, if that is known."""
        return self.known.rule.error_class if self.known else None

    @property
    def should_retry(self) -> bool | None:
        """By the table where the code is known."""
        if self.retry is not None:
            return True
        return False if self.known else super().should_retry
