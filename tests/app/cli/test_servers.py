from __future__ import annotations

import re

import pytest

from app.cli.desk import Desk, objects
from app.cli.servers import list_servers

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def home(say, running, tmp_path, request):
    """The folder of a running instance, or one where none runs; every server is somewhere that does not answer."""
    folder = running if request.param == "running" else tmp_path / "home"
    for name in ("international", "cn"):
        assert say("servers", "edit", name, "--endpoint", NOWHERE, home=folder).code == 0
    return folder


BOTH = pytest.mark.parametrize("home", ["running", "alone"], indirect=True)


@BOTH
def test_servers_with_latency_and_health(say, home):
    shown, facts = say("servers", home=home), say("servers", "list", "--json", home=home)
    rows = {row["name"]: row for row in facts.facts["servers"]}
    assert re.search(rf"\n. +cn +– +unreachable +none +coding +{NOWHERE}", shown.out)
    assert rows["cn"]["reach"]["ok"] is False
    assert re.search(r"\* +demo +[\d.]+ ms +ok +given", shown.out) or "demo" not in rows


@BOTH
def test_a_server_comes_changes_and_goes(say, home):
    added = say("servers", "add", "own", NOWHERE, "--region", "Home", "--json", home=home)
    say("servers", "edit", "own", "--plan", "payg", home=home)
    row = next(row for row in say("servers", "--quick", "--json", home=home).facts["servers"] if row["name"] == "own")
    assert (added.facts["added"], row["region"], row["plan"], row["builtin"]) == (True, "Home", "payg", False)
    assert say("servers", "remove", "own", home=home).out == "own is removed.\n"
    assert "own" not in [row["name"] for row in objects(list_servers(Desk.open(str(home)), reach=False), "servers")]


@BOTH
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("add", "cn", NOWHERE), 2, "already"),
        (("add", "a b", NOWHERE), 2, "name"),
        (("add", "own", "ftp://x"), 2, "http"),
        (("edit", "cn"), 2, "Say what to change"),
        (("edit", "cnn", "--plan", "payg"), 2, "no server 'cnn'"),
        (("edit", "cn", "--plan", "free"), 2, "plan"),
        (("remove", "cnn"), 2, "Did you mean cn?"),
        (("test", "cnn"), 2, "Did you mean cn?"),
    ],
)
def test_what_is_wrong_is_said(say, home, arguments, code, words):
    answer = say("servers", *arguments, home=home)
    assert (answer.code, words in answer.err, "Traceback" in answer.err) == (code, True, False)


@BOTH
def test_a_server_without_a_key_cannot_be_tested(say, home):
    answer = say("servers", "test", "cn", home=home)
    assert (answer.code, "There is no key for cn." in answer.out) == (1, True)


def test_the_demo_takes_its_key(say, running):
    answer = say("servers", "test", "demo", "--json", home=running)
    assert (answer.code, answer.facts["ok"], answer.facts["status"]) == (0, True, 200)


def test_the_one_in_use_stays(say, tmp_path):
    answer = say("servers", "remove", "international", home=tmp_path)
    assert (answer.code, "in use" in answer.err, "proxy-cli switch" in answer.err) == (2, True, True)
