"""Where a conversation is too long, by model, settings and reply."""

from __future__ import annotations

import pytest

from proxy_core.context.ceilings import Ceiling, Level, ceiling_of, window_of
from proxy_core.facts import ModelFacts
from proxy_core.settings import ProxySettings

TEXT = ModelFacts("glm-4.6", 204_800)
SHORT = ModelFacts("glm-5.1", 200_000, working_ceiling_tokens=70_000)
SEEING = ModelFacts("glm-4.6v", 131_072, 32_768, modalities=("text", "image"))
MIDDLE = ModelFacts("glm-4", 120_000)
OTHER = ModelFacts("glm-5.3-flash", 1_048_576, modalities=("text", "image"))


def settings(**fields: object) -> ProxySettings:
    return ProxySettings.model_validate(fields)


@pytest.mark.parametrize(
    ("facts", "fields", "window"),
    [
        (TEXT, {}, 200_000),
        (TEXT, {"real_text_model_tokens": 1_000_000}, 204_800),
        (TEXT, {"real_text_model_tokens": 64_000}, 64_000),
        (SEEING, {}, 65_536),
        (SEEING, {"real_vision_model_tokens": 1_000_000}, 131_072),
        (OTHER, {}, 1_048_576),
        (OTHER, {"autotext_model": "GLM-5.3-Flash"}, 200_000),
    ],
)
def test_the_real_window_is_the_smaller_one(facts, fields, window):
    assert window_of(facts, settings(**fields)) == window


@pytest.mark.parametrize(
    ("facts", "reply", "expected"),
    [
        (TEXT, None, Ceiling(100_000, 100_000, 200_000)),
        (TEXT, 1_000_000, Ceiling(100_000, 100_000, 200_000)),
        (OTHER, None, Ceiling(524_288, 524_288, 1_048_576)),
        (MIDDLE, None, Ceiling(100_000, 100_000, 120_000)),
        (MIDDLE, 8_192, Ceiling(100_000, 100_000, 120_000)),
        (MIDDLE, 25_000, Ceiling(100_000, 95_000, 120_000)),
        (MIDDLE, 1_000_000, Ceiling(100_000, 90_000, 120_000)),
        (SHORT, 32_000, Ceiling(70_000, 70_000, 200_000)),
        (SEEING, 32_000, Ceiling(55_705, 49_152, 65_536)),
    ],
)
def test_the_ceiling_leaves_room_for_the_reply(facts, reply, expected):
    assert ceiling_of(facts, settings(), reply) == expected


@pytest.mark.parametrize(
    ("tokens", "level"),
    [
        (0, Level.CALM),
        (89_999, Level.CALM),
        (90_000, Level.WARNING),
        (99_999, Level.WARNING),
        (100_000, Level.CRITICAL),
        (119_999, Level.CRITICAL),
        (120_000, Level.EMERGENCY),
    ],
)
def test_levels(tokens, level):
    ceiling = Ceiling(110_000, 100_000, 120_000)
    assert ceiling.level(tokens) is level
    assert ceiling.target_tokens <= 0.5 * ceiling.critical_tokens


@pytest.mark.parametrize(("tokens", "critical"), [(50_000, 50_000), (300_000, 100_000)])
def test_a_refusal_lowers_the_ceiling(tokens, critical):
    assert Ceiling(110_000, 100_000, 120_000).lowered_to(tokens).critical_tokens == critical
