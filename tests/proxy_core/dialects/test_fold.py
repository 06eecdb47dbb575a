"""A stream and a whole answer are the same thing, told twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import (
    Answer,
    Failed,
    Finished,
    Started,
    Stopped,
    StopReason,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
)
from proxy_core.dialects.fold import fold, unfold
from proxy_core.errors import UpstreamError

words = st.text(min_size=1, max_size=8)
parts = st.one_of(
    words.map(Text),
    st.builds(Thinking, words, words),
    st.builds(ToolCall, words, words, words),
)
counts = st.integers(0, 1000)
answers = st.builds(
    Answer,
    id=words,
    model=words,
    parts=st.lists(parts, max_size=5).map(tuple),
    stop=st.sampled_from(StopReason),
    usage=st.builds(Usage, counts, counts, counts, counts, st.none() | counts),
    stop_sequence=st.none() | words,
    created=st.none() | counts,
)


@given(answers)
def test_what_is_unfolded_folds_back(answer: Answer) -> None:
    assert fold(unfold(answer)) == answer


def test_fragments_and_late_usage_add_up() -> None:
    answer = fold(
        [
            Started("a", "m", Usage(output_tokens=1)),
            ThinkingDelta("th"),
            ThinkingDelta("ink", "sig"),
            TextDelta("he"),
            TextDelta("y"),
            ToolCallStarted(0, "c", "f"),
            ToolCallStarted(1, "d", "g"),
            ToolCallDelta(1, "{}"),
            ToolCallDelta(0, '{"a"'),
            ToolCallDelta(0, ":1}"),
            Stopped(StopReason.TOOL_USE),
            UsageDelta(Usage(5, 2, 0, 9)),
            Finished(),
        ]
    )
    assert answer.parts == (
        Thinking("think", "sig"),
        Text("hey"),
        ToolCall("c", "f", '{"a":1}'),
        ToolCall("d", "g", "{}"),
    )
    assert answer.usage == Usage(5, 2, 0, 9)


@pytest.mark.parametrize("ending", [[], [Stopped(StopReason.END_TURN)], [Failed(UpstreamError("gone"))]])
def test_without_a_proper_end_there_is_no_answer(ending: list[Stopped | Failed]) -> None:
    with pytest.raises(UpstreamError):
        fold([Started("a", "m"), TextDelta("half"), *ending])
