"""Errors within an answer."""

from __future__ import annotations

import pytest

from proxy_core.dialects.responses.errors import failure
from proxy_core.errors import BadRequestError, ErrorKind, ProxyError, UpstreamError


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UpstreamError("Gone."), "server_error", "Gone."),
        (UpstreamError("Slow.", kind=ErrorKind.TIMEOUT), "server_error", "Slow."),
        (UpstreamError("Busy.", kind=ErrorKind.OVERLOADED), "server_error", "Busy."),
        (UpstreamError("No.", kind=ErrorKind.RATE_LIMIT), "rate_limit_exceeded", "No."),
        (
            UpstreamError("No.", kind=ErrorKind.RATE_LIMIT, retry_after_s=1.5),
            "rate_limit_exceeded",
            "No. Please try again in 1.5s.",
        ),
        (UpstreamError("Pay.", kind=ErrorKind.BILLING), "insufficient_quota", "Pay."),
        (BadRequestError("Wrong."), "invalid_prompt", "Wrong."),
        (ProxyError("Big.", kind=ErrorKind.TOO_LARGE, hint="Cut it."), "invalid_prompt", "Big. Cut it."),
    ],
)
def test_codes_that_clients_act_on(error: ProxyError, code: str, message: str) -> None:
    assert failure(error) == {"code": code, "message": message}
