"""Tool calls put together from every way that upstreams take them apart."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import Delta, ToolCallDelta, ToolCallStarted
from proxy_core.dialects.openai.stream_calls import StreamedCalls
from tests.proxy_core.dialects.openai.builders import piece

A, B = '{"a":1}', '{"b":[2]}'
ONE = [("c1", "look", A)]
TWO = [("c1", "look", A), ("c2", "see", B)]


def collect(chunks: list[list[object]]) -> list[Delta]:
    calls = StreamedCalls()
    deltas = [delta for chunk in chunks for delta in calls.read(chunk)]
    return deltas + calls.flush("up-1")


def whole(deltas: list[Delta]) -> list[tuple[str, str, str]]:
    """(id, name, arguments) of each call; every delta must be about a call that began."""
    found: dict[int, tuple[str, str, str]] = {}
    for delta in deltas:
        if isinstance(delta, ToolCallStarted):
            assert delta.index == len(found)
            found[delta.index] = (delta.id, delta.name, "")
        elif isinstance(delta, ToolCallDelta):
            call_id, name, arguments = found[delta.index]
            found[delta.index] = (call_id, name, arguments + delta.fragment)
    return list(found.values())


@pytest.mark.parametrize(
    ("chunks", "calls"),
    [
        # As the standard has it.
        ([[piece(0, "c1", "look", "")], [piece(0, None, None, '{"a"')], [piece(0, None, None, ":1}")]], ONE),
        ([[piece(0, "c1", "look", A)], [piece(1, "c2", "see", B)]], TWO),
        ([[piece(0, "c1", "look", A), piece(1, "c2", "see", B)]], TWO),
        # Interleaved.
        (
            [[piece(0, "c1", "look")], [piece(1, "c2", "see", B[:5])], [piece(arguments=A), piece(1, arguments=B[5:])]],
            TWO,
        ),
        # No index.
        ([[piece(None, "c1", "look", '{"a"')], [piece(None, arguments=":1}")]], ONE),
        ([[piece(None, "c1", "look", A)], [piece(None, "c2", "see", B)]], TWO),
        ([[piece(None, "c1", "look", A), piece(None, "c2", "see", B)]], TWO),
        ([[piece(None, "c1", "look")], [piece(None, "c2", "see", B)], [piece(None, "c1", arguments=A)]], TWO),
        # Index 0 for all.
        ([[piece(0, "c1", "look", A)], [piece(0, "c2", "see", B)]], TWO),
        ([[piece(0, "c1", "look", '{"a"')], [piece(0, arguments=":1}")], [piece(0, "c2", "see", B)]], TWO),
        # Indexes that do not begin at 0.
        ([[piece(3, "c1", "look", A)], [piece(7, "c2", "see", B)]], TWO),
        # Late id, late name, no string for a name, both repeated.
        ([[piece(0, None, "look", '{"a"')], [piece(0, "c1", None, ":1}")]], ONE),
        ([[piece(0, "c1", None, '{"a"')], [piece(0, None, "look", ":1}")]], ONE),
        ([[piece(0, "c1", 3, '{"a"')], [piece(0, "c1", "look", ":1}")]], ONE),
        ([[piece(0, "c1", "look", '{"a"')], [piece(0, "c1", "look", ":1}")]], ONE),
        ([[piece(None, "c1", "look", '{"a"')], [piece(None, None, "look", ":1}")]], ONE),
        # Arguments as an object; said again in full; growing.
        ([[piece(0, "c1", "look", {"a": 1})]], ONE),
        ([[piece(0, "c1", "look", {"a": 1})], [piece(0, "c1", "look", {"a": 1})]], ONE),
        ([[piece(0, "c1", "look", '{"a')], [piece(0, arguments='{"a":')], [piece(0, arguments=A)]], ONE),
        ([[piece(0, "c1", "look", '{"a"')], [piece(0, arguments=":1}")], [piece(0, arguments=A)]], ONE),
        # Said again before there was a value, and what looks like it but is nested.
        ([[piece(0, "c1", "look", '{"a":')], [piece(0, arguments='{"a":1')], [piece(0, arguments=A)]], ONE),
        ([[piece(0, "c1", "look", '{"a":')], [piece(0, arguments=A)]], ONE),
        ([[piece(0, "c1", "look", '{"a":')], [piece(0, arguments='{"a":')], [piece(0, arguments=A)]], ONE),
        ([[piece(0, "c1", "look", '{"a":')], [piece(0, arguments='{"a":1')], [piece(0, arguments="}}")]],
         [("c1", "look", '{"a":{"a":1}}')]),
        # A string within the string, cut anywhere, cumulative, cut off.
        ([[piece(0, "c1", "look", ' "{\\"a')], [piece(0, arguments='\\":1}"')]], ONE),
        ([[piece(0, "c1", "look", '"{\\"a')], [piece(0, arguments='"{\\"a\\":1}"')]], ONE),
        ([[piece(0, "c1", "look", '"{\\"a\\":1')]], ONE),
        ([[piece(0, "c1", "look", '"text"')]], [("c1", "look", '"text"')]),
        ([[piece(0, "c1", "look", "null")]], [("c1", "look", "{}")]),
        ([[piece(0, "c1", "look", '{"a":')], [piece(0, arguments='{"a":1}')], [piece(0, arguments="}")]],
         [("c1", "look", '{"a":{"a":1}}')]),
        # Nothing at all.
        ([[piece(0, "c1", "look")]], [("c1", "look", "")]),
        ([[piece(0, "c1", None, A)]], []),
        ([[3, None, {}]], []),
    ],
)  # fmt: skip
def test_pieces_become_calls(chunks: list[list[object]], calls: list[tuple[str, str, str]]) -> None:
    assert whole(collect(chunks)) == calls


def test_a_call_without_id_gets_one_at_the_end() -> None:
    ((call_id, name, arguments), other) = whole(collect([[piece(0, None, "look", A)], [piece(1, None, "look", A)]]))
    assert (name, arguments, other[1:]) == ("look", A, ("look", A))
    assert call_id.startswith("call_") and call_id != other[0]


def test_calls_without_index_and_id_in_one_chunk_stay_apart() -> None:
    calls = whole(collect([[piece(None, None, "look", A), piece(None, None, "look", B)]]))
    assert [call[1:] for call in calls] == [("look", A), ("look", B)]


def test_pieces_are_passed_on_as_they_come() -> None:
    calls = StreamedCalls()
    assert calls.read([piece(0, "c1", "look", "{")]) == [ToolCallStarted(0, "c1", "look"), ToolCallDelta(0, "{")]
    assert calls.read([piece(0, arguments="}")]) == [ToolCallDelta(0, "}")]
    assert (calls.read([piece(0, arguments="")]), calls.flush("x"), calls.started) == ([], [], 1)


def test_what_no_completion_helps_is_known() -> None:
    calls = StreamedCalls()
    calls.read([piece(0, "c1", "look", '{"a":["b'), piece(1, "c2", "see"), piece(2, "c3", "look", "{}")])
    assert (calls.rests(), calls.bare()) == ({0: '"]}', 1: "{}"}, {1: "{}"})
    calls.read([piece(2, arguments="}")])
    assert calls.rests() is None


@given(st.lists(st.integers(1, 7), min_size=1, max_size=12))
def test_pieces_that_repeat_all_add_up(cuts: list[int]) -> None:
    text = '{"path":{"path":"{\\"a\\""},"lines":[{"a":{"a":1}}]}'
    ends = [end for end in itertools.accumulate(cuts) if end < len(text)]
    chunks: list[list[object]] = [[piece(0, arguments=text[:end])] for end in [*ends, len(text)]]
    assert whole(collect([[piece(0, "c1", "look", "")], *chunks])) == [("c1", "look", text)]


@given(st.lists(st.integers(1, 7), max_size=12))
def test_any_cut_of_the_arguments_adds_up(cuts: list[int]) -> None:
    text = '{"path":"{\\"a\\"","lines":[{"a":{"a":1}},[[[1]]],"é"]}'
    chunks: list[list[object]] = [[piece(0, "c1", "look", "")]]
    start = 0
    for size in cuts:
        chunks.append([piece(0, arguments=text[start : start + size])])
        start += size
    assert whole(collect([*chunks, [piece(0, arguments=text[start:])]])) == [("c1", "look", text)]
