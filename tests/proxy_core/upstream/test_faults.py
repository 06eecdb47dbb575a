"""Foreign exceptions in our words: which of them are worth another try."""

from __future__ import annotations

import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from proxy_core.upstream.faults import connection_fault, read_fault
from proxy_core.upstream.retry import CONNECT_AGAIN

URL = "https://api.example/v1"
KEY = ConnectionKey("api.example", 443, True, True, None, None, None)
REFUSED = OSError(111, "Connection refused")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (aiohttp.ClientConnectorError(KEY, REFUSED), "No connection to api.example: Connection refused"),
        (aiohttp.ClientProxyConnectionError(KEY, REFUSED), "No connection to api.example"),
        (aiohttp.ClientConnectorDNSError(KEY, REFUSED), "The name api.example could not be resolved"),
    ],
)
def test_what_could_not_be_reached_may_be_tried_again(error, words):
    fault = connection_fault(error, URL)
    assert words in fault.message
    assert (fault.status, fault.retry, fault.was_sent) == (502, CONNECT_AGAIN, False)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError()), 502, "certificate"),
        (aiohttp.ClientConnectorSSLError(KEY, REFUSED), 502, "certificate"),
        (aiohttp.ConnectionTimeoutError(), 504, "within the time limit"),
        (aiohttp.InvalidURL("x"), 502, "not a valid URL"),
        (aiohttp.ServerDisconnectedError(), 502, "closed the connection"),
    ],
)
def test_what_stays_wrong_or_may_have_been_heard_is_not(error, status, words):
    fault = connection_fault(error, URL)
    assert words in fault.message
    assert (fault.status, fault.retry, fault.was_sent) == (status, None, True)


@pytest.mark.parametrize(("error", "status"), [(TimeoutError(), 504), (aiohttp.ClientPayloadError(), 502)])
def test_an_answer_that_broke_off_is_not_asked_for_again(error, status):
    fault = read_fault(error)
    assert (fault.status, fault.retry) == (status, None)
