from __future__ import annotations

import http.server
import socket
import ssl
import threading
from email.utils import formatdate

import pytest

from app.doctor import network
from tests.app.doctor.grounds import NOWHERE, client, make_ground


@pytest.mark.parametrize(
    ("probe", "given", "grade"),
    [
        (network.loop, {}, "pass"),
        (network.loop, {"config": "upstream_base: http://localhost:5000/api\n", "client": client()}, "fail"),
        (network.loop, {"client": client(9)}, "fail"),
        (network.system_proxy, {}, "pass"),
        (network.system_proxy, {"environ": {"https_proxy": "localhost:5000"}, "client": client()}, "fail"),
        (network.system_proxy, {"environ": {"HTTP_PROXY": "http://proxy.example:3128"}}, "pass"),
        (network.no_proxy, {}, "pass"),
        (network.no_proxy, {"environ": {"http_proxy": "http://proxy.example:3128"}}, "warn"),
        (network.no_proxy, {"environ": {"http_proxy": "http://p", "NO_PROXY": "localhost, 127.0.0.1"}}, "pass"),
        (network.outbound_proxy, {}, "pass"),
        (network.outbound_proxy, {"config": f"outbound_proxy: {NOWHERE}\n"}, "fail"),
        (network.names, {}, "pass"),
        (network.names, {"online": False}, "skip"),
        (network.distance, {}, "fail"),
        (network.distance, {"status": {"server": "demo"}}, "skip"),
        (network.certificate, {}, "pass"),
        (network.certificate, {"config": f"outbound_proxy: {NOWHERE}\n"}, "skip"),
        (network.clock, {}, "skip"),
    ],
)
def test_what_is_wrong_is_found(tmp_path, probe, given, grade):
    found = probe(make_ground(tmp_path, **given))
    assert (found.grade, bool(found.remedy)) == (grade, grade in ("warn", "fail"))


def test_a_name_that_nobody_knows(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", raise_unknown)
    assert network.names(make_ground(tmp_path)).grade == "fail"


def raise_unknown(*_: object, **__: object) -> None:
    raise socket.gaierror(-2, "Name or service not known")


@pytest.mark.parametrize(("ahead_s", "grade"), [(0, "pass"), (-200, "warn"), (3600, "fail")])
def test_clocks_are_compared(tmp_path, ahead_s, grade):
    import time

    class Server(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(204)
            self.send_header("Date", formatdate(time.time() + ahead_s, usegmt=True))
            self.end_headers()

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        text = f"own:\n  endpoint: http://127.0.0.1:{server.server_port}\n"
        found = network.clock(make_ground(tmp_path, servers=text))
        thread.join()
    assert found.grade == grade


def test_a_certificate_that_nobody_trusts(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise ssl.SSLCertVerificationError(1, "self-signed certificate")

    monkeypatch.setattr("truststore.SSLContext.wrap_socket", refuse)
    monkeypatch.setattr(ssl.SSLCertVerificationError, "verify_message", "self-signed", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        text = f"own:\n  endpoint: https://127.0.0.1:{holder.getsockname()[1]}\n"
        found = network.certificate(make_ground(tmp_path, servers=text))
    assert (found.grade, "trust store" in found.remedy) == ("fail", True)


@pytest.mark.parametrize(
    ("certificate", "issuer"),
    [
        ({"issuer": ((("countryName", "US"),), (("organizationName", "Trusty"),), (("commonName", "R1"),))}, "Trusty"),
        ({"issuer": ((("commonName", "R1"),),)}, "R1"),
        ({}, "somebody unknown"),
    ],
)
def test_who_signed_a_certificate(certificate, issuer):
    assert network.issuer_of(certificate) == issuer
