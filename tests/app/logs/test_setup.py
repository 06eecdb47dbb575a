"""What lands in which file, and what happens to the files."""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.logs import close_files, hide, open_files, rebound_files, set_level, setup_logging, want_bodies
from app.logs.files import LogBounds
from app.logs.stream_file import StreamFile
from proxy_core.request_id import REQUEST_ID
from proxy_core.upstream.traffic import Traffic
from tests.app.programs import ROOT

KEY = "0123456789abcdef0123456789abcdef.AbCdEfGh12345678"


def lines(folder: Path, stream: str = "application") -> list[dict[str, object]]:
    """What stands in a file once all is written."""
    close_files()
    path = folder / f"{stream}.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def begin(folder: Path, output, level: str = "INFO") -> logging.Logger:
    setup_logging(level, structured=False, stream=output)
    open_files(folder, LogBounds())
    return logging.getLogger("app.test")


def exchange(body: bytes = b'{"say": "hi"}', answer: bytes = b'{"said": "ho"}') -> None:
    headers = {"authorization": "Bearer just-some-words-for-a-key"}
    traffic = Traffic("POST", "http://127.0.0.1/v1", headers, body, stream=False)
    traffic.head(200)
    traffic.heard(answer)
    traffic.end()


def test_a_line_says_when_how_grave_who_and_in_which_request(tmp_path, output):
    log = begin(tmp_path / "logs", output)
    bound = REQUEST_ID.set("req_7")
    log.warning("%d of %d", 1, 2)
    REQUEST_ID.reset(bound)
    (line,) = lines(tmp_path / "logs")
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "warning", "logger": "app.test", "request_id": "req_7", "event": "1 of 2"}
    assert [(tmp_path / path).stat().st_mode & 0o777 for path in ("logs", "logs/application.jsonl")] == [0o700, 0o600]


def test_a_traceback_goes_along_and_nothing_secret(tmp_path, output):
    hide("a word that nobody knows")
    log = begin(tmp_path, output)
    try:
        raise ValueError(f"{KEY} and a word that nobody knows")
    except ValueError:
        log.exception("it failed with %s", KEY)
    (line,) = lines(tmp_path)
    assert "ValueError: 0123…78 and a wo…ws" in line["exception"]
    assert (KEY in str(line), "nobody" in str(line)) == (False, False)


@pytest.mark.parametrize(("event", "args"), [("\ud800", ()), ("%d", ("no number",)), ('"\n', ())])
def test_no_words_break_the_file_or_the_caller(tmp_path, output, event, args, capsys):
    log = begin(tmp_path, output)
    logging.getLogger().handlers[0].setLevel("CRITICAL")
    log.info(event, *args)
    log.info("after it")
    capsys.readouterr()
    assert lines(tmp_path)[-1]["event"] == "after it"


def test_the_level_holds_for_the_file_at_once(tmp_path, output):
    log = begin(tmp_path, output)
    log.debug("one")
    set_level("DEBUG")
    log.debug("two")
    setup_logging("ERROR", structured=False, stream=output)
    log.warning("three")
    assert [line["event"] for line in lines(tmp_path)] == ["two"]


@pytest.mark.parametrize("wanted", [False, True])
def test_upstream_requests_have_a_file_and_bodies_only_if_wanted(tmp_path, output, wanted):
    begin(tmp_path, output)
    want_bodies(wanted)
    exchange(b'{"say": "just-some-words-for-a-key"}')
    request, response = lines(tmp_path, "upstream")
    assert (request["event"], request["bytes"], request["url"]) == ("upstream_request", 36, "http://127.0.0.1/v1")
    assert (response["event"], response["status"], response["bytes"]) == ("upstream_response", 200, 14)
    bodies = ('{"say": "just…ey"}', '{"said": "ho"}') if wanted else (None, None)
    assert (request.get("body"), response.get("body")) == bodies
    assert (output.getvalue(), lines(tmp_path)) == ("", [])


