"""The person's words are told apart from what agents put around them."""

from __future__ import annotations

import pytest

from app.demo.prompt import is_background, last_turn, typed_text, working_directory
from proxy_core.chat import Image, Sampling, ToolCall, ToolResult
from tests.app.demo.builders import CLAUDE, conversation, said

REMINDER = "<system-reminder>\nwrite a file x.txt\n</system-reminder>"
DETAILS = "<environment_details>\n# Current Time\nnoon\n</environment_details>"
CALL = ToolCall("c1", "Write", "{}")


@pytest.mark.parametrize(
    ("parts", "typed"),
    [
        (("Hello",), "Hello"),
        ((REMINDER, "Hello"), "Hello"),
        (("Hello", DETAILS), "Hello"),
        ((f"{REMINDER}\n\nHello\n{REMINDER}",), "Hello"),
        (("<task>\nHello\n</task>", "# task_progress\nnone", DETAILS), "Hello"),
        (("<environment_context>\n<cwd>/x</cwd>\n</environment_context>",), ""),
        (('"Hello there"',), "Hello there"),
        (('"Hello" and "bye"',), '"Hello" and "bye"'),
        ((REMINDER,), ""),
        ((ToolResult("c1"), REMINDER), ""),
    ],
)
def test_only_what_was_typed_counts(parts: tuple[object, ...], typed: str) -> None:
    assert typed_text(said(*parts)) == typed


def test_results_belong_to_the_last_typed_turn() -> None:
    messages = (
        "old",
        said("yes", role="assistant"),
        "new",
        said(CALL, role="assistant"),
        said(ToolResult("c1"), REMINDER),
    )
    turn = last_turn(conversation(*messages))
    assert (turn.prompt, turn.calls, turn.results) == ("new", (CALL,), (ToolResult("c1"),))


def test_a_new_prompt_beside_a_result_begins_a_new_turn() -> None:
    turn = last_turn(conversation("old", said(CALL, role="assistant"), said(ToolResult("c1"), "new")))
    assert (turn.prompt, turn.calls) == ("new", ())


def test_pictures_count_until_the_assistant_has_spoken() -> None:
    picture = Image("image/png", "AA==")
    seen = last_turn(
        conversation(said(CALL, role="assistant"), said(ToolResult("c1", (picture,))), said("look", picture))
    )
    past = last_turn(conversation(said("look", picture), said("a cat", role="assistant"), "thanks"))
    assert (seen.pictures, past.pictures) == ((picture, picture), ())


@pytest.mark.parametrize(
    ("text", "directory"),
    [
        ("<env>\nWorking directory: /home/me/code\nIs directory a git repo: No", "/home/me/code"),
        (" - Primary working directory: /home/me/code/", "/home/me/code"),
        ("I'm currently working in the directory: /home/me/code\nHere is", "/home/me/code"),
        ("<cwd>/home/me/code</cwd>", "/home/me/code"),
        ("# Current Working Directory (/home/me/code) Files\na.py", "/home/me/code"),
        ("# Current Workspace Directory (/home/me/code) Files\na.py", "/home/me/code"),
        ("Working directory: C:\\Users\\me\nPlatform: win32", "C:\\Users\\me"),
        ("Working directory: /", "/"),
        ("nothing about it", ""),
    ],
)
def test_the_working_directory_is_read_wherever_it_stands(text: str, directory: str) -> None:
    assert working_directory(conversation("hi", system=text)) == directory
    assert working_directory(conversation(said(text, "hi"))) == directory


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"system": "Generate a concise title for this conversation."}, True),
        ({"system": "You are a title generator.", "tools": CLAUDE}, False),
        ({"sampling": Sampling(max_tokens=1)}, True),
        ({"system": "You are helpful."}, False),
    ],
)
def test_an_agents_own_small_requests_are_known(fields: dict[str, object], expected: bool) -> None:
    asked = conversation("write a file a.txt", **fields)
    assert is_background(asked, last_turn(asked)) is expected
