"""Figures where the upstream gave none."""

from __future__ import annotations

import pytest

from proxy_core.chat import Answer, StopReason, Text, TextDelta, ThinkingDelta, ToolCall, ToolCallDelta, Usage
from proxy_core.dialects.unsaid_usage import chars_of, filled, filled_of


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (Usage(), Usage(12, output_tokens=3)),
        (Usage(output_tokens=7), Usage(12, output_tokens=7)),
        (Usage(cached_tokens=5), Usage(0, 5, output_tokens=3)),
        (Usage(1, 2, 3, 4), Usage(1, 2, 3, 4)),
    ],
)
def test_only_what_was_never_said_is_reckoned(usage: Usage, told: Usage) -> None:
    assert filled(usage, lambda: 12, 9) == told


def test_a_whole_answer_is_reckoned_like_its_stream() -> None:
    answer = Answer("a", "m", (Text("Hello"), ToolCall("c", "n", "{}")), StopReason.END_TURN)
    chars = chars_of([TextDelta("Hel"), ThinkingDelta("lo"), ToolCallDelta(0, "{}")])
    assert filled_of(answer, lambda: 12) == filled(Usage(), lambda: 12, chars) == Usage(12, output_tokens=2)
