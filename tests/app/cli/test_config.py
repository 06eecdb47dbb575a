from __future__ import annotations

import errno
import re

import pytest

from app.settings.schema import Settings
from app.settings.yamlfile import read_mapping


def test_what_holds_is_listed_running_or_not(say, running, tmp_path):
    for home in (running, tmp_path / "home"):
        everything = say("config", "--list", "--json", home=home)
        assert [row["field"] for row in everything.facts["settings"]] == list(Settings.model_fields)
    listed = say("config", home=running)
    assert re.search(r"current_server +demo +--demo \(command line\)", listed.out)
    assert "Every setting is at its default." in say("config", home=tmp_path / "home").out


def test_the_list_shows_no_password_of_the_proxy_on_the_way(say, tmp_path):
    home = tmp_path / "home"
    say("config", "--set", "outbound_proxy", "http://bob:hunter2@proxy:3128", home=home)
    assert re.search(r"outbound_proxy +http://…@proxy:3128 ", say("config", home=home).out)
    assert say("config", "--get", "outbound_proxy", home=home).out == "http://bob:hunter2@proxy:3128\n"


@pytest.mark.parametrize("is_running", [True, False])
def test_one_value_is_printed_alone(say, running, tmp_path, is_running):
    home = running if is_running else tmp_path / "home"
    answer = say("config", "--get", "max_retries", home=home)
    facts = say("config", "--get", "max_retries", "--json", home=home).facts
    assert (answer.code, answer.out, facts["value"], facts["allowed"]) == (0, "2\n", 2, "a whole number from 0 to 10")


def test_a_change_says_whether_it_holds_at_once(say, running):
    live = say("config", "--set", "stream_timeout", "99", "theme", "dark", home=running)
    bound = say("config", "--set", "host", "localhost", home=running)
    back = say("config", "--unset", "host", "--unset", "theme", "--json", home=running)
    assert live.out.splitlines() == [
        "stream_timeout = 99: applied at once, no restart needed.",
        "theme = dark: applied at once, no restart needed.",
    ]
    assert "applied without a restart, the proxy now listens at http://localhost:" in bound.out
    assert (back.facts["rebound"], read_mapping(running / "config.yaml")["stream_timeout"]) == (True, 99)


def test_where_nothing_runs_it_goes_to_the_file(say, tmp_path):
    answer = say("config", "--set", "log_level", "debug", "--json", home=tmp_path)
    assert (answer.code, answer.facts["written"], answer.facts["running"]) == (0, ["log_level"], False)
    assert read_mapping(tmp_path / "config.yaml") == {"log_level": "DEBUG"}


@pytest.mark.parametrize("is_running", [True, False])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--get", "log_levl"), "did you mean log_level?"),
        (("--set", "log_level", "LOUD"), "one of DEBUG"),
        (("--set", "current_server", "cnn"), "Did you mean cn?"),
        (("--set", "log_level", "DEBUG", "port"), "Pairs of KEY and VALUE"),
        (("log_level", "DEBUG"), "Pairs of KEY and VALUE"),
        (("--unset", "colour"), "unknown key"),
    ],
)
def test_what_is_wrong_is_said(say, running, tmp_path, is_running, arguments, words):
    answer = say("config", *arguments, home=running if is_running else tmp_path)
    assert (answer.code, words in answer.err, "Traceback" in answer.err) == (2, True, False)


@pytest.mark.parametrize(
    "arguments", [("config", "--set", "port", "7000"), ("switch", "cn"), ("servers", "add", "x", "http://x")]
)
def test_on_a_full_disk_nothing_is_changed_and_the_remedy_is_said(say, tmp_path, monkeypatch, arguments):
    (tmp_path / "config.yaml").write_text("port: 6000\n")

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("app.settings.yamlfile.write_private", refuse)
    answer = say(*arguments, home=tmp_path)
    assert (answer.code, "No space left" in answer.err, "make room" in answer.err) == (1, True, True)
    assert (tmp_path / "config.yaml").read_text() == "port: 6000\n"


def test_the_environment_decides_and_it_is_said(say, tmp_path, monkeypatch):
    monkeypatch.setenv("PORT", "6000")
    answer = say("config", "--set", "port", "7000", home=tmp_path)
    assert (answer.code, "PORT (environment) decides" in answer.err) == (1, True)
