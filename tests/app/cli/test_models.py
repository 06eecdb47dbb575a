from __future__ import annotations

import re

from proxy_core.routing.catalogue import MODELS


def test_models_with_windows_and_prices(say, tmp_path):
    shown, facts = say("models", home=tmp_path), say("models", "--json", home=tmp_path).facts["models"]
    by_id = {row["id"]: row for row in facts}
    assert set(by_id) == {model.id for model in MODELS}
    assert (by_id["glm-4.6"]["used_for"], by_id["glm-4.6v"]["sees"]) == (["text"], True)
    assert re.search(r"glm-4\.6 +[\d,]+ ", shown.out)
    assert "In use: glm-4.6 for text, glm-4.6v for vision, glm-4.5-air for fast." in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80


def test_a_model_of_ones_own_is_listed_too(say, tmp_path):
    (tmp_path / "config.yaml").write_text("autotext_model: glm-9\n")
    rows = say("models", "--json", home=tmp_path).facts["models"]
    assert (rows[-1]["id"], rows[-1]["used_for"], rows[-1]["usd"]) == ("glm-9", ["text"], None)
