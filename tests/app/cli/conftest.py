from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.cli.main import run
from app.settings.sources import KNOWN_NAMES
from tests.app.programs import LIMIT_S, program


@dataclass(frozen=True)
class Answer:
    """What a command said. facts: its JSON, where that was asked for."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, object]:
        return json.loads(self.out)


Say = Callable[..., Answer]


@pytest.fixture
def say(monkeypatch, capsys, tmp_path) -> Say:
    """Runs a command of the command line in this process, with a home of its own unless it names one."""
    for name in KNOWN_NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.chdir(tmp_path)

    def ask(*arguments: str, home: Path | None = None) -> Answer:
        further = ["--home", str(home)] if home is not None else []
        monkeypatch.setattr(sys, "argv", ["proxy-cli", *arguments, *further])
        code = run()
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return ask


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Path]:
    """The data folder of an instance that runs for all tests of a module, after one request."""
    folder = tmp_path_factory.mktemp("running")
    arguments = ("--headless", "--demo", "--port", "0")
    with program(folder, *arguments, PYTHONPATH=os.pathsep.join(sys.path)) as process:
        port = int(process.stdout.readline().split("http://127.0.0.1:")[1].split(" ")[0])
        send(port)
        yield folder / ".anthropic-proxy"
        process.terminate()
        process.wait(LIMIT_S)


def send(port: int, text: str = "hello") -> int:
    """One small chat request; its status."""
    body = json.dumps({"model": "glm-4.6", "messages": [{"role": "user", "content": text}]})
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)) as connection:
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        with connection.getresponse() as response:
            response.read()
            return response.status
