"""What errors say of themselves: their words, and whether the same request is worth sending again."""

from __future__ import annotations

import pytest

from proxy_core.errors import ErrorKind, ProxyError, UpstreamError, kind_of_status
from proxy_core.upstream_codes import CODES, ErrorClass, RetryAdvice

FINAL = {ErrorKind.AUTH, ErrorKind.BILLING, ErrorKind.PERMISSION, ErrorKind.NOT_FOUND, ErrorKind.TOO_LARGE}


@pytest.mark.parametrize(
    ("message", "hint", "text"),
    [
        ("It broke.", "Mend it.", "It broke. Mend it."),
        ("It broke", "Mend it.", "It broke. Mend it."),
        ("Broken?", "Mend it.", "Broken? Mend it."),
        ("It broke", "", "It broke"),
        ("", "Mend it.", "Mend it."),
        ("额度不足", "请充值。", "额度不足。 请充值。"),
        ("额度不足。", "请充值。", "额度不足。 请充值。"),
    ],
)
def test_message_and_remedy_are_two_sentences(message, hint, text):
    assert str(ProxyError(message, hint=hint)) == text


@pytest.mark.parametrize("kind", ErrorKind)
def test_what_stays_true_is_not_worth_another_try(kind):
    expected = False if kind in FINAL else None
    assert ProxyError("x", kind=kind).should_retry is expected
    assert UpstreamError("x", kind=kind).should_retry is expected


@pytest.mark.parametrize(
    ("error", "should_retry"),
    [
        (UpstreamError("x", kind=ErrorKind.AUTH, retry=RetryAdvice(1, 2)), True),
        (UpstreamError("x", kind=ErrorKind.RATE_LIMIT, known=CODES["1308"]), False),
        (UpstreamError("x", known=CODES["1302"], retry=CODES["1302"].rule.retry), True),
    ],
)
def test_of_an_upstreams_error_the_table_knows_better(error, should_retry):
    assert error.should_retry is should_retry


def test_the_class_is_that_of_the_code():
    assert (UpstreamError("x").error_class, UpstreamError("x", known=CODES["1113"]).error_class) == (
        None,
        ErrorClass.BALANCE,
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (402, ErrorKind.BILLING),
        (408, ErrorKind.TIMEOUT),
        (418, ErrorKind.BAD_REQUEST),
        (434, ErrorKind.PERMISSION),
        (435, ErrorKind.TOO_LARGE),
        (503, ErrorKind.OVERLOADED),
        (599, ErrorKind.SERVER),
    ],
)
def test_kinds_of_statuses(status, kind):
    assert kind_of_status(status) is kind
