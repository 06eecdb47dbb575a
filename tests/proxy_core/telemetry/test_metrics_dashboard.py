"""The dashboard asks for nothing that the proxy does not tell."""

from __future__ import annotations

import json
import re

import pytest

from tests.proxy_core.test_corridor_metrics import documented
from tests.source import ROOT

DASHBOARD = json.loads((ROOT / "resources" / "grafana" / "anthropic-proxy.json").read_text(encoding="utf-8"))
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
QUERIES.append(DASHBOARD["templating"]["list"][1]["query"])


@pytest.mark.parametrize("query", QUERIES)
def test_its_queries_name_metrics_that_exist(query: str) -> None:
    named = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"llm_proxy_\w+", query)}
    assert named
    assert named - documented() == set()
    assert query.count("(") == query.count(")") and query.count("{") == query.count("}")


def test_it_shows_all_that_is_documented() -> None:
    shown = {re.sub(r"_(bucket|sum|count)$", "", n) for q in QUERIES for n in re.findall(r"llm_proxy_\w+", q)}
    assert documented() - shown == set()


def test_no_panel_lies_on_another() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
