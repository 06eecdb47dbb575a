"""The GLM models as data: a new model is a new row here and nothing anywhere else.

Windows and output caps in tokens, from the vendor's model pages as of November 2026. A name that is not listed is
passed on as it is, with the cautious facts of `UNLISTED`.

List prices of a million tokens, USD of z.ai and CNY of bigmodel.cn; where no list was found there is none. Working
ceilings are what users report, not the vendor.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from proxy_core.facts import Modality, ModelFacts, PriceTier

_MILLION = 1_048_576
_LOW_HIGH_MAX = ("low", "high", "max")
_MULTIMODAL: tuple[Modality, ...] = ("text", "image", "video", "file")
_SHORT_PROMPT = 32_000
"""Bounds of bigmodel's tiers: prompts below this, and of those the answers below `_SHORT_ANSWER`, are cheaper."""
_SHORT_ANSWER = 200


def _tier(prices: str, prompt_below: int | None = None, output_below: int | None = None) -> PriceTier:
    """A tier from "input cached output"; "-" where the list names no price."""
    fresh, cached, output = prices.split()
    cached_price = None if cached == "-" else Decimal(cached)
    return PriceTier(Decimal(fresh), cached_price, Decimal(output), prompt_below, output_below)


def _flat(prices: str) -> tuple[PriceTier, ...]:
    return (_tier(prices),)


def _short_only(prices: str) -> tuple[PriceTier, ...]:
    """Only the prices of short prompts are known."""
    return (_tier(prices, _SHORT_PROMPT),)


def _tiered(short: str, short_with_long_answer: str, long: str) -> tuple[PriceTier, ...]:
    brief = _tier(short, _SHORT_PROMPT, _SHORT_ANSWER)
    return (brief, _tier(short_with_long_answer, _SHORT_PROMPT), _tier(long))


_FREE = _flat("0 0 0")
_TEXT_TIERS = _tiered("2 0.4 8", "3 0.6 14", "4 0.8 16")

