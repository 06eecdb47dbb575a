"""The history as its users see it: what was settled is there, whatever happens to the disk or the file."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep

import pytest

from app.history import writer as writer_module
from app.history.reading import By, History
from app.history.rows import HistoryRow, row_of
from app.history.schema import VERSION, HistoryTooNewError, is_whole, open_for_writing
from app.history.writer import Bounds, HistoryWriter, prune
from proxy_core.chat import Usage
from proxy_core.events import Exchange
from proxy_core.ledger import Cut, Ledger, Stage

NOW = 1_700_000_000.0
EXCHANGE = Exchange(
    id="req_1",
    started_at=NOW,
    door="messages",
    client="claude-cli",
    asked_model="claude-sonnet",
    served_model="glm-4.6",
    server="international",
    outcome="done",
    status=200,
    usage=Usage(input_tokens=1000, cached_tokens=500, output_tokens=100),
    ledger=Ledger((Cut(Stage.ENVIRONMENT, 1, 70),)),
)
ROW = row_of(EXCHANGE)


class Desk:
    """A writer on a file, with what it said."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: list[str] = []
        self.writer = HistoryWriter(path, lambda: Bounds(days=30, mib=100), self.said.append, lambda: NOW)
        self.writer.start()

    def rows(self) -> list[object]:
        try:
            return [row["request_id"] for row in History(self.path).rows(0.0)]
        except (FileNotFoundError, sqlite3.Error):
            return []


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(writer_module, "RETRY_S", 0.02)
    made = Desk(tmp_path / "stats" / "history.db")
    yield made
    made.writer.close()


def wait_for(is_true: Callable[[], bool]) -> None:
    end = monotonic() + 20
    while not is_true():
        assert monotonic() < end, "it did not come to be"
        sleep(0.01)


def test_a_row_is_written_while_the_program_runs(desk: Desk) -> None:
    desk.writer.add(ROW)
    wait_for(lambda: desk.rows() == ["req_1"])
    assert (desk.path.stat().st_mode & 0o777, desk.said) == (0o600, [])


def test_a_row_holds_what_was_paid_on_that_day() -> None:
    assert (ROW.input_tokens, ROW.cached_tokens, ROW.saved_tokens, ROW.currency) == (1500, 500, 70, "USD")
    assert ROW.cost_nano == 1000 * 600 + 500 * 110 + 100 * 2200


def test_what_waits_is_written_at_the_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "history.db")
    for number in range(1200):
        desk.writer.add(replace(ROW, request_id=f"req_{number}"))
    desk.writer.close()
    assert desk.rows() == [f"req_{number}" for number in range(1200)]


def test_a_damaged_file_is_set_aside_and_said(desk: Desk) -> None:
    desk.path.parent.mkdir()
    desk.path.write_bytes(b"SQLite format 3\0" + b"rubbish" * 1000)
    desk.writer.add(ROW)
    wait_for(lambda: desk.rows() == ["req_1"])
    (aside,) = desk.path.parent.glob("history.db.broken-*")
    assert aside.read_bytes().endswith(b"rubbish")
    assert len(desk.said) == 1
    assert "set aside" in desk.said[0]


