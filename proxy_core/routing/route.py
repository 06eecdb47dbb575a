"""The one rule that decides server, dialect and model, with its reason in words.

Order: name and variant → picture, video or file → forced dialect → preference → what only one dialect has → text goes
to the Anthropic-style side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from proxy_core.chat import Conversation, Image, Unknown, all_parts
from proxy_core.errors import UnknownModelError
from proxy_core.facts import ModelFacts, UpstreamQuirks
from proxy_core.routing.catalogue import MODELS, find_model, model_facts
from proxy_core.settings import DialectName, ProxySettings, Server

_FOREIGN = re.compile(r"^(claude-|gpt-|chatgpt-|o\d)", re.IGNORECASE)
_SMALL = re.compile(r"haiku|mini|nano", re.IGNORECASE)
_WINDOW_HINT = re.compile(r"\[\d+[km]\]$", re.IGNORECASE)
_ALIAS_PREFIX = "claude-"
_OPENAI_SIGHTS = {"video_url": "a video", "file_url": "a file"}
"""Parts that only the OpenAI-style side has, for models that see."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where one request goes. `asked` is the client's own name for the model, `reason` why it goes there. quirks: of
    the server, as far as they are known."""

    server: Server
    dialect: DialectName
    model: str
    facts: ModelFacts
    asked: str
    reason: str
    quirks: UpstreamQuirks = field(default_factory=UpstreamQuirks)


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model id as the upstream knows it, and the dialect that the name forced, if any."""

    model: str
    forced: DialectName | None


def split_variant(name: str) -> tuple[str, DialectName | None]:
    """`glm-4.6-openai` → (`glm-4.6`, OPENAI); a name without variant comes back as it is."""
    for dialect in DialectName:
        suffix = f"-{dialect.value}"
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)], dialect
    return name, None


def resolve_model(asked: str, settings: ProxySettings, discovered: Sequence[str] = ()) -> ResolvedModel:
    """The id behind a client's name. Raises UnknownModelError (404) with the names there are.

    discovered: ids that the server itself lists.
    """
    name, forced = split_variant(_WINDOW_HINT.sub("", asked.strip()))
    mapped = settings.model_map_json.get(asked) or settings.model_map_json.get(name)
    if mapped:
        model, forced_by_map = split_variant(mapped)
        return ResolvedModel(model, forced or forced_by_map)
    return ResolvedModel(_known_name(name, settings, discovered), forced)


def _known_name(name: str, settings: ProxySettings, discovered: Sequence[str]) -> str:
    bare = name[len(_ALIAS_PREFIX) :] if name.lower().startswith(_ALIAS_PREFIX) else name
    for candidate in (name, bare):
        if find_model(candidate):
            return candidate.lower()
        if candidate.lower().startswith("glm-") or candidate in (*_configured(settings), *discovered):
            return candidate
    if _FOREIGN.match(name):
        return settings.fast_model if _SMALL.search(name) else settings.autotext_model
    raise UnknownModelError(
        f"The model {name[:100]!r} is not known here.",
        hint=f"Use one of: {', '.join(list_models(settings, discovered))}; or map the name in MODEL_MAP_JSON.",
        code="model_not_found",
        param="model",
    )


def _configured(settings: ProxySettings) -> tuple[str, ...]:
    return (settings.autotext_model, settings.autovision_model, settings.fast_model)


def list_models(settings: ProxySettings, discovered: Sequence[str] = ()) -> list[str]:
    """Every id worth showing: the configured ones first, then the catalogue, what the server lists beyond it, and
    the mapped names."""
    further = [name for name in discovered if find_model(name) is None]
    names = [*_configured(settings), *(facts.id for facts in MODELS), *further, *settings.model_map_json]
    return list(dict.fromkeys(names))


def choose_route(
    conversation: Conversation, settings: ProxySettings, server: Server, discovered: Sequence[str] = ()
) -> Route:
    """Where this conversation goes. Raises UnknownModelError for a name nobody knows."""
    resolved = resolve_model(conversation.model, settings, discovered)
    if sight := find_sight(conversation):
        return _seeing_route(conversation, resolved, settings, server, sight)
    dialect, reason = _text_dialect(conversation, resolved.forced, settings)
    facts = model_facts(resolved.model)
    return Route(server, dialect, resolved.model, facts, conversation.model, reason)


def route_to_vision(conversation: Conversation, settings: ProxySettings, refused: Route) -> Route | None:
    """The way to the vision model, for a picture that the model of `refused` would not take; None if there is none."""
    sight = find_sight(conversation)
    if not sight:
        return None
    vision = ResolvedModel(settings.autovision_model, None)
    route = _seeing_route(conversation, vision, settings, refused.server, sight)
    return replace(route, reason=f"{sight}: {refused.model} does not take it", quirks=refused.quirks)


def find_sight(conversation: Conversation) -> str:
    """The first thing that must be seen, in words; "" if there is none."""
    is_openai = conversation.dialect == DialectName.OPENAI
    for part in all_parts(conversation):
        if isinstance(part, Image):
            return "a picture"
        if is_openai and isinstance(part, Unknown) and part.kind in _OPENAI_SIGHTS:
            return _OPENAI_SIGHTS[part.kind]
    return ""


def _seeing_route(
    conversation: Conversation, resolved: ResolvedModel, settings: ProxySettings, server: Server, sight: str
) -> Route:
    facts = model_facts(resolved.model)
    model = resolved.model if facts.sees else settings.autovision_model
    reason = f"{sight}: the model asked for sees" if facts.sees else f"{sight}: the vision model"
    # The user named the vision model: it counts as seeing even where the catalogue does not know it.
    facts = model_facts(model)
    seeing = facts if facts.sees else replace(facts, modalities=(*facts.modalities, "image"))
    return Route(server, DialectName.OPENAI, model, seeing, conversation.model, reason)


def _text_dialect(
    conversation: Conversation, forced: DialectName | None, settings: ProxySettings
) -> tuple[DialectName, str]:
    if forced:
        return forced, f"the model's name asks for {forced.value}"
    if settings.text_endpoint_preference != "auto":
        return DialectName(settings.text_endpoint_preference), "TEXT_ENDPOINT_PREFERENCE"
    if conversation.json_format:
        return DialectName.OPENAI, "JSON output exists on the OpenAI-style side only"
    return DialectName.ANTHROPIC, "text"
