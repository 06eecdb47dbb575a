"""Thinking and effort: what is asked, per kind of model."""

from __future__ import annotations

import pytest

from proxy_core.chat import ThinkingRequest
from proxy_core.dialects.effort import ThinkingChoice, choose_thinking
from proxy_core.facts import ModelFacts

ALWAYS = ModelFacts("glm-5.3", thinking="always", efforts=("low", "high", "max"))
GRADED = ModelFacts("glm-5.2", efforts=("high", "max"))
TOGGLE = ModelFacts("glm-4.6")
NEVER = ModelFacts("glm-4-32b", thinking="none")

OFF = ThinkingRequest(enabled=False)
ADAPTIVE = ThinkingRequest()


def effort(level: str) -> ThinkingRequest:
    return ThinkingRequest(effort=level)


def budget(tokens: int) -> ThinkingRequest:
    return ThinkingRequest(enabled=True, budget_tokens=tokens)


@pytest.mark.parametrize(
    ("asked", "always", "graded", "toggle"),
    [
        (OFF, (None, "low"), (False, None), (False, None)),
        (effort("none"), (None, "low"), (False, None), (False, None)),
        (effort("minimal"), (None, "low"), (False, None), (False, None)),
        (effort("low"), (None, "low"), (None, "high"), (True, None)),
        (effort("medium"), (None, "high"), (None, "high"), (True, None)),
        (effort("high"), (None, "high"), (None, "high"), (True, None)),
        (effort("xhigh"), (None, "max"), (None, "max"), (True, None)),
        (effort("max"), (None, "max"), (None, "max"), (True, None)),
        (effort("ultracode"), (None, "max"), (None, "max"), (True, None)),
        (budget(1024), (None, "low"), (True, "high"), (True, None)),
        (budget(10_000), (None, "high"), (True, "high"), (True, None)),
        (budget(32_000), (None, "max"), (True, "max"), (True, None)),
        (ADAPTIVE, (None, None), (None, None), (True, None)),
        (None, (None, None), (None, None), (None, None)),
        (ThinkingRequest(enabled=True, effort="none"), (None, "low"), (True, "high"), (True, None)),
        (ThinkingRequest(enabled=False, effort="high"), (None, "low"), (False, None), (False, None)),
    ],
)
def test_choice_per_kind_of_model(
    asked: ThinkingRequest | None, always: object, graded: object, toggle: object
) -> None:
    choices = [choose_thinking(asked, facts, None) for facts in (ALWAYS, GRADED, TOGGLE)]
    assert [(choice.enabled, choice.effort) for choice in choices] == [always, graded, toggle]


@pytest.mark.parametrize("default", [True, False])
def test_default_speaks_only_where_it_can_be_switched(default: bool) -> None:
    assert choose_thinking(None, TOGGLE, default).enabled is default
    assert choose_thinking(None, ALWAYS, default) == ThinkingChoice()
    assert choose_thinking(OFF, TOGGLE, True).enabled is False


@pytest.mark.parametrize(
    ("asked", "facts", "dropped"),
    [
        (OFF, ALWAYS, ("thinking",)),
        (effort("high"), NEVER, ("thinking",)),
        (OFF, NEVER, ()),
        (effort("colossal"), ALWAYS, ("reasoning_effort",)),
        (effort("low"), TOGGLE, ()),
    ],
)
def test_what_the_model_cannot_do_is_named(asked: ThinkingRequest, facts: ModelFacts, dropped: tuple[str, ...]) -> None:
    assert choose_thinking(asked, facts, None).dropped == dropped