def test_a_full_file_is_put_away_and_compressed_and_the_oldest_go(tmp_path, output, monkeypatch):
    monkeypatch.setattr("app.logs.files._BATCH", 10)
    log = begin(tmp_path, output)
    rebound_files(LogBounds(days=1, mib=1))
    for number in range(4000):
        log.info("%s %s", number, os.urandom(300).hex(" "))
    close_files()
    packed = list(tmp_path.glob("application-*.jsonl.gz"))
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert (len(packed) > 1, size < 1_300_000, list(tmp_path.glob("*.part"))) == (True, True, [])
    assert not list(tmp_path.glob("application-*.jsonl"))


def test_a_removed_file_is_made_anew(tmp_path, output):
    log = begin(tmp_path, output)
    log.info("one")
    close_files()
    open_files(tmp_path, LogBounds())
    log.info("two")
    wait_for(lambda: b"two" in (tmp_path / "application.jsonl").read_bytes())
    (tmp_path / "application.jsonl").unlink()
    log.info("three")
    assert [line["event"] for line in lines(tmp_path)] == ["three"]


def wait_for(condition) -> None:
    tick = threading.Event()
    for _ in range(500):
        if condition():
            return
        tick.wait(0.01)
    raise AssertionError("it never came")


def test_a_folder_that_cannot_be_written_is_said_once_and_so_is_the_end_of_it(tmp_path, output):
    (tmp_path / "logs").write_text("in the way")
    log = begin(tmp_path / "logs", output)
    log.info("lost")
    wait_for(lambda: "cannot be written" in output.getvalue())
    log.info("lost, too")
    close_files()
    open_files(tmp_path / "logs", LogBounds())
    assert output.getvalue().count("cannot be written") == 1


def test_lines_come_again_when_the_folder_does(tmp_path, output, monkeypatch):
    monkeypatch.setattr("app.logs.files.STEADY_S", 0.0)
    (tmp_path / "logs").write_text("in the way")
    log = begin(tmp_path / "logs", output)
    log.info("lost")
    wait_for(lambda: "cannot be written" in output.getvalue())
    (tmp_path / "logs").unlink()
    log.info("kept")
    wait_for(lambda: "written again" in output.getvalue())
    assert "kept" in [line["event"] for line in lines(tmp_path / "logs")]


def test_a_full_disk_that_takes_a_line_now_and_then_is_said_once(tmp_path, output, monkeypatch):
    append, tries = StreamFile.append, []

    def every_other(file: StreamFile, data: bytes) -> None:
        tries.append(data)
        if len(tries) % 2:
            raise OSError(errno.ENOSPC, "full")
        append(file, data)

    monkeypatch.setattr(StreamFile, "append", every_other)
    log = begin(tmp_path, output)
    for number in range(8):
        log.info("%d", number)
        wait_for(lambda number=number: any(b'"%d"' % number in data for data in tries))
    assert len(lines(tmp_path)) >= 4
    assert (output.getvalue().count("cannot be written"), output.getvalue().count("again")) == (1, 0)


CRASH = """
import logging, sys
from pathlib import Path
from app.logs import open_files, setup_logging
from app.logs.files import LogBounds
setup_logging("INFO", structured=False)
open_files(Path(sys.argv[1]), LogBounds())
for number in range(1000):
    logging.getLogger("app.test").info("%d", number)
if sys.argv[2] == "crash":
    raise RuntimeError("that was it")
"""


@pytest.mark.parametrize(("end", "last", "code"), [("end", "999", 0), ("crash", "the program failed", 1)])
def test_nothing_is_lost_at_the_end_nor_by_a_crash(tmp_path, end, last, code):
    command = [sys.executable, "-c", CRASH, str(tmp_path), end]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    found = [json.loads(line) for line in (tmp_path / "application.jsonl").read_text().splitlines()]
    assert (len(found) >= 1000, found[-1]["event"], done.returncode) == (True, last, code)
    assert ("that was it" in found[-1].get("exception", "")) == (end == "crash")
