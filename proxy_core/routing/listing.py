"""The body of `GET /v1/models`: one union that the OpenAI and the Anthropic SDK both accept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from proxy_core.jsontypes import JsonObject
from proxy_core.routing.catalogue import model_facts
from proxy_core.routing.route import list_models, resolve_model, split_variant
from proxy_core.settings import DialectName, ProxySettings

_LONG_AGO = "2025-01-01"


def model_names(settings: ProxySettings, discovered: Sequence[str] = ()) -> list[str]:
    """Every published name: ids, the forced variants of the configured text model, `claude-` aliases for pickers
    that show nothing else. discovered: ids that the server itself lists."""
    ids = list_models(settings, discovered)
    variants = [f"{settings.autotext_model}-{dialect.value}" for dialect in DialectName]
    aliases = [f"claude-{name}" for name in ids if name.lower().startswith("glm-")]
    return list(dict.fromkeys([ids[0], *variants, *ids[1:], *aliases]))


def list_page(names: Sequence[str], limit: int | None, after_id: str | None, before_id: str | None) -> JsonObject:
    """One page of the list of these names; without `limit` and cursors it is the whole list.

    A page before a cursor is the one that ends there, and has_more then means more ahead of it.
    after_id/before_id: a cursor that is not in the list is ignored, as a changed list must not break a client.
    """
    start = 0
    if after_id in names:
        names = names[names.index(after_id) + 1 :]
    elif before_id in names:
        names = names[: names.index(before_id)]
        start = 0 if limit is None else max(0, len(names) - limit)
    page = names if limit is None else names[start : start + limit]
    return {
        "object": "list",
        "data": [describe_model(name) for name in page],
        "has_more": len(page) < len(names),
        "first_id": page[0] if page else None,
        "last_id": page[-1] if page else None,
    }


def find_listed(name: str, settings: ProxySettings, discovered: Sequence[str] = ()) -> JsonObject:
    """One entry by name. Raises UnknownModelError."""
    if name not in model_names(settings, discovered):
        resolve_model(name, settings, discovered)  # known by rule although not listed, or 404 with the list
    return describe_model(name)


def describe_model(name: str) -> JsonObject:
    """The union entry of one name; unlisted models get the cautious facts."""
    bare, _ = split_variant(name)
    facts = model_facts(bare.removeprefix("claude-"))
    released = datetime.fromisoformat(facts.released or _LONG_AGO).replace(tzinfo=UTC)
    return {
        "id": name,
        "type": "model",
        "object": "model",
        "display_name": name.removeprefix("claude-").upper() if "glm" in name.lower() else name,
        "created_at": released.isoformat().replace("+00:00", "Z"),
        "created": int(released.timestamp()),
        "owned_by": "zai",
        "lifecycle": "active",
        "max_input_tokens": facts.window_tokens,
        "max_tokens": facts.max_output_tokens,
    }
