"""What clients are told about their prompts, and that nothing else is touched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.chat import Answer, Delta, Finished, Started, StopReason, TextDelta, Usage, UsageDelta
from proxy_core.facts import Modality, ModelFacts
from proxy_core.settings import ProxySettings
from proxy_core.tokens.scaling import prompt_scale, scale_answer, scale_delta, scale_tokens, scale_usage

USAGE = Usage(input_tokens=100, cached_tokens=900, cache_write_tokens=10, output_tokens=70, thinking_tokens=7)
DOUBLED = Usage(input_tokens=200, cached_tokens=1_800, cache_write_tokens=20, output_tokens=70, thinking_tokens=7)
SEES: tuple[Modality, ...] = ("text", "image")
FIGURE = st.integers(0, 2_000_000)
FACTOR = st.floats(1.0, 20.0)


def facts(model: str, window: int, sees: bool = False) -> ModelFacts:
    return ModelFacts(model, window, modalities=SEES if sees else ("text",))


TEXT, VISION = facts("glm-4.6", 204_800), facts("glm-4.6v", 131_072, sees=True)
AIR, HUGE = facts("glm-4.5-air", 131_072), facts("glm-5.3-flash", 1_048_576, sees=True)


@pytest.mark.parametrize(
    ("dialect", "served", "changes", "scale"),
    [
        ("anthropic", TEXT, {}, 1.0),
        ("anthropic", VISION, {}, 200_000 / 65_536),
        ("openai", VISION, {"openai_expected_tokens": 131_072}, 2.0),
        ("responses", VISION, {"openai_expected_tokens": 131_072}, 2.0),
        ("anthropic", VISION, {"openai_expected_tokens": 131_072}, 200_000 / 65_536),
        ("anthropic", VISION, {"real_vision_model_tokens": 300_000}, 200_000 / 131_072),
        ("anthropic", TEXT, {"real_text_model_tokens": 128_000}, 1.5625),
        ("anthropic", TEXT, {"real_text_model_tokens": 1_000_000, "anthropic_expected_tokens": 409_600}, 2.0),
        ("anthropic", TEXT, {"anthropic_expected_tokens": 100_000}, 1.0),
        ("anthropic", AIR, {}, 200_000 / 131_072),
        ("anthropic", AIR, {"real_text_model_tokens": 1_000}, 200_000 / 131_072),
        ("anthropic", HUGE, {}, 1.0),
        ("anthropic", HUGE, {"autotext_model": "glm-5.3-flash", "autovision_model": "GLM-5.3-Flash"}, 1.0),
        ("anthropic", HUGE, {"autovision_model": "GLM-5.3-Flash"}, 200_000 / 65_536),
        ("openai", HUGE, {"openai_expected_tokens": 2_097_152}, 2.0),
    ],
)
def test_listed_models(dialect: str, served: ModelFacts, changes: dict[str, object], scale: float) -> None:
    settings = ProxySettings.model_validate(changes)
    assert prompt_scale(dialect, served, settings, is_listed=True) == scale


@pytest.mark.parametrize(
    ("served", "changes", "scale"),
    [
        (facts("glm-9", 200_000), {}, 1.0),
        (facts("glm-9", 200_000), {"real_text_model_tokens": 100_000}, 2.0),
        (facts("glm-9", 200_000), {"real_text_model_tokens": 1_000_000, "anthropic_expected_tokens": 1_000_000}, 1.0),
        (facts("glm-9v", 200_000, sees=True), {}, 200_000 / 65_536),
        (facts("my-eyes", 200_000), {"autovision_model": "my-eyes"}, 200_000 / 65_536),
    ],
)
def test_models_that_nobody_knows(served: ModelFacts, changes: dict[str, object], scale: float) -> None:
    assert prompt_scale("anthropic", served, ProxySettings.model_validate(changes), is_listed=False) == scale


@given(FIGURE, FIGURE, FIGURE, FIGURE, FACTOR)
def test_parts_add_up_to_the_scaled_whole(fresh: int, cached: int, written: int, output: int, factor: float) -> None:
    usage = Usage(fresh, cached, written, output, thinking_tokens=output)
    scaled = scale_usage(usage, factor)
    assert scaled.prompt_tokens == scale_tokens(usage.prompt_tokens, factor)
    assert replace(scaled, input_tokens=fresh, cached_tokens=cached, cache_write_tokens=written) == usage
    for name in ("input_tokens", "cached_tokens", "cache_write_tokens"):
        was, now = getattr(usage, name), getattr(scaled, name)
        assert now >= was
        assert now == pytest.approx(was * factor, abs=1.0)
        assert bool(was) == bool(now)


@pytest.mark.parametrize(
    ("delta", "told"),
    [
        (Started("a", "m", USAGE, created=5), Started("a", "m", DOUBLED, created=5)),
        (Started("a", "m"), Started("a", "m")),
        (UsageDelta(USAGE), UsageDelta(DOUBLED)),
        (TextDelta("hi"), TextDelta("hi")),
        (Finished(), Finished()),
    ],
)
def test_deltas(delta: Delta, told: Delta) -> None:
    assert scale_delta(delta, 2.0) == told
    assert scale_delta(delta, 1.0) == delta


def test_answers() -> None:
    answer = Answer("a", "m", (), StopReason.END_TURN, USAGE)
    assert scale_answer(answer, 2.0) == replace(answer, usage=DOUBLED)


@pytest.mark.parametrize(
    ("tokens", "factor", "told"), [(0, 3.0, 0), (1, 1.4, 1), (1, 1.5, 2), (7, 1.0, 7), (3, 1.5, 5)]
)
def test_single_figures(tokens: int, factor: float, told: int) -> None:
    assert scale_tokens(tokens, factor) == told
