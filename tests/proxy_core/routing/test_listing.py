"""The models list that two SDKs read."""

import pytest
from anthropic.types import ModelInfo
from openai.types import Model

from proxy_core.errors import UnknownModelError
from proxy_core.routing.listing import find_listed, list_page, model_names
from proxy_core.settings import ProxySettings

SETTINGS = ProxySettings()
NAMES = model_names(SETTINGS)


def ids(page: dict[str, object]) -> list[str]:
    data = page["data"]
    assert isinstance(data, list)
    return [entry["id"] for entry in data]


def test_the_text_model_leads_and_its_variants_follow() -> None:
    assert model_names(SETTINGS)[:3] == ["glm-4.6", "glm-4.6-anthropic", "glm-4.6-openai"]
    assert "claude-glm-5.3" in model_names(SETTINGS)


def test_every_entry_is_a_model_of_both_sdks() -> None:
    for name in model_names(SETTINGS):
        entry = find_listed(name, SETTINGS)
        assert Model.model_validate(entry).id == name
        assert ModelInfo.model_validate(entry).created_at.year >= 2025


@pytest.mark.parametrize(
    ("limit", "after", "before", "expected"),
    [
        (2, None, None, ["glm-4.6", "glm-4.6-anthropic"]),
        (1, "glm-4.6", None, ["glm-4.6-anthropic"]),
        (None, None, "glm-4.6-openai", ["glm-4.6", "glm-4.6-anthropic"]),
        (1, None, "glm-4.6-openai", ["glm-4.6-anthropic"]),
        (1, "not-there", None, ["glm-4.6"]),
        (1, None, "not-there", ["glm-4.6"]),
    ],
)
def test_pages(limit: int | None, after: str | None, before: str | None, expected: list[str]) -> None:
    page = list_page(NAMES, limit, after, before)
    assert ids(page) == expected
    assert (page["first_id"], page["last_id"]) == (expected[0], expected[-1])


def test_walking_the_pages_meets_every_name_once() -> None:
    names: list[str] = []
    page = list_page(NAMES, 7, None, None)
    while True:
        names += ids(page)
        if not page["has_more"]:
            break
        page = list_page(NAMES, 7, names[-1], None)
    assert names == NAMES


def test_walking_back_meets_every_name_once() -> None:
    page = list_page(NAMES, 7, None, NAMES[-1])
    names = ids(page)
    while page["has_more"]:
        page = list_page(NAMES, 7, None, names[0])
        names = ids(page) + names
    assert [*names, NAMES[-1]] == NAMES


def test_what_the_server_lists_follows_the_bundled_table_under_cautious_facts() -> None:
    discovered = ("GLM-5.3", "glm-6", "house-7b")
    names = model_names(SETTINGS, discovered)
    assert [name for name in names if name not in NAMES] == ["glm-6", "house-7b", "claude-glm-6"]
    assert find_listed("house-7b", SETTINGS, discovered)["max_input_tokens"] == 200_000
    assert find_listed("glm-5.3", SETTINGS, discovered)["max_input_tokens"] == 1_048_576


def test_an_unknown_model_is_404() -> None:
    with pytest.raises(UnknownModelError):
        find_listed("llama-3", SETTINGS)
