"""Bare text in and out of a function's JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.dialects.responses.freeform import FreeformProgress, freeform_arguments, freeform_input

TEXTS = st.text(st.characters(codec="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"input":"*** Begin\\n"}', "*** Begin\n"),
        ('{"patch":"*** Begin"}', "*** Begin"),
        ('{"input":"a","note":"b"}', "a"),
        ('{"input":"cut of', "cut of"),
        ('"*** Begin"', "*** Begin"),
        ("*** Begin\n+x", "*** Begin\n+x"),
        ('{"a":"b","c":"d"}', '{"a":"b","c":"d"}'),
        ('{"input":5}', '{"input":5}'),
        ("", ""),
        ("{}", ""),
    ],
)
def test_the_input_of_a_call(arguments: str, text: str) -> None:
    assert freeform_input(arguments) == text


@given(TEXTS)
def test_there_and_back(text: str) -> None:
    assert freeform_input(freeform_arguments(text)) == text


def told(arguments: str, cuts: list[int]) -> str:
    places = sorted({cut % (len(arguments) + 1) for cut in cuts})
    progress = FreeformProgress()
    pieces = [arguments[start:end] for start, end in zip([0, *places], [*places, len(arguments)], strict=True)]
    return "".join(map(progress.feed, pieces))


@given(TEXTS, st.booleans(), st.lists(st.integers(0, 200), max_size=9))
def test_progress_is_the_input_however_it_is_cut(text: str, is_escaped: bool, cuts: list[int]) -> None:
    assert told(json.dumps({"input": text, "note": '"'}, ensure_ascii=is_escaped), cuts) == text


def test_after_something_odd_nothing_more_is_told() -> None:
    assert told('{"input":"a\nbc"}', [13, 14]) == ""


@pytest.mark.parametrize(
    ("arguments", "progress"),
    [
        (' { "input" : "a\\', "a"),
        ('{"input":"\\ud83d', ""),
        ('{"input":"a\nb"}', ""),
        ('{"input":"\\ud83d!"}', ""),
        ('{"patch":"a"}', ""),
        ("*** Begin", ""),
    ],
)
def test_what_is_not_certain_is_not_told(arguments: str, progress: str) -> None:
    assert told(arguments, []) == progress