MODELS: tuple[ModelFacts, ...] = (
    ModelFacts(
        "glm-5.3",
        _MILLION,
        thinking="always",
        efforts=_LOW_HIGH_MAX,
        released="2026-08-19",
        usd=_flat("1.40 0.26 4.40"),
        cny=_flat("8 2 28"),
    ),
    ModelFacts(
        "glm-5.3-flash",
        _MILLION,
        modalities=_MULTIMODAL,
        thinking="always",
        efforts=_LOW_HIGH_MAX,
        released="2026-08-26",
        usd=_flat("0.15 0.03 0.50"),
        cny=_flat("0.8 0.23 2.8"),
    ),
    ModelFacts(
        "glm-5.3-flashx",
        1_000_000,
        modalities=_MULTIMODAL,
        thinking="always",
        efforts=_LOW_HIGH_MAX,
        released="2026-09-18",
        usd=_flat("0.37 0.075 1.25"),
        cny=_flat("2 0.57 7"),
    ),
    ModelFacts(
        "glm-5.2",
        1_000_000,
        efforts=("high", "max"),
        released="2026-06-13",
        usd=_flat("1.40 0.26 4.40"),
    ),
    ModelFacts(
        "glm-5.1",
        200_000,
        working_ceiling_tokens=70_000,
        released="2026-03-27",
        usd=_flat("1.40 0.26 4.40"),
        cny=_short_only("6 1.2 24"),
    ),
    ModelFacts(
        "glm-5",
        200_000,
        released="2026-02-11",
        usd=_flat("1.00 0.20 3.20"),
        cny=_short_only("4 - 18"),
    ),
    ModelFacts(
        "glm-5-turbo",
        200_000,
        released="2026-03-16",
        usd=_flat("1.20 0.24 4.00"),
        cny=_flat("5 1.2 22"),
    ),
    ModelFacts(
        "glm-5v-turbo",
        200_000,
        modalities=_MULTIMODAL,
        released="2026-04-01",
        usd=_flat("1.20 0.24 4.00"),
        cny=_flat("5 1.2 22"),
    ),
    ModelFacts(
        "glm-5-code",
        200_000,
        released="2026-02-11",
        usd=_flat("1.20 0.30 5.00"),
    ),
    ModelFacts(
        "glm-4.7",
        204_800,
        released="2025-12-22",
        usd=_flat("0.60 0.11 2.20"),
        cny=_TEXT_TIERS,
    ),
    ModelFacts(
        "glm-4.7-flashx",
        200_000,
        released="2026-01-19",
        usd=_flat("0.07 0.01 0.40"),
    ),
    ModelFacts(
        "glm-4.7-flash",
        200_000,
        released="2026-01-19",
        usd=_FREE,
        cny=_FREE,
    ),
    ModelFacts(
        "glm-4.6",
        204_800,
        released="2025-09-30",
        usd=_flat("0.60 0.11 2.20"),
        cny=_TEXT_TIERS,
    ),
    ModelFacts(
        "glm-4.6v",
        131_072,
        32_768,
        modalities=_MULTIMODAL,
        released="2025-12-08",
        usd=_flat("0.30 0.05 0.90"),
    ),
    ModelFacts(
        "glm-4.6v-flashx",
        131_072,
        32_768,
        modalities=_MULTIMODAL,
        released="2025-12-08",
        usd=_flat("0.04 0.004 0.40"),
    ),
    ModelFacts(
        "glm-4.6v-flash",
        131_072,
        32_768,
        modalities=_MULTIMODAL,
        released="2025-12-08",
        usd=_FREE,
        cny=_FREE,
    ),
    ModelFacts(
        "glm-4.5",
        131_072,
        98_304,
        released="2025-07-28",
        usd=_flat("0.60 0.11 2.20"),
        cny=_TEXT_TIERS,
    ),
    ModelFacts(
        "glm-4.5-x",
        131_072,
        98_304,
        released="2025-07-28",
        usd=_flat("2.20 0.45 8.90"),
        cny=_tiered("8 1.6 16", "12 2.4 32", "16 3.2 64"),
    ),
    ModelFacts(
        "glm-4.5-air",
        131_072,
        98_304,
        released="2025-07-28",
        usd=_flat("0.20 0.03 1.10"),
        cny=_tiered("0.8 0.16 2", "0.8 0.16 6", "1.2 0.24 8"),
    ),
    ModelFacts(
        "glm-4.5-airx",
        131_072,
        98_304,
        released="2025-07-28",
        usd=_flat("1.10 0.22 4.50"),
        cny=_tiered("4 0.8 12", "4 0.8 16", "8 1.6 32"),
    ),
    ModelFacts(
        "glm-4.5-flash",
        131_072,
        98_304,
        released="2025-07-28",
        usd=_FREE,
        cny=_FREE,
    ),
    ModelFacts(
        "glm-4.5v",
        65_536,
        16_384,
        modalities=_MULTIMODAL,
        released="2025-08-11",
        inline_tags=True,
        usd=_flat("0.60 0.11 1.80"),
        cny=_tiered("2 0.4 6", "2 0.4 6", "4 0.8 12"),
    ),
    ModelFacts(
        "glm-4-32b-0414-128k",
        131_072,
        16_384,
        thinking="none",
        released="2025-04-14",
        usd=_flat("0.10 - 0.10"),
        cny=_flat("0.1 - 0.1"),
    ),
)

UNLISTED = ModelFacts("", 200_000, 131_072)
_BY_ID = {facts.id: facts for facts in MODELS}


def find_model(model: str) -> ModelFacts | None:
    """The row of a model, whatever the case of its name; None if it is not listed."""
    return _BY_ID.get(model.lower())


def model_facts(model: str) -> ModelFacts:
    """The row of a model, or the cautious default under its name."""
    return find_model(model) or replace(UNLISTED, id=model)
