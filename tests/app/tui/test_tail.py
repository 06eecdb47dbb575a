from __future__ import annotations

import json

import pytest

from app.tui.tail import FIRST_BYTES, Tail, parse


def line(event: str, **facts: object) -> bytes:
    return json.dumps({"timestamp": "2026-11-22T19:00:01.000Z", "level": "info", "event": event} | facts).encode()


def texts(tail: Tail) -> list[str]:
    return [found.text for found in tail.read()]


def test_a_file_is_read_on_over_its_rotation(tmp_path):
    path = tmp_path / "application.jsonl"
    tail = Tail(path)
    assert texts(tail) == []
    path.write_bytes(line("one") + b"\n" + line("tw"))
    assert texts(tail) == ["one"]
    with path.open("ab") as file:
        file.write(b"\n" + line("three") + b"\n")
    assert texts(tail) == ["tw", "three"]
    path.rename(tmp_path / "old.jsonl")
    assert texts(tail) == []
    path.write_bytes(line("four") + b"\n")
    assert texts(tail) == ["four"]
    path.write_bytes(b"")
    assert texts(tail) == []


def test_of_a_long_file_only_the_end_is_read_in_whole_lines(tmp_path):
    path = tmp_path / "application.jsonl"
    many = [line(f"event {number}") for number in range(10_000)]
    path.write_bytes(b"\n".join(many) + b"\n")
    found = texts(Tail(path))
    assert found[-1] == "event 9999"
    assert found[0].startswith("event ")
    assert len(found) == FIRST_BYTES // (len(many[-1]) + 1)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (line("hi"), ("19:00:01", "info", "hi", "")),
        (line("hi", level="WARNING", request_id="r1"), ("19:00:01", "warning", "hi", "r1")),
        (line("hi", level="odd", timestamp="?"), ("--:--:--", "info", "hi", "")),
        (line("", door="/v1", status=200, exception="Boom"), ("19:00:01", "info", "door=/v1 status=200 Boom", "")),
    ],
)
def test_lines_in_words(raw, shown):
    found = parse(raw)
    assert (found.at, found.level, found.text, found.request_id) == shown


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"\xff"])
def test_what_is_no_line_is_left_out(raw):
    assert parse(raw) is None
