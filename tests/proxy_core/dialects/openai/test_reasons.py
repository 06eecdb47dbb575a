"""Finish reasons and usage, both ways."""

from __future__ import annotations

import pytest

from proxy_core.chat import StopReason, Usage
from proxy_core.dialects.openai.reasons import (
    read_finish,
    read_usage,
    scaled_usage,
    standard_finish,
    write_finish,
    write_usage,
)
from proxy_core.jsontypes import JsonObject


@pytest.mark.parametrize(
    ("finish", "has_calls", "stop"),
    [
        ("stop", False, StopReason.END_TURN),
        ("stop", True, StopReason.TOOL_USE),
        ("length", False, StopReason.MAX_TOKENS),
        ("length", True, StopReason.MAX_TOKENS),
        ("tool_calls", True, StopReason.TOOL_USE),
        ("tool_calls", False, StopReason.END_TURN),
        ("function_call", True, StopReason.TOOL_USE),
        ("content_filter", False, StopReason.REFUSAL),
        ("sensitive", False, StopReason.REFUSAL),
        ("model_context_window_exceeded", False, StopReason.CONTEXT_EXCEEDED),
        ("never_heard_of", False, StopReason.END_TURN),
        (None, True, StopReason.TOOL_USE),
        ({"odd": 1}, False, StopReason.END_TURN),
    ],
)
def test_read_finish(finish: object, has_calls: bool, stop: StopReason) -> None:
    assert read_finish(finish, has_calls=has_calls) is stop


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        (StopReason.END_TURN, "stop"),
        (StopReason.MAX_TOKENS, "length"),
        (StopReason.STOP_SEQUENCE, "stop"),
        (StopReason.TOOL_USE, "tool_calls"),
        (StopReason.PAUSE_TURN, "stop"),
        (StopReason.REFUSAL, "content_filter"),
        (StopReason.CONTEXT_EXCEEDED, "length"),
    ],
)
def test_write_finish(stop: StopReason, finish: str) -> None:
    assert write_finish(stop) == finish


def test_every_stop_reason_has_a_finish_reason() -> None:
    assert {write_finish(stop) for stop in StopReason} == {"stop", "length", "tool_calls", "content_filter"}


@pytest.mark.parametrize(
    ("finish", "standard"),
    [
        ("sensitive", "content_filter"),
        ("model_context_window_exceeded", "length"),
        ("stop", "stop"),
        ("function_call", "function_call"),
        ("never_heard_of", "never_heard_of"),
        (None, None),
        (3, 3),
    ],
)
def test_standard_finish(finish: object, standard: object) -> None:
    assert standard_finish(finish) == standard


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({}, Usage()),
        ({"prompt_tokens": 10, "completion_tokens": 5}, Usage(10, output_tokens=5)),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 8}}, Usage(2, 8)),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3}}, Usage(2, 4, 3)),
        ({"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}}, Usage(0, 8)),
        ({"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}, Usage(0, 0, 0, 9, 7)),
        ({"completion_tokens_details": {"reasoning_tokens": None}}, Usage(thinking_tokens=0)),
        ({"prompt_tokens": "many", "completion_tokens": -1, "prompt_tokens_details": []}, Usage()),
        ({"prompt_tokens": 1e300, "completion_tokens": 9 * 10**18}, Usage(2**40, output_tokens=2**40)),
        ({"prompt_tokens": float("inf"), "completion_tokens": float("nan")}, Usage(2**40)),
    ],
)
def test_read_usage(raw: JsonObject, usage: Usage) -> None:
    assert read_usage(raw) == usage


@pytest.mark.parametrize("usage", [Usage(), Usage(2, 8, 1, 9), Usage(2, 8, 1, 9, 7), Usage(thinking_tokens=0)])
def test_usage_survives_the_way_there_and_back(usage: Usage) -> None:
    written = write_usage(usage)
    assert read_usage(written) == usage
    assert written["total_tokens"] == usage.prompt_tokens + usage.output_tokens


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({"prompt_tokens": 3}, {"prompt_tokens": 5}),
        (
            {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 20, "x": {"prompt_tokens": 1}},
            {"prompt_tokens": 15, "completion_tokens": 4, "total_tokens": 25, "x": {"prompt_tokens": 1}},
        ),
        (
            {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 1, "x": 1}},
            {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1, "x": 1}},
        ),
        (
            {"prompt_tokens": 2, "total_tokens": None, "prompt_tokens_details": {"cached_tokens": 0}},
            {"prompt_tokens": 3, "total_tokens": None, "prompt_tokens_details": {"cached_tokens": 0}},
        ),
    ],
)
def test_what_is_said_of_the_prompt_grows(usage: JsonObject, told: JsonObject) -> None:
    before = repr(usage)
    assert scaled_usage(usage, 1.5) == told
    assert repr(usage) == before
    assert scaled_usage(usage, 1.0) is usage


@pytest.mark.parametrize("usage", [{}, {"completion_tokens": 5}, {"prompt_tokens": 0}, {"prompt_tokens": "3"}])
def test_usage_without_a_prompt_is_the_same(usage: JsonObject) -> None:
    assert scaled_usage(usage, 3.0) is usage
