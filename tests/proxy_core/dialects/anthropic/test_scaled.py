"""An upstream's own usage, told larger: only what is said of the prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.dialects.anthropic.answers import read_usage, touch_answer
from proxy_core.dialects.anthropic.scaled import scaled_usage
from proxy_core.dialects.base import ReplyContext
from proxy_core.jsontypes import JsonObject
from proxy_core.tokens.scaling import scale_usage

FIGURES = st.none() | st.integers(-1, 2_000_000)


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({"input_tokens": 3, "output_tokens": 7}, {"input_tokens": 5, "output_tokens": 7}),
        # The cached part is first: 1.5 → 2, 3 → 3, 4.5 → 5.
        (
            {"input_tokens": 1, "cache_creation_input_tokens": 1, "cache_read_input_tokens": 1},
            {"input_tokens": 2, "cache_creation_input_tokens": 1, "cache_read_input_tokens": 2},
        ),
        (
            {"cache_creation_input_tokens": 4, "cache_creation": {"ephemeral_5m_input_tokens": 1, "x": 1}},
            {"cache_creation_input_tokens": 6, "cache_creation": {"ephemeral_5m_input_tokens": 2, "x": 1}},
        ),
        (
            {
                "cache_read_input_tokens": 1,
                "cache_creation_input_tokens": 3,
                "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 1},
            },
            {
                "cache_read_input_tokens": 2,
                "cache_creation_input_tokens": 4,
                "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 1},
            },
        ),
    ],
)
def test_what_is_said_of_the_prompt_grows(usage: JsonObject, told: JsonObject) -> None:
    before = repr(usage)
    assert scaled_usage(usage, 1.5) == told
    assert repr(usage) == before
    assert scaled_usage(usage, 1.0) is usage


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"output_tokens": 9, "input_tokens": 0, "cache_read_input_tokens": None},
        {"input_tokens": "5", "cache_creation": None, "cache_creation_input_tokens": True},
        {"input_tokens": 2**41, "cache_creation": {"ephemeral_5m_input_tokens": 0}},
    ],
)
def test_what_holds_no_figure_passes(usage: JsonObject) -> None:
    assert scaled_usage(usage, 3.0) is usage


@given(FIGURES, FIGURES, FIGURES, st.floats(1.0, 20.0))
def test_it_is_what_clients_of_other_dialects_are_told(
    fresh: int | None, written: int | None, cached: int | None, factor: float
) -> None:
    usage: JsonObject = {
        "input_tokens": fresh,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached,
        "output_tokens": 3,
    }
    assert read_usage(scaled_usage(usage, factor)) == scale_usage(read_usage(usage), factor)


def test_a_whole_answer_is_mended_and_told_larger() -> None:
    usage = {"input_tokens": 3, "server_tool_use": {"web_search_requests": 1}, "service_tier": "standard"}
    body: JsonObject = {"model": "glm-4.6", "usage": usage, "content": []}
    context = ReplyContext("glm-4.6", "f", 0, prompt_scale=2.0)
    counts = {"web_search_requests": 1, "web_fetch_requests": 0}
    told = {"input_tokens": 6, "server_tool_use": counts, "service_tier": "standard"}
    assert touch_answer(body, context) == {**body, "usage": told}
