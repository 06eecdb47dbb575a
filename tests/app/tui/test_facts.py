from __future__ import annotations

from decimal import Decimal

import pytest

from app.control.client import ControlError
from app.tui.facts import (
    MOST_ROWS,
    Picture,
    first_picture,
    read_change,
    read_servers,
    read_settings,
    read_trial,
)
from proxy_core.telemetry.series import CAPACITY
from tests.app.tui.fakes import DONE, REACHES, ROW, SAMPLES, SERVERS, SETTINGS, STATUS


def snapshot(**changes):
    return {"status": STATUS, "sample": SAMPLES[-1], "running": [ROW], "recent": [DONE]} | changes


def test_a_snapshot_becomes_a_picture():
    money = snapshot(recent=[DONE | {"saved_money": "0.0042", "unheard_of": 1}])
    picture = Picture().after(money)
    assert (picture.status.server, picture.latest.at) == ("international", SAMPLES[-1]["at"])
    assert (picture.row("req_1").outcome, picture.row("req_0").saved_money) == ("running", Decimal("0.0042"))
    assert picture.row("nobody") is None


def test_samples_and_rows_are_remembered_once_and_not_for_ever():
    picture = first_picture({"samples": SAMPLES}).after(snapshot()).after(snapshot())
    assert (len(picture.samples), len(picture.recent)) == (len(SAMPLES), 1)
    for number in range(CAPACITY + 5):
        fresh = [DONE | {"id": f"req_{number}_{n}"} for n in range(2)]
        picture = picture.after(snapshot(sample={"at": number}, recent=fresh))
    assert (len(picture.samples), len(picture.recent)) == (CAPACITY, MOST_ROWS)
    assert picture.recent[0].id == f"req_{CAPACITY + 4}_0"


def test_before_the_first_sample_all_is_zero():
    assert Picture().after(snapshot(sample=None)).latest.requests_per_s == 0


def test_what_is_listed_is_read():
    servers = read_servers({"servers": [SERVERS[0] | {"reach": REACHES[0]}, SERVERS[1]], "key_problem": ""})
    assert (servers[0].reach.latency_ms, servers[1].reach) == (42.0, None)
    assert [setting.field for setting in read_settings({"settings": SETTINGS})] == ["port", "log_level"]
    assert read_change({"applied": ["port"], "unsaved": {"port": "PORT"}}).unsaved == {"port": "PORT"}
    assert read_trial({"ok": False, "status": 401, "message": "no", "latency_ms": 3}).status == 401


@pytest.mark.parametrize(
    "read",
    [
        lambda: Picture().after({}),
        lambda: Picture().after(snapshot(running=[{"id": 1}])),
        lambda: first_picture({"samples": 3}),
        lambda: read_servers({}),
        lambda: read_settings({"settings": None}),
    ],
)
def test_what_cannot_be_read_is_said(read):
    with pytest.raises(ControlError, match="another version"):
        read()
