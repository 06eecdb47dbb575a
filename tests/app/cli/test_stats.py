from __future__ import annotations

import csv
import io
import json
import time
from dataclasses import replace

import pytest

from app.history.rows import row_of
from app.history.schema import FILE
from app.history.writer import Bounds, HistoryWriter
from proxy_core.chat import Usage
from proxy_core.events import Exchange


def one(number: int, **further: object) -> Exchange:
    """A request of the last hour."""
    usage = Usage(input_tokens=1_000, cached_tokens=3_000, output_tokens=200)
    made = Exchange(id=f"req_{number}", started_at=time.time() - 60 * number, door="messages", usage=usage)
    made = replace(made, client="claude-cli", served_model="glm-4.6", server="cn", currency="CNY", status=200)
    return replace(made, **{"outcome": "done", "first_token_s": 0.5, "duration_s": 2.0} | further)


EXCHANGES = (
    one(1),
    one(2, served_model="glm-4.6v", client='=HYPERLINK("http://x")'),
    one(3, outcome="failed", status=500),
    one(4, started_at=time.time() - 50 * 3600),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder with a history, where nothing runs."""
    folder = tmp_path_factory.mktemp("home")
    writer = HistoryWriter(folder / "stats" / FILE, lambda: Bounds(90, 100), lambda _: None, time.time)
    writer.start()
    for exchange in EXCHANGES:
        writer.add(row_of(exchange))
    writer.close()
    return folder


def test_sums_of_a_day_and_of_a_week(say, home):
    day, week = say("stats", "--json", home=home).facts, say("stats", "--hours", "168", "--json", home=home).facts
    shown = say("stats", home=home).out
    assert (day["total"]["requests"], week["total"]["requests"], day["total"]["failures"]) == (3, 4, 1)
    for words in ("Requests        3", "66.7 %", "cached 9,000 (75.0 %)", "¥", "█", "500 ms on average"):
        assert words in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("by", "keys"),
    [("model", ["glm-4.6", "glm-4.6v"]), ("server", ["cn"]), ("client", ["claude-cli", EXCHANGES[1].client])],
)
def test_by(say, home, by, keys):
    facts, shown = say("stats", "--by", by, "--json", home=home).facts, say("stats", "--by", by, home=home)
    assert [group["key"] for group in facts["groups"]] == keys
    assert (f"\n{by.capitalize()} " in shown.out, shown.code) == (True, 0)


def test_days_come_in_order(say, home):
    days = [group["key"] for group in say("stats", "--by", "day", "--hours", "99", "--json", home=home).facts["groups"]]
    assert days == sorted(days)
    assert len(days) >= 2


def test_export(say, home, tmp_path):
    rows = list(csv.DictReader(io.StringIO(say("stats", "export", "csv", home=home).out)))
    objects = json.loads(say("stats", "export", "json", "--hours", "24", home=home).out)
    assert [row["request_id"] for row in rows] == ["req_1", "req_2", "req_3", "req_4"]
    assert (rows[0]["started_at"][-1], rows[1]["client"][:2]) == ("Z", "'=")
    assert (len(objects), float(objects[0]["cost"]) > 0) == (3, True)
    written = say("stats", "export", "csv", "-o", "out.csv", "--json", home=home)
    assert (written.facts["rows"], (tmp_path / "out.csv").read_text().count("\n")) == (4, 5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--by", "colour"), "colour"),
        (("--hours", "0"), "--hours"),
        (("export", "xml"), "xml"),
        (("export",), "Missing argument"),
    ],
)
def test_what_is_wrong_is_said(say, home, arguments, words):
    answer = say("stats", *arguments)
    assert (answer.code, words in answer.err) == (2, True)


def test_where_there_is_no_history_there_is_none(say, tmp_path):
    assert "none in the history" in say("stats", home=tmp_path).out
    assert say("stats", "export", "json", home=tmp_path).out == "[]\n"
    assert say("stats", "--realtime", home=tmp_path).code == 4


def test_a_damaged_history_is_said(say, tmp_path):
    (tmp_path / "stats").mkdir()
    (tmp_path / "stats" / FILE).write_bytes(b"no database" * 1000)
    for command in (("stats",), ("stats", "export", "csv")):
        answer = say(*command, home=tmp_path)
        assert (answer.code, "cannot be read" in answer.err, "doctor" in answer.err) == (1, True, True)


def test_live_figures(say, running):
    lines = say("stats", "--realtime", "--seconds", "2", home=running).out.splitlines()
    objects = say("stats", "--realtime", "--seconds", "1", "--json", home=running).out.splitlines()
    assert [line.split("  ended ")[1] for line in lines] == ["1  failed 0"] * 2
    assert json.loads(objects[0])["status"]["requests"] == 1


def test_a_running_instance_tells_what_it_did(say, running):
    assert say("stats", "--json", home=running).facts["live"]["requests"] == 1
