"""The models as data: rows that agree with themselves."""

from __future__ import annotations

import pytest

from proxy_core.routing.catalogue import MODELS, find_model, model_facts


def test_ids_are_lower_case_and_listed_once() -> None:
    ids = [facts.id for facts in MODELS]
    assert ids == list(dict.fromkeys(name.lower() for name in ids))


@pytest.mark.parametrize("facts", MODELS, ids=lambda facts: facts.id)
def test_figures_of_a_row_fit_each_other(facts) -> None:
    assert facts.max_output_tokens <= facts.window_tokens
    assert (facts.working_ceiling_tokens or 1) <= facts.window_tokens
    assert facts.modalities[0] == "text"


@pytest.mark.parametrize(
    ("model", "window", "cap", "sees"),
    [
        ("glm-5.3", 1_048_576, 131_072, False),
        ("GLM-5.3-Flash", 1_048_576, 131_072, True),
        ("glm-5.3-flashx", 1_000_000, 131_072, True),
        ("glm-4.7", 204_800, 131_072, False),
        ("glm-4.6v", 131_072, 32_768, True),
        ("glm-4.5-air", 131_072, 98_304, False),
        ("glm-4.5v", 65_536, 16_384, True),
    ],
)
def test_what_the_vendor_says(model: str, window: int, cap: int, sees: bool) -> None:
    facts = model_facts(model)
    assert (facts.window_tokens, facts.max_output_tokens, facts.sees) == (window, cap, sees)


def test_a_model_that_goes_wrong_early_has_a_ceiling() -> None:
    assert model_facts("glm-5.1").working_ceiling_tokens == 70_000


def test_an_unlisted_model_gets_cautious_facts_under_its_name() -> None:
    assert find_model("glm-9") is None
    assert (model_facts("glm-9").id, model_facts("glm-9").sees) == ("glm-9", False)
