"""Upstream errors: every envelope seen in the wild becomes one error with the right words."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.dialects.upstream_errors import error_of_body, is_error_body, read_error
from proxy_core.errors import ErrorKind, UpstreamError

LIMIT = "Weekly/Monthly Limit Exhausted. Your limit will reset at 2026-07-14 07:49:08"

NOW = 0.0


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "message"),
    [
        pytest.param(
            429,
            {"type": "error", "error": {"type": "rate_limit_error", "message": f"[1310][{LIMIT}][20260713abc]"}},
            ErrorKind.RATE_LIMIT,
            "1310",
            LIMIT,
            id="code in the message",
        ),
        pytest.param(
            429,
            {"error": {"code": "1113", "message": "Insufficient balance"}},
            ErrorKind.BILLING,
            "1113",
            "Insufficient balance",
            id="openai style",
        ),
        pytest.param(
            422,
            {
                "detail": [
                    {"loc": ["body", "messages", 0], "msg": "field required", "type": "x"},
                    {"msg": "and more"},
                    7,
                ]
            },
            ErrorKind.BAD_REQUEST,
            None,
            "body.messages.0: field required; and more",
            id="a list of complaints",
        ),
        pytest.param(422, {"detail": {"message": "bad"}}, ErrorKind.BAD_REQUEST, None, "bad", id="a complaint alone"),
        pytest.param(
            200,
            {"success": False, "code": 1305, "msg": "busy"},
            ErrorKind.OVERLOADED,
            "1305",
            "busy",
            id="success false",
        ),
        pytest.param(
            400,
            {"type": "error", "error": {"type": "overloaded_error", "message": "wait"}},
            ErrorKind.OVERLOADED,
            None,
            "wait",
            id="type before status",
        ),
        pytest.param(
            400,
            {"error": {"code": "context_length_exceeded", "message": "too long"}},
            ErrorKind.BAD_REQUEST,
            "context_length_exceeded",
            "too long",
            id="code in words",
        ),
        pytest.param(401, {"error": "no key"}, ErrorKind.AUTH, None, "no key", id="error is a string"),
        pytest.param(404, {"detail": "Not Found"}, ErrorKind.NOT_FOUND, None, "Not Found", id="detail"),
        pytest.param(
            500, {"message": " ", "msg": "[1200][ oops ][t]"}, ErrorKind.SERVER, "1200", "oops", id="blank message"
        ),
        pytest.param(
            429,
            {"error": {"message": "Upstream says: [1302][slow [down]][t]"}},
            ErrorKind.RATE_LIMIT,
            "1302",
            "Upstream says: slow [down]",
            id="a gateway wrote before it",
        ),
        pytest.param(
            401,
            {"error": {"code": 1003}},
            ErrorKind.AUTH,
            "1003",
            "The key has expired.",
            id="a code and no words",
        ),
        pytest.param(503, {}, ErrorKind.OVERLOADED, None, "The upstream answered with status 503.", id="empty object"),
    ],
)
def test_bodies(status, body, kind, code, message):
    error = read_error(status, orjson.dumps(body), {}, NOW)
    assert (error.kind, error.code, error.message, error.body) == (kind, code, message, body)
    assert error.status == (status if status >= 400 else 529)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The upstream answered with status 502 and nothing else."),
        (b" <html><body>key=123</body></html>", "The upstream answered with an HTML page (status 502)."),
        (b"Bad Gateway", "The upstream answered with status 502: Bad Gateway"),
        (b'["odd"]', 'The upstream answered with status 502: ["odd"]'),
    ],
)
def test_bodies_that_are_no_json_object(body, message):
    error = read_error(502, body, {}, NOW)
    assert (error.message, error.kind, error.body) == (message, ErrorKind.SERVER, None)


@pytest.mark.parametrize("body", [b"x" * 5000, b'{"error":{"message":"' + b"x" * 5000 + b'"}}'])
def test_little_is_repeated(body):
    assert len(read_error(500, body, {}, NOW).message) <= 1000


def test_a_code_is_found_in_plain_text():
    error = read_error(500, b"upstream said [1302][slow down][x]", {}, NOW)
    assert (error.code, error.kind, error.status) == ("1302", ErrorKind.RATE_LIMIT, 500)
    assert error.message == "The upstream answered with status 500: upstream said slow down"


@pytest.mark.parametrize(
    ("body", "is_error"),
    [
        ({"type": "error"}, True),
        ({"success": False}, True),
        ({"error": {"message": "x"}}, True),
        ({"type": "message", "content": []}, False),
        ({"id": "x", "error": None}, False),
    ],
)
def test_errors_that_come_with_status_200(body, is_error):
    assert is_error_body(body) is is_error


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "1302", "[1310][x][y]", "rate_limit_error"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["error", "message", "code", "type", "msg", "success"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.integers(200, 599), JSON | st.binary(max_size=20))
def test_nothing_is_too_odd_to_be_an_error(status, body):
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    error = read_error(status, raw, {}, NOW)
    assert isinstance(error, UpstreamError)
    assert error.message
    assert error.status >= 400


def test_an_error_inside_a_stream_gets_the_status_of_its_kind():
    body = {"type": "error", "error": {"type": "authentication_error", "message": "no"}}
    assert error_of_body(body).status == 401
