"""Anthropic's error envelope."""

from __future__ import annotations

import pytest

from proxy_core.dialects.anthropic.errors import TYPE_OF_KIND, write_error
from proxy_core.dialects.upstream_errors import error_of_body
from proxy_core.errors import BadRequestError, ErrorKind, Overflow, ProxyError, UpstreamError
from proxy_core.upstream_codes import CODES

TOLD_SLOW = f"slow. {CODES['1302'].rule.remedy.en}"


def test_our_own_error_says_what_and_the_remedy():
    error = ProxyError("No key.", kind=ErrorKind.AUTH, hint="Add one.")
    assert write_error(error, "req_1") == {
        "type": "error",
        "error": {"type": "authentication_error", "message": "No key. Add one."},
        "request_id": "req_1",
    }


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_has_a_type(kind):
    assert write_error(ProxyError("x", kind=kind), "")["error"] == {"type": TYPE_OF_KIND[kind], "message": "x"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(
            {"type": "error", "error": {"type": "rate_limit_error", "code": "1302", "message": "[1302][slow][t]"}},
            {"type": "rate_limit_error", "code": "1302", "message": TOLD_SLOW},
            id="a known code: in our words and without its trace",
        ),
        pytest.param(
            {"type": "error", "error": {"type": "own_error", "code": "x", "message": "slow"}, "extra": 1},
            {"type": "own_error", "code": "x", "message": "slow"},
            id="kept whole",
        ),
        pytest.param(
            {"type": "error", "error": {"message": "slow", "details": {"a": 1}}},
            {"type": "api_error", "message": "slow", "details": {"a": 1}},
            id="type filled in",
        ),
        pytest.param(
            {"type": "error", "error": {"type": 7, "message": ""}},
            {"type": "api_error", "message": "The upstream answered with status 500."},
            id="odd fields replaced",
        ),
        pytest.param({"type": "error"}, {"type": "api_error", "message": "The upstream answered with status 500."}),
        pytest.param(
            {"error": {"code": "1302", "message": "slow"}},
            {"type": "rate_limit_error", "message": TOLD_SLOW},
            id="another dialect's is rewritten",
        ),
    ],
)
def test_an_upstreams_error(body, error):
    written = write_error(error_of_body(body, 500), "req_1")
    assert {**written, "extra": 1} == {"type": "error", "error": error, "request_id": "req_1", "extra": 1}


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("Prompt exceeds max length", "prompt is too long: Prompt exceeds max length"),
        ("prompt is too long: 9 tokens > 8 maximum", "prompt is too long: 9 tokens > 8 maximum"),
    ],
)
def test_a_full_window_is_said_in_the_words_that_make_clients_compact(message, written):
    body = {"type": "error", "error": {"type": "invalid_request_error", "code": "1261", "message": message}}
    error = error_of_body(body, 400)
    assert write_error(error, "")["error"]["message"] == written
    error.overflow = Overflow(7, 6)
    assert write_error(error, "")["error"]["message"] == "prompt is too long: 7 tokens > 6 maximum"


def test_the_body_of_the_error_is_left_as_it_was():
    body = {"type": "error", "error": {}, "request_id": "theirs"}
    error = UpstreamError("x", body=body)
    assert write_error(error, "")["request_id"] == "theirs"
    assert body == {"type": "error", "error": {}, "request_id": "theirs"}


def test_a_refusal_of_ours_is_an_invalid_request():
    assert write_error(BadRequestError("n: no"), "")["error"]["type"] == "invalid_request_error"
