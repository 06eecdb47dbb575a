from __future__ import annotations

import gzip
import json
import threading

import pytest


def line(minute: int, event: str, **further: object) -> str:
    stamp = f"2026-11-20T10:{minute:02d}:00Z"
    return json.dumps({"timestamp": stamp, "level": "info", "logger": "app", "event": event} | further) + "\n"


@pytest.fixture
def home(tmp_path):
    logs = tmp_path / "home" / "logs"
    logs.mkdir(parents=True)
    with gzip.open(logs / "application-20261120T100000.jsonl.gz", "wt") as file:
        file.write(line(1, "oldest", request_id="req_1"))
    (logs / "application-20261120T100200.jsonl").write_text(line(2, "older", level="warning") + "half a li\n")
    (logs / "application.jsonl").write_text(line(4, "newest", level="error", exception="Trace\n  here") + '{"half')
    (logs / "access.jsonl").write_text(line(3, "request", request_id="req_1", status=200, path="/v1/\x1b[31m"))
    (logs / "start.log").write_text("not JSON")
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("arguments", "events"),
    [
        ((), ["oldest", "older", "request", "newest"]),
        (("-n", "2"), ["request", "newest"]),
        (("--level", "warning"), ["older", "newest"]),
        (("--request", "req_1"), ["oldest", "request"]),
        (("--stream", "access"), ["request"]),
        (("--stream", "upstream"), []),
        (("-n", "0"), []),
    ],
)
def test_the_newest_lines_in_order(say, home, arguments, events):
    answer = say("logs", *arguments, "--json", home=home)
    assert [json.loads(one)["event"] for one in answer.out.splitlines()] == events


def test_lines_for_people(say, home):
    shown = say("logs", home=home).out
    assert "ERROR    newest" in shown
    assert ("status=200" in shown, "\\x1b[31m" in shown, "\x1b" in shown, "  here" in shown) == (
        True,
        True,
        False,
        True,
    )


def test_where_there_is_nothing_it_is_said(say, tmp_path):
    answer = say("logs", home=tmp_path)
    assert (answer.code, "There is nothing of this kind" in answer.out) == (0, True)


@pytest.mark.parametrize(("option", "value"), [("--level", "LOUD"), ("--stream", "x"), ("-n", "-1")])
def test_what_is_wrong_is_said(say, home, option, value):
    assert say("logs", option, value, home=home).code == 2


def test_following_goes_on_over_rotation(say, home):
    current = home / "logs" / "application.jsonl"

    def write() -> None:
        with current.open("a") as file:
            file.write("\n" + line(5, "added"))
        current.rename(home / "logs" / "application-20261120T100500.jsonl")
        current.write_text(line(6, "rotated"))

    timer = threading.Timer(0.2, write)
    timer.start()
    answer = say("logs", "--follow", "-n", "0", "--seconds", "1.5", "--json", home=home)
    timer.join()
    assert [json.loads(one)["event"] for one in answer.out.splitlines()][-1] == "rotated"
