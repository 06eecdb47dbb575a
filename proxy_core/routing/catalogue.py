"""The GLM models as data: a new model is a new row here and nothing anywhere else.

Windows and output caps in tokens, from the vendor's model pages as of November 2026. A name that is not listed is
passed on as it is, with the cautious facts of `UNLISTED`.
"""

from __future__ import annotations

from dataclasses import replace

from proxy_core.facts import ModelFacts

_MILLION = 1_048_576
_LOW_HIGH_MAX = ("low", "high", "max")

MODELS: tuple[ModelFacts, ...] = (
    ModelFacts("glm-5.3", _MILLION, thinking="always", efforts=_LOW_HIGH_MAX, released="2026-08-19"),
    ModelFacts("glm-5.3-flash", _MILLION, sees=True, thinking="always", efforts=_LOW_HIGH_MAX, released="2026-08-26"),
    ModelFacts("glm-5.3-flashx", 1_000_000, sees=True, thinking="always", efforts=_LOW_HIGH_MAX, released="2026-09-18"),
    ModelFacts("glm-5.2", 1_000_000, efforts=("high", "max"), released="2026-06-13"),
    ModelFacts("glm-5.1", 200_000, released="2026-03-27"),
    ModelFacts("glm-5", 200_000, released="2026-02-11"),
    ModelFacts("glm-5-turbo", 200_000, released="2026-03-16"),
    ModelFacts("glm-5v-turbo", 200_000, sees=True, released="2026-04-01"),
    ModelFacts("glm-5-code", 200_000, released="2026-02-11"),
    ModelFacts("glm-4.7", 204_800, released="2025-12-22"),
    ModelFacts("glm-4.7-flashx", 200_000, released="2026-01-19"),
    ModelFacts("glm-4.7-flash", 200_000, released="2026-01-19"),
    ModelFacts("glm-4.6", 204_800, released="2025-09-30"),
    ModelFacts("glm-4.6v", 131_072, 32_768, sees=True, released="2025-12-08"),
    ModelFacts("glm-4.6v-flashx", 131_072, 32_768, sees=True, released="2025-12-08"),
    ModelFacts("glm-4.6v-flash", 131_072, 32_768, sees=True, released="2025-12-08"),
    ModelFacts("glm-4.5", 131_072, 98_304, released="2025-07-28"),
    ModelFacts("glm-4.5-x", 131_072, 98_304, released="2025-07-28"),
    ModelFacts("glm-4.5-air", 131_072, 98_304, released="2025-07-28"),
    ModelFacts("glm-4.5-airx", 131_072, 98_304, released="2025-07-28"),
    ModelFacts("glm-4.5-flash", 131_072, 98_304, released="2025-07-28"),
    ModelFacts("glm-4.5v", 65_536, 16_384, sees=True, released="2025-08-11"),
    ModelFacts("glm-4-32b-0414-128k", 131_072, 16_384, thinking="none", released="2025-04-14"),
)

UNLISTED = ModelFacts("", 200_000, 131_072)
_BY_ID = {facts.id: facts for facts in MODELS}


def find_model(model: str) -> ModelFacts | None:
    """The row of a model, whatever the case of its name; None if it is not listed."""
    return _BY_ID.get(model.lower())


def model_facts(model: str) -> ModelFacts:
    """The row of a model, or the cautious default under its name."""
    return find_model(model) or replace(UNLISTED, id=model)