def test_a_newer_file_is_left_alone(desk: Desk) -> None:
    with closing(open_for_writing(desk.path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    desk.writer.add(ROW)
    wait_for(lambda: bool(desk.said))
    assert "left alone" in desk.said[0]
    with pytest.raises(HistoryTooNewError):
        History(desk.path).sums(0.0)


def test_trouble_is_said_once_and_everything_written_when_it_is_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> sqlite3.Connection:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(writer_module, "open_for_writing", refuse)
        for number in range(3):
            desk.writer.add(replace(ROW, request_id=f"req_{number}"))
            sleep(0.05)
        wait_for(lambda: bool(desk.said))
    wait_for(lambda: len(desk.said) == 2)
    assert desk.rows() == ["req_0", "req_1", "req_2"]
    assert ("disk is full" in desk.said[0], "written again" in desk.said[1]) == (True, True)


def test_a_row_that_cannot_be_kept_costs_no_other(desk: Desk) -> None:
    rows = [ROW, replace(ROW, request_id="bad", queued_s=float("nan")), replace(ROW, request_id="req_2")]
    for row in [*rows, replace(ROW, request_id="huge", input_tokens=2**70)]:
        desk.writer.add(row)
    wait_for(lambda: len(desk.rows()) == 2)
    desk.writer.add(replace(ROW, request_id="req_3"))
    wait_for(lambda: desk.rows() == ["req_1", "req_2", "req_3"])
    assert not list(desk.path.parent.glob("*.broken*"))


@pytest.mark.parametrize(
    ("bounds", "left"),
    [(Bounds(days=30, mib=100), 2), (Bounds(days=1, mib=100), 1), (Bounds(days=30, mib=0), 0)],
)
def test_it_is_bounded_in_age_and_size(tmp_path: Path, bounds: Bounds, left: int) -> None:
    desk = Desk(tmp_path / "history.db")
    for age_days in (0.5, 2.0):
        desk.writer.add(replace(ROW, started_at=NOW - age_days * 86_400))
    desk.writer.close()
    with closing(open_for_writing(desk.path)) as connection:
        prune(connection, bounds, NOW)
    assert len(desk.rows()) == left


def _written(path: Path, *rows: HistoryRow) -> History:
    desk = Desk(path)
    for row in rows:
        desk.writer.add(row)
    desk.writer.close()
    return History(path)


@pytest.mark.parametrize(
    ("by", "keys"),
    [("model", ["glm-4.6", "glm-4.5-air"]), ("server", ["international", "cn"]), ("none", [""])],
)
def test_sums_by_what_was_asked(tmp_path: Path, by: By, keys: list[str]) -> None:
    other = replace(ROW, server="cn", served_model="glm-4.5-air", outcome="failed", cost_nano=None, currency="CNY")
    history = _written(tmp_path / "history.db", ROW, ROW, other)
    sums = history.sums(NOW - 1, by)
    assert [found.key for found in sums] == keys
    assert (sums[0].cost_usd, sums[0].cost_cny) == (Decimal("0.00175"), None)
    assert sum(found.failures for found in sums) == 1


def test_the_window_of_time_begins_where_it_was_asked(tmp_path: Path) -> None:
    history = _written(tmp_path / "history.db", ROW, replace(ROW, started_at=NOW - 7200))
    assert [found.requests for found in history.sums(NOW - 3600)] == [1]
    assert history.steps(NOW - 7200, NOW, 2) == [(1, 1600), (1, 1600)]


def test_the_older_programs_totals_come_over_once(tmp_path: Path) -> None:
    old = {"total_requests": 7, "failed_requests": 2, "total_tokens": 900, "start_time": "2025-10-01T00:00:00+00:00"}
    (tmp_path / "stats.json").write_text(json.dumps(old))
    _written(tmp_path / "history.db", ROW)
    (imported,) = _written(tmp_path / "history.db", ROW).imported()
    assert (imported["requests"], imported["failures"], imported["tokens"]) == (7, 2, 900)


def test_no_file_of_the_older_program_ends_the_writer(desk: Desk) -> None:
    desk.path.parent.mkdir()
    (desk.path.parent / "stats.json").write_text("[" * 100_000)
    desk.writer.add(ROW)
    wait_for(lambda: desk.rows() == ["req_1"])
    assert desk.said == []


def test_no_name_that_a_client_gives_ends_the_writer(desk: Desk) -> None:
    desk.writer.add(replace(ROW, client="curl \udcff"))
    wait_for(lambda: desk.rows() == ["req_1"])
    assert [found.key for found in History(desk.path).sums(0.0, "client")] == ["curl ?"]


_LOAD = """
import sys, time
from pathlib import Path
from app.history.rows import HistoryRow
from app.history.writer import Bounds, HistoryWriter
from tests.app.history.test_keeper import ROW, replace
writer = HistoryWriter(Path(sys.argv[1]), lambda: Bounds(30, 100), print, lambda: ROW.started_at)
writer.start()
for number in range(100_000):
    name = f"{sys.argv[2]}_{number}"
    writer.add(replace(ROW, request_id=name))
    print(name, time.monotonic(), flush=True)
    time.sleep(0.002)
"""


def test_a_kill_loses_nothing_that_was_settled_a_second_before(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    for kill in range(3):
        settled = _killed_in_the_middle(path, str(kill))
        assert set(settled) <= {str(row["request_id"]) for row in History(path).rows(0.0)}
    assert is_whole(path)


def _killed_in_the_middle(path: Path, name: str) -> list[str]:
    """The names that were told more than a second before the end."""
    command = [sys.executable, "-c", _LOAD, str(path), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline().split() for _ in range(800)]
        child.kill()
    end = float(lines[-1][1])
    return [said for said, at in lines if float(at) < end - 1.0]
