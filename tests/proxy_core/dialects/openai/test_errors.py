"""The error envelope."""

from __future__ import annotations

import pytest

from proxy_core.dialects.openai.errors import write_error
from proxy_core.dialects.upstream_errors import error_of_body
from proxy_core.errors import BadRequestError, ErrorKind, Overflow, ProxyError, UnknownModelError
from proxy_core.jsontypes import JsonObject
from proxy_core.upstream_codes import CODES

KINDS = [
    (ErrorKind.BAD_REQUEST, "invalid_request_error", None),
    (ErrorKind.AUTH, "invalid_request_error", "invalid_api_key"),
    (ErrorKind.BILLING, "insufficient_quota", "insufficient_quota"),
    (ErrorKind.PERMISSION, "permission_error", None),
    (ErrorKind.NOT_FOUND, "invalid_request_error", "model_not_found"),
    (ErrorKind.CONFLICT, "invalid_request_error", "conflict"),
    (ErrorKind.TOO_LARGE, "invalid_request_error", "request_too_large"),
    (ErrorKind.RATE_LIMIT, "rate_limit_exceeded", "rate_limit_exceeded"),
    (ErrorKind.SERVER, "server_error", None),
    (ErrorKind.TIMEOUT, "server_error", "timeout"),
    (ErrorKind.OVERLOADED, "server_error", "overloaded"),
]


@pytest.mark.parametrize(("kind", "error_type", "code"), KINDS)
def test_each_kind_has_its_words(kind: ErrorKind, error_type: str, code: str | None) -> None:
    written = write_error(ProxyError("Oh.", kind=kind, hint="Do this."), "req")
    assert written == {"error": {"message": "Oh. Do this.", "type": error_type, "param": None, "code": code}}


def test_no_kind_is_forgotten() -> None:
    assert {kind for kind, _, _ in KINDS} == set(ErrorKind)


@pytest.mark.parametrize(
    ("error", "param", "code"),
    [
        (BadRequestError("n", param="n"), "n", None),
        (BadRequestError("n", code="context_length_exceeded"), None, "context_length_exceeded"),
        (UnknownModelError("m", param="model"), "model", "model_not_found"),
    ],
)
def test_our_own_errors_keep_param_and_code(error: ProxyError, param: str | None, code: str | None) -> None:
    written = write_error(error, "")["error"]
    assert isinstance(written, dict)
    assert (written["param"], written["code"]) == (param, code)


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (429, {"code": "1302", "message": "Slow"}, ("Slow", "rate_limit_exceeded", "rate_limit_exceeded")),
        (429, {"code": "1308", "message": "Used up"}, ("Used up", "insufficient_quota", "insufficient_quota")),
        (400, {"code": "1301", "message": "Hm"}, ("Hm", "invalid_request_error", "content_filter")),
        (400, {"code": "1210", "message": "Bad"}, ("Bad", "invalid_request_error", "1210")),
        (400, {"code": "1211", "message": "Gone"}, ("Gone", "invalid_request_error", "model_not_found")),
        (
            429,
            {"code": "1113", "type": "own", "message": "Empty"},
            ("Empty", "insufficient_quota", "insufficient_quota"),
        ),
        (400, {"code": "own_word", "type": "own_type", "message": "Hm"}, ("Hm", "own_type", "own_word")),
    ],
)
def test_upstream_errors_are_filled_in(status: int, said: JsonObject, expected: tuple[str, str, str]) -> None:
    written = write_error(error_of_body({"error": {**said, "extra": 1}}, status), "")["error"]
    assert isinstance(written, dict)
    remedy = f". {CODES[said['code']].rule.remedy.en}" if said["code"] in CODES else ""
    assert (written["message"], written["type"], written["code"]) == (expected[0] + remedy, *expected[1:])
    assert (written["param"], written["extra"]) == (None, 1)


def test_overflow_is_said_in_the_phrase_that_clients_know() -> None:
    error = error_of_body({"error": {"code": "1261", "message": "Prompt exceeds max length"}}, 400)
    without, error.overflow = write_error(error, ""), Overflow(131_073, 131_072)
    told = [written["error"] for written in (without, write_error(error, ""))]
    assert [(one["code"], one["message"]) for one in told if isinstance(one, dict)] == [
        (
            "context_length_exceeded",
            f"This model's maximum context length is exceeded. Prompt exceeds max length. "
            f"{CODES['1261'].rule.remedy.en}",
        ),
        (
            "context_length_exceeded",
            "This model's maximum context length is 131072 tokens. However, your messages resulted in 131073 tokens. "
            "Please reduce the length of the messages.",
        ),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}},
        {"success": False, "code": 1305, "msg": "Busy"},
    ],
)
def test_other_envelopes_are_translated_not_copied(body: JsonObject) -> None:
    written = write_error(error_of_body(body, 529), "")["error"]
    assert isinstance(written, dict)
    assert str(written.pop("message")).startswith("Busy")
    assert written == {"type": "server_error", "param": None, "code": "overloaded"}
