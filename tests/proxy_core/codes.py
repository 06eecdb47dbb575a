"""What follows from each code of the upstreams, written down a second time and apart from the product's own table."""

from __future__ import annotations

from dataclasses import dataclass

INVALID = "invalid_request_error"
QUOTA = (429, "insufficient_quota", "insufficient_quota")


@dataclass(frozen=True)
class Expected:
    """For one code. anthropic: (status, type). openai: (status, type, code; None: the number itself).

    retries: how often it is tried again, of two allowed ones. told_s: what retry-after says without a named time.
    """

    code: str
    error_class: str
    anthropic: tuple[int, str]
    openai: tuple[int, str, str | None]
    retries: int = 0
    first_wait_s: float = 0.0
    told_s: str | None = None


def _rows(codes: str, *rule: object) -> list[Expected]:
    return [Expected(code, *rule) for code in codes.split()]


EXPECTED = [
    *_rows(
        "401 1000 1001 1002 1003 1004 1005",
        "auth",
        (401, "authentication_error"),
        (401, INVALID, "invalid_api_key"),
    ),
    *_rows("1100 1110 1111 1112 1121", "account", (403, "permission_error"), (403, "permission_error", None)),
    *_rows("1120", "account", (403, "permission_error"), (403, "permission_error", None), 1, 1.0),
    *_rows("1113", "balance", (402, "billing_error"), QUOTA),
    *_rows("500 1200 1230", "server", (500, "api_error"), (500, "server_error", None), 2, 1.0),
    *_rows("1210 1213 1214 1215", "bad_request", (400, INVALID), (400, INVALID, None)),
    *_rows("1211", "model", (404, "not_found_error"), (404, INVALID, "model_not_found")),
    *_rows("1212", "model", (400, INVALID), (400, INVALID, None)),
    *_rows("1220", "permission", (403, "permission_error"), (403, "permission_error", None)),
    *_rows("1221 1222", "bad_request", (404, "not_found_error"), (404, INVALID, None)),
    *_rows("1231", "conflict", (409, "conflict_error"), (409, INVALID, "conflict"), 1, 1.0),
    *_rows("1234", "network", (500, "api_error"), (502, "server_error", None), 2, 1.0),
    *_rows("1261", "too_long", (400, INVALID), (400, INVALID, "context_length_exceeded")),
    *_rows("1300", "content", (400, INVALID), (400, INVALID, "content_policy_violation")),
    *_rows("1301", "content", (400, INVALID), (400, INVALID, "content_filter")),
    *_rows(
        "1302",
        "concurrency",
        (429, "rate_limit_error"),
        (429, "rate_limit_exceeded", "rate_limit_exceeded"),
        2,
        1.0,
        "5",
    ),
    *_rows(
        "1303",
        "frequency",
        (429, "rate_limit_error"),
        (429, "rate_limit_exceeded", "rate_limit_exceeded"),
        2,
        5.0,
        "20",
    ),
    *_rows("1304", "daily", (429, "rate_limit_error"), QUOTA, 0, 0.0, "14400"),
    *_rows("1305 1312", "overload", (529, "overloaded_error"), (503, "server_error", "overloaded"), 2, 5.0, "10"),
    *_rows("1308 1310 1316 1317 1318 1319 1320 1321", "window_used_up", (429, "rate_limit_error"), QUOTA),
    *_rows("1309", "plan", (402, "billing_error"), QUOTA),
    *_rows("1311", "plan", (403, "permission_error"), (403, "permission_error", None)),
    *_rows("1313 1314 1315", "plan", (429, "rate_limit_error"), QUOTA),
]
