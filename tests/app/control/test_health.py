from __future__ import annotations

import http.server
import json
import signal
import threading

import pytest

from app.control.health import ask_health
from tests.app.programs import LIMIT_S, program, run_program
from tests.app.runtimes import free_port


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"status": "ok"}', (True, "is ok.")),
        (503, b'{"status": "degraded"}', (False, "is degraded.")),
        (200, b"[]", (True, "is odd.")),
        (200, b"hello", (False, "Nothing answers")),
    ],
)
def test_what_an_answer_means(status, body, expected):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        is_well, sentence = ask_health(("0.0.0.0", server.server_port))
        thread.join()
    assert (is_well, expected[1] in sentence) == (expected[0], True)


def test_the_command_asks_the_instance_that_runs(tmp_path):
    port = str(free_port())
    environ = {"PORT": port, "HOST": "0.0.0.0", "PROXY_ACCESS_KEY": "key-of-the-test"}
    before = run_program(tmp_path, "--health", **environ)
    with program(tmp_path, "--headless", **environ) as process:
        process.stdout.readline()
        during = run_program(tmp_path, "--health", **environ)
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)
    said = f"127.0.0.1:{port} is ok.\n"
    assert (before.returncode, before.stderr) == (1, f"Nothing answers at 127.0.0.1:{port} (ConnectionRefusedError).\n")
    assert (during.returncode, during.stdout, json.dumps(during.stderr)) == (0, said, '""')


def test_the_command_finds_an_instance_on_any_port(tmp_path):
    with program(tmp_path, "--headless", "--demo", PORT="0") as process:
        process.stdout.readline()
        asked = run_program(tmp_path, "--health", PORT="0")
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)
    assert (asked.returncode, asked.stdout.endswith(" is ok.\n")) == (0, True)
