from __future__ import annotations

import io
import sys

import pytest


@pytest.fixture
def types(monkeypatch):
    """What somebody types, line by line."""

    def type_lines(*lines: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    return type_lines


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("0",), "What do you want to do?"),
        (("1", "0"), "Status"),
        (("5", "q"), "demo"),
        (("7",), "Requests"),
        (("9", "0"), "Data folder"),
        (("99", "x", "0"), "A number from 0 to"),
        ((), "Leave"),
    ],
)
def test_the_menu_leads_to_the_commands(say, running, types, lines, words):
    types(*lines)
    answer = say("interactive", home=running)
    assert (answer.code, words in answer.out, "Traceback" in answer.err) == (0, True, False)


def test_what_goes_wrong_is_said_and_the_menu_comes_again(say, running, types):
    types("4", "cnn", "10", "log_levl", "0")
    answer = say("interactive", home=running)
    assert (answer.code, answer.out.count("What do you want to do?")) == (0, 3)
    assert "Did you mean cn?" in answer.err
    assert "did you mean log_level?" in answer.err


def test_a_server_is_switched_and_a_setting_changed(say, running, types):
    types("4", "cn", "10", "max_retries", "3", "0")
    answer = say("interactive", home=running)
    assert "Requests now go to cn" in answer.out
    assert say("config", "--get", "max_retries", home=running).out == "3\n"


def test_the_live_view_wants_a_terminal(say, running, types):
    types()
    answer = say("tui", home=running)
    assert (answer.code, "needs a terminal" in answer.err) == (2, True)
