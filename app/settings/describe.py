"""The declarations in words: what a value may be, and the rows of the README table and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from types import NoneType
from typing import Literal, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from app.settings.schema import ADDRESS_FIELDS, Settings, environment_names
from proxy_core.settings import option


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting, as people read it. live: a change needs no new listener."""

    field: str
    environment: tuple[str, ...]
    allowed: str
    default: str
    help: str
    group: str
    title: str
    live: bool
    advanced: bool


def choices(field: str) -> tuple[str, ...]:
    """The words a field may hold, where it may hold only some."""
    annotation = Settings.model_fields[field].annotation
    return tuple(str(word) for word in get_args(annotation)) if get_origin(annotation) is Literal else ()


def bounds(field: str) -> tuple[float, float]:
    """The smallest and the largest number a field may hold; infinite where there is no bound."""
    low, high = -inf, inf
    for item in Settings.model_fields[field].metadata:
        match item:
            case annotated_types.Ge(ge=int() | float() as edge) | annotated_types.Gt(gt=int() | float() as edge):
                low = edge
            case annotated_types.Le(le=int() | float() as edge):
                high = edge
            case _:
                pass
    return low, high


def allowed(field: str) -> str:
    """What a field may hold, in words."""
    words = choices(field)
    if words:
        return "one of " + ", ".join(words)
    if field in ADDRESS_FIELDS:
        return "an http:// or https:// address"
    return _allowed_type(field, Settings.model_fields[field])


def _allowed_type(field: str, info: FieldInfo) -> str:
    kind = info.annotation or NoneType
    if kind is bool:
        return "true or false (also 1/0, yes/no, on/off)"
    if kind is int or kind is float:
        return _allowed_number(field, "a whole number" if kind is int else "a number")
    if get_origin(kind) is dict:
        return 'a JSON object of text to text, such as {"gpt-4o": "glm-4.6"}'
    if get_origin(kind) is tuple:
        return "names separated by commas"
    return "text, not empty" if any(isinstance(m, annotated_types.MinLen) for m in info.metadata) else "text"


def _allowed_number(field: str, words: str) -> str:
    low, high = bounds(field)
    is_open = any(isinstance(item, annotated_types.Gt) for item in Settings.model_fields[field].metadata)
    return f"{words} {'above' if is_open else 'from'} {low:.0f} to {high:.0f}"


def value_text(value: object) -> str:
    """A value as one would write it into the environment."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value == {} else str(value)


def describe_settings() -> tuple[SettingRow, ...]:
    """One row per setting, in the order of their declaration."""
    return tuple(_row(name, info) for name, info in Settings.model_fields.items())


_KEYS = """\
# Settings of Anthropic Proxy: copy this file to .env and take out the # in front of what you change.
# Written by `make readme` from the declarations; the values shown are the defaults.

# The key for the server. On a desktop leave it out: there it belongs into the system keyring.
SERVER_API_KEY=your_z_ai_api_key
# Or a file that holds it, such as a mounted secret.
#SERVER_API_KEY_FILE=/run/secrets/server_api_key
# What clients must send as their API key. Needed for any address beyond loopback, and so by docker-compose.yml.
PROXY_ACCESS_KEY=
#PROXY_ACCESS_KEY_FILE=/run/secrets/proxy_access_key
# For several instances behind a load balancer: the Valkey or Redis server through which they share descriptions of
# pictures, summaries, learned token ratios, the state of servers and the limit of requests in flight of each key.
# Every instance needs the same one. With a password: redis://:password@host:6379/0, rediss:// for TLS.
#SHARED_STORE=redis://host:6379/0
#SHARED_STORE_FILE=/run/secrets/shared_store
# The data folder; empty: .anthropic-proxy in the home folder.
#ANTHROPIC_PROXY_HOME=
"""


def env_example() -> str:
    """The text of .env.example: every name that the environment may set, its help, what it may be and its default."""
    parts, group = [_KEYS], ""
    rows = describe_settings()
    groups = list(dict.fromkeys(row.group for row in rows))
    for row in sorted(rows, key=lambda row: groups.index(row.group)):
        if row.group != group:
            group = row.group
            parts.append(f"# --- {group} ---\n")
        words = row.help.replace("\n", " ")
        value = f"'{row.default}'" if " " in row.default else row.default
        parts.append(f"# {words}\n# Allowed: {row.allowed}.\n#{row.environment[0]}={value}\n")
    return "\n".join(parts)


def _row(name: str, info: FieldInfo) -> SettingRow:
    declared = option(name, Settings)
    return SettingRow(
        field=name,
        environment=environment_names(name),
        allowed=allowed(name),
        default=value_text(info.get_default(call_default_factory=True, validated_data={})),
        help=info.description or "",
        group=declared.group,
        title=declared.title,
        live=declared.live,
        advanced=declared.advanced,
    )
