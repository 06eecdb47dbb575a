"""models: what can be asked for, with windows and list prices."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from app.cli.config import read_settings
from app.cli.desk import AsJson, Desk, Home, text
from app.cli.tables import table
from app.cli.words import count, money
from proxy_core.facts import ModelFacts, PriceTier
from proxy_core.jsontypes import JsonObject
from proxy_core.routing.catalogue import MODELS

_ROLES = {"autotext_model": "text", "autovision_model": "vision", "fast_model": "fast"}


def models(as_json: AsJson = False, home: Home = None) -> None:
    """List the models, their windows and prices. Prices are list prices of a million tokens."""
    desk = Desk.open(home, as_json)
    settings = {text(row, "field"): text(row, "text") for row in read_settings(desk, desk.find())}
    roles: dict[str, list[str]] = {}
    for field, role in _ROLES.items():
        roles.setdefault(settings[field], []).append(role)
    known = {model.id for model in MODELS}
    rows = [_facts(model, roles.get(model.id, [])) for model in MODELS]
    rows += [_facts(ModelFacts(name), used) for name, used in roles.items() if name not in known]
    chosen = ", ".join(f"{name} for {' and '.join(used)}" for name, used in roles.items())
    desk.tell({"models": rows}, lambda: _table(rows), f"\nIn use: {chosen}.")


def _facts(model: ModelFacts, used_for: Sequence[str]) -> JsonObject:
    return {
        "id": model.id,
        "window_tokens": model.window_tokens,
        "max_output_tokens": model.max_output_tokens,
        "sees": model.sees,
        "thinking": model.thinking,
        "released": model.released,
        "used_for": list(used_for),
        "usd": _price(model.usd),
        "cny": _price(model.cny),
    }


def _price(tiers: Sequence[PriceTier]) -> JsonObject | None:
    """The first tier; bigger requests may cost more."""
    if not tiers:
        return None
    first = tiers[0]
    cached = None if first.cached is None else str(first.cached)
    return {"input": str(first.input), "cached": cached, "output": str(first.output), "tiers": len(tiers)}


def _table(rows: Sequence[JsonObject]) -> Table:
    heads = ("Model", "Window>", "Output>", "Sees", "USD in/out>", "CNY in/out>")
    return table(heads, (_row(row) for row in rows))


def _row(row: JsonObject) -> tuple[str, ...]:
    return (
        text(row, "id"),
        count(float(text(row, "window_tokens"))),
        count(float(text(row, "max_output_tokens"))),
        "yes" if row["sees"] else "",
        _shown(row["usd"], "USD"),
        _shown(row["cny"], "CNY"),
    )


def _shown(price: object, currency: str) -> str:
    if not isinstance(price, dict):
        return "–"
    more = "+" if price["tiers"] != 1 else ""
    return f"{money(price['input'], currency)} / {money(price['output'], currency)}{more}"
