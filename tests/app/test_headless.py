from __future__ import annotations

import http.client
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.app.programs import LIMIT_S, ROOT, program, run_program
from tests.app.runtimes import taken_port

HEADLESS = ("--headless", "--port", "0")
KEY = "0123456789abcdef0123456789abcdef.AbCdEf"

SILENT_KEYRING = """
import pathlib, time
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    priority = 9

    def get_password(self, service, user):
        pathlib.Path("asked").touch()
        time.sleep(3600)

    set_password = delete_password = get_password
"""


def ready(process) -> int:
    """Wait for the line that says it listens; its port."""
    line = process.stdout.readline()
    found = re.fullmatch(r"Listening on http://127\.0\.0\.1:(\d+) \(server (\w+)\)\n", line)
    assert found, (line, process.stderr.read())
    return int(found[1])


@contextmanager
def stream(port: int, text: str) -> Iterator[http.client.HTTPResponse]:
    """A stream of the demo, begun: some of it has arrived."""
    body = {"model": "glm-4.6", "stream": True, "messages": [{"role": "user", "content": text}]}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)) as connection:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
        with connection.getresponse() as response:
            assert response.readline().startswith(b"data: ")
            yield response


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path, number):
    with program(tmp_path, *HEADLESS) as process:
        ready(process)
        record = tmp_path / ".anthropic-proxy" / "runtime.json"
        mode = record.stat().st_mode & 0o777
        process.send_signal(number)
        out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, out, "Traceback" in err, mode, record.exists()) == (0, "", False, 0o600, False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_start_that_waits_for_the_keyring(tmp_path, number):
    (tmp_path / "silent.py").write_text(SILENT_KEYRING)
    environ = {"REQUIRE_ACCESS_KEY": "1", "PYTHON_KEYRING_BACKEND": "silent.Keyring"}
    environ["PYTHONPATH"] = f"{ROOT}{os.pathsep}{tmp_path}"
    with program(tmp_path, *HEADLESS, **environ) as process:
        while not (tmp_path / "asked").exists():
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_running_stream_is_finished_first(tmp_path):
    with (
        program(tmp_path, *HEADLESS, "--demo", SHUTDOWN_GRACE="20") as process,
        stream(ready(process), "fast") as response,
    ):
        process.send_signal(signal.SIGTERM)
        rest = response.read()
        process.communicate(timeout=LIMIT_S)
    assert (process.returncode, rest.rstrip().endswith(b"data: [DONE]")) == (0, True)


def test_a_second_signal_cuts_the_streams(tmp_path):
    with (
        program(tmp_path, *HEADLESS, "--demo", SHUTDOWN_GRACE="600") as process,
        stream(ready(process), "error stall") as response,
    ):
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        rest = response.read()
        process.communicate(timeout=LIMIT_S)
    assert (process.returncode, b'"error":' in rest) == (0, True)


def test_a_taken_port_is_one_plain_line(tmp_path):
    holder, port = taken_port()
    with holder:
        ended = run_program(tmp_path, "--headless", "--port", str(port))
    expected = f"Port {port} on 127.0.0.1 is already in use. Choose another with --port.\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", expected)


@pytest.mark.parametrize(
    ("arguments", "environ", "lines"),
    [
        (("--port", "x"), {}, ["command line: --port: 'x' cannot be used; allowed: a whole number from 0 to 65535"]),
        (
            (),
            {"PORT": "x", "DEBUG": "perhaps"},
            [
                "environment: PORT: 'x' cannot be used; allowed: a whole number from 0 to 65535",
                "environment: DEBUG: 'perhaps' cannot be used; allowed: true or false (also 1/0, yes/no, on/off)",
            ],
        ),
        (
            ("--host", "0.0.0.0"),
            {},
            ["Listening on 0.0.0.0 lets other computers in: set PROXY_ACCESS_KEY first, or listen on 127.0.0.1."],
        ),
        (
            ("--home", "/dev/null/x"),
            {},
            ["The data folder /dev/null/x cannot be used: Not a directory. Choose another with --home."],
        ),
    ],
)
def test_what_cannot_be_obeyed_ends_it_with_plain_lines(tmp_path, arguments, environ, lines):
    ended = run_program(tmp_path, "--headless", *arguments, **environ)
    assert (ended.returncode, ended.stdout, ended.stderr.splitlines()) == (2, "", lines)


def test_an_open_address_with_an_access_key_is_served(tmp_path):
    with program(tmp_path, *HEADLESS, "--host", "0.0.0.0", "--demo", PROXY_ACCESS_KEY=KEY) as process:
        port = ready(process)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
        connection.request("GET", "/v1/models")
        refused = connection.getresponse().status
        connection.close()
    assert refused == 401


def test_two_instances_of_one_home_run_side_by_side(tmp_path):
    with program(tmp_path, *HEADLESS) as first:
        port = ready(first)
        with program(tmp_path, *HEADLESS) as second:
            ready(second)
            owner = json.loads((tmp_path / ".anthropic-proxy" / "runtime.json").read_text())
            second.send_signal(signal.SIGTERM)
            _, err = second.communicate(timeout=LIMIT_S)
        still = json.loads((tmp_path / ".anthropic-proxy" / "runtime.json").read_text())
    assert (owner["port"], still, second.returncode) == (port, owner, 0)
    assert "Another instance uses" in err


def test_the_key_is_in_no_output_whatever_is_logged(tmp_path):
    with program(tmp_path, *HEADLESS, SERVER_API_KEY=KEY, DEBUG="1", UPSTREAM_BASE="http://127.0.0.1:9/x") as process:
        port = ready(process)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
        connection.request(
            "POST",
            "/v1/messages",
            json.dumps({"model": "glm-4.6", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}),
        )
        answer = connection.getresponse().read().decode()
        connection.close()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=LIMIT_S)
    assert ("error" in answer, KEY in answer + out + err) == (True, False)


def test_qt_is_never_imported(tmp_path):
    with program(tmp_path, *HEADLESS, "--demo", PYTHONPROFILEIMPORTTIME="1") as process:
        ready(process)
        process.send_signal(signal.SIGTERM)
        _, imported = process.communicate(timeout=LIMIT_S)
    assert ("aiohttp" in imported, re.findall("PySide6|qasync|pyqtgraph|app.gui", imported)) == (True, [])
