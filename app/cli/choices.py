"""What the shell offers at TAB: servers, settings, models. Never raises: completion must stay silent."""

from __future__ import annotations

from pathlib import Path

import typer

from app.settings.describe import choices as words_of
from app.settings.load import find_home
from app.settings.schema import Settings
from app.settings.servers import read_servers
from proxy_core.routing.catalogue import MODELS


def _home(context: typer.Context) -> Path:
    given = context.params.get("home")
    return find_home(given if isinstance(given, str) else None, Path.cwd())


def complete_server(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The names of servers."""
    path = _home(context)
    found = read_servers(path).servers
    return [(one.name, one.region or one.endpoint) for one in found if one.name.startswith(incomplete)]


def complete_setting(incomplete: str) -> list[tuple[str, str]]:
    """The keys of settings."""
    fields = Settings.model_fields.items()
    return [(name, info.description or "") for name, info in fields if name.startswith(incomplete)]


def complete_setting_or_value(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The keys of settings, and the words that those with a choice take."""
    words = {word for name in Settings.model_fields for word in words_of(name) if word.startswith(incomplete)}
    return complete_setting(incomplete) + (sorted((word, "") for word in words) if incomplete else [])


def complete_model(incomplete: str) -> list[str]:
    """The catalogue's models."""
    return [model.id for model in MODELS if model.id.startswith(incomplete)]
