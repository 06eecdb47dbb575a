"""What is done to answers: the same whole or in pieces, however the text is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import (
    Answer,
    BlockEnded,
    Delta,
    Failed,
    Finished,
    Pinged,
    Started,
    Stopped,
    StopReason,
    Text,
    TextDelta,
    Thinking,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from proxy_core.dialects.fold import fold, unfold
from proxy_core.dialects.restraint import Restraint, Restraints, restrain
from proxy_core.errors import UpstreamError

TAGS, FENCES = Restraints(has_inline_tags=True), Restraints(strips_fences=True)
STOPS = Restraints(stops=("STOP", "\n\n", "abab"))


def answer(*parts: Text | Thinking | ToolCall | str, stop: StopReason = StopReason.END_TURN) -> Answer:
    """A string is text."""
    return Answer("a", "m", tuple(Text(p) if isinstance(p, str) else p for p in parts), stop, Usage(5, 0, 0, 3))


def told(text: str, cuts: list[int], needed: Restraints) -> tuple[Answer, list[Delta]]:
    """The stream of a text that is cut at these places, with its usage at the start, and its deltas."""
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    pieces: list[Delta] = [TextDelta(text[a:b]) for a, b in pairwise(edges)]
    stream = [Started("a", "m", Usage(5, 0, 0, 3)), *pieces, Stopped(StopReason.END_TURN), Finished()]
    restraint = Restraint(needed)
    out = [delta for delta in stream for delta in restraint.feed([delta])]
    return fold(out), out


@pytest.mark.parametrize(
    ("text", "kept", "stop"),
    [
        ("one STOP two", "one ", "STOP"),
        ("STOP", "", "STOP"),
        ("one STO", "one STO", None),
        ("SSTOP", "S", "STOP"),
        ("STSTOP", "ST", "STOP"),
        ("a\n\nSTOP", "a", "\n\n"),
        ("ababab", "", "abab"),
        ("aabab", "a", "abab"),
        ("", "", None),
    ],
)
def test_stop_sequences(text: str, kept: str, stop: str | None) -> None:
    cut = restrain(answer(text), STOPS)
    assert "".join(part.text for part in cut.parts) == kept
    assert (cut.stop, cut.stop_sequence) == (StopReason.STOP_SEQUENCE if stop else StopReason.END_TURN, stop)
    assert cut.usage == Usage(5, 0, 0, 3)


def test_the_sequence_that_is_complete_first_counts_as_in_a_stream() -> None:
    cut = restrain(answer("xbab\n"), Restraints(stops=("bab\n", "ab")))
    assert (cut.parts, cut.stop_sequence) == ((Text("xb"),), "ab")


STOPPED = Stopped(StopReason.STOP_SEQUENCE, "STOP")
FIGURES = UsageDelta(Usage(5, 0, 0, 9))
END: list[Delta] = [Stopped(StopReason.END_TURN), Finished()]
ESTIMATE = UsageDelta(Usage(80, 0, 0, 2))
BROKEN = Failed(UpstreamError("broken", status=502))


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ([TextDelta("x"), BlockEnded(), *END[:1], FIGURES, Finished()], [FIGURES, Finished()]),
        ([FIGURES, TextDelta("x"), *END, FIGURES, Finished()], [FIGURES, Finished()]),
        ([TextDelta("x"), *END], [ESTIMATE, Finished()]),
        ([UsageDelta(Usage(5, 3)), *END], [UsageDelta(Usage(5, 3)), UsageDelta(Usage(5, 3, 0, 2)), Finished()]),
        ([BROKEN, FIGURES], [ESTIMATE, Finished()]),
        ([Pinged(), *END], [ESTIMATE, Finished()]),
        ([BlockEnded()] * 65 + [FIGURES, *END], [ESTIMATE, Finished()]),
        ([BlockEnded()] * 63 + [FIGURES, *END], [FIGURES, Finished()]),
    ],
)
def test_after_a_stop_sequence_figures_alone_are_told(after: list[Delta], told: list[Delta]) -> None:
    restraint = Restraint(STOPS, lambda: 80)
    assert restraint.feed([TextDelta("abc"), TextDelta("STOP!!")]) == [TextDelta("abc"), STOPPED]
    assert restraint.feed(after) == told


def test_a_stop_sequence_counts_in_text_only() -> None:
    said = answer(Thinking("STOP"), "ST", ToolCall("c", "f", '"STOP"'), "OP", stop=StopReason.TOOL_USE)
    assert restrain(said, STOPS) == said


THOUGHT = Thinking("why")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("<think>why</think>so", (THOUGHT, Text("so"))),
        ("<think>\nwhy</think>\n\nso", (THOUGHT, Text("so"))),
        ("<think>why</think>\n<|begin_of_box|>42<|end_of_box|>", (THOUGHT, Text("42"))),
        ("is <|begin_of_box|>42<|end_of_box|>.", (Text("is 42."),)),
        ("</think>so", (Text("so"),)),
        ("<think>why", (THOUGHT,)),
        ("a <thi", (Text("a <thi"),)),
        ("a < b <|c|>", (Text("a < b <|c|>"),)),
        ("<think></think>", ()),
    ],
)
def test_tags(text: str, parts: tuple[Text | Thinking, ...]) -> None:
    assert restrain(answer(text), TAGS).parts == parts


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('```json\n{"a":1}\n```', '{"a":1}'),
        (' \n```\n{"a":1}```  ', '{"a":1}'),
        ('```json\r\n{"a":1}\r\n```\nThere.', '{"a":1}'),
        ('```json\n{"a":"```"}\n```', '{"a":"```"}'),
        ('```json\n{"a":', '{"a":'),
        ('{"a":1}\n', '{"a":1}\n'),
        ('Sure:\n```json\n{"a":1}\n```', 'Sure:\n```json\n{"a":1}\n```'),
        ("```", "```"),
        ("``", "``"),
        ("", ""),
    ],
)
def test_fences(text: str, kept: str) -> None:
    assert "".join(part.text for part in restrain(answer(text), FENCES).parts) == kept


PIECES = ["<think>", "</think>", "<|begin_of_box|>", "<", "th", "|", "```", "```json\n", "`", "\n", " ", "STOP", "ST"]
loose = st.lists(st.sampled_from([*PIECES, "ab", "b", "{}", "x", "O", "P"]), max_size=14).map("".join)
texts = st.builds(str.__add__, st.sampled_from(["", " \n```json\n", "<think>"]), loose)
needs = st.builds(
    Restraints,
    stops=st.sampled_from([(), ("STOP",), ("ab", "bab\n"), ("\n", "```", "x")]),
    has_inline_tags=st.booleans(),
    strips_fences=st.booleans(),
)


@given(texts, st.lists(st.integers(0, 200), max_size=8), needs)
def test_no_cut_changes_anything(text: str, cuts: list[int], needed: Restraints) -> None:
    in_pieces, _ = told(text, cuts, needed)
    assert in_pieces == told(text, [], needed)[0]
    assert in_pieces == told(text, list(range(len(text))), needed)[0]
    assert in_pieces == restrain(answer(text), needed) or not text


@given(texts, needs)
def test_a_stream_ends_once(text: str, needed: Restraints) -> None:
    _, deltas = told(text, [], needed)
    assert [isinstance(delta, Finished) for delta in deltas].count(True) == 1
    assert isinstance(deltas[-1], Finished)


@pytest.mark.parametrize("needed", [TAGS, FENCES, STOPS], ids=["tags", "fences", "stops"])
def test_text_that_is_certain_does_not_wait(needed: Restraints) -> None:
    said: list[Delta] = [TextDelta("Hello"), Pinged(), UsageDelta(Usage(1)), TextDelta(" world")]
    assert Restraint(needed).feed(said) == said


CALLS = answer("So.", ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]"), stop=StopReason.TOOL_USE)


def test_only_the_first_call_goes_through() -> None:
    assert restrain(CALLS, Restraints(is_serial=True)).parts == CALLS.parts[:2]
    stage = Restraint(Restraints(is_serial=True))
    mixed: list[Delta] = [ToolCallStarted(0, "a", "f"), ToolCallStarted(1, "b", "g"), ToolCallDelta(0, "{")]
    assert stage.feed([*mixed, ToolCallDelta(1, "["), BlockEnded()]) == [mixed[0], mixed[2]]


def test_tools_get_their_names_back() -> None:
    renamed = restrain(CALLS, Restraints(renamed_tools={"g": "my.g"}))
    assert [part.name for part in renamed.parts if isinstance(part, ToolCall)] == ["f", "my.g"]


def test_without_need_nothing_is_done() -> None:
    assert restrain(CALLS, Restraints()) is CALLS
    assert Restraint(Restraints()).feed(unfold(CALLS)) == unfold(CALLS)
