"""The root of all settings: what the proxy obeys, and what the program around it adds.

File keys, environment names, flags, the settings dialog and the README table are derived from these fields.
The environment name of a field is its name in capitals plus its aliases. Only the desktop group carries the prefix
ANTHROPIC_PROXY_: LANGUAGE and the like already mean something else in a desktop session.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from proxy_core.settings import Option, ProxySettings, option

Language: TypeAlias = Literal["auto", "en", "zh_CN"]
Theme: TypeAlias = Literal["auto", "light", "dark"]
LogLevel: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

DESKTOP_PREFIX = "ANTHROPIC_PROXY_"
ADDRESS_FIELDS = frozenset({"upstream_base", "openai_upstream_base", "outbound_proxy"})


def parse_address(text: str, scheme: str = "https") -> str:
    """An http(s) address without the slash at its end; the scheme is added where none stands.

    Raises ValueError in words for people.
    """
    address = text.strip().rstrip("/")
    if "://" not in address:
        address = f"{scheme}://{address}"
    parts = urlsplit(address)
    _ = parts.port  # raises ValueError where it is no number
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(c.isspace() for c in address):
        raise ValueError("not an http:// or https:// address")
    return address


class Settings(ProxySettings):
    """Everything the program can be told. Secrets are no settings: they are never here."""

    require_access_key: Annotated[bool, Option(group="server", title="Demand an access key")] = False
    """Demand an access key from clients: PROXY_ACCESS_KEY, or else one that is made and kept in the keyring."""

    language: Annotated[Language, Option(group="desktop", title="Language")] = "auto"
    """Language of the window and the menu: auto, en or zh_CN."""
    theme: Annotated[Theme, Option(group="desktop", title="Appearance")] = "auto"
    """Colours of the window: auto, light or dark."""
    open_window_at_start: Annotated[bool, Option(group="desktop", title="Open the window at start")] = False
    """Show the window when the program starts, not only the tray icon."""

    log_level: Annotated[LogLevel, Option(group="logging", title="Log level")] = "INFO"
    """The least that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL."""
    enable_structured_logging: Annotated[bool, Option(group="logging", title="JSON logs")] = False
    """Log JSON lines where the log does not go to a terminal."""
    debug: Annotated[bool, Option(group="logging", title="Debug", advanced=True)] = False
    """Log everything, whatever the log level says."""

    log_days: Annotated[int, Field(ge=1, le=3650), Option(group="logging", title="Days of logs", advanced=True)] = 14
    """Days for which log files are kept."""
    log_mb: Annotated[int, Field(ge=1, le=10_000), Option(group="logging", title="Size of the logs", advanced=True)] = (
        100
    )
    """Most MiB of log files; the oldest go first."""
    log_upstream_bodies: Annotated[bool, Option(group="logging", title="Log what is said", advanced=True)] = False
    """Log what servers are sent and what they answer, 64 KiB of each at most. Prompts then stand in the log files."""

    history_days: Annotated[
        int, Field(ge=1, le=3650), Option(group="logging", title="Days of history", advanced=True)
    ] = 90
    """Days for which single requests are kept in the history (figures only, never what was said)."""
    history_mb: Annotated[
        int, Field(ge=1, le=10_000), Option(group="logging", title="Size of the history", advanced=True)
    ] = 200
    """Most MiB of history; the oldest requests go first."""

    cache_dir: Annotated[str, Option(group="context", title="Folder of descriptions", advanced=True)] = ""
    """Folder of the picture descriptions; empty: `cache` in the data folder."""

    @field_validator(*ADDRESS_FIELDS)
    @classmethod
    def _check_address(cls, value: str, info: ValidationInfo) -> str:
        scheme = "http" if info.field_name == "outbound_proxy" else "https"
        return parse_address(value, scheme) if value.strip() else ""


def environment_names(field: str) -> tuple[str, ...]:
    """The names under which the environment and .env may set a field; the first one is the documented one."""
    declared = option(field, Settings)
    prefix = DESKTOP_PREFIX if declared.group == "desktop" else ""
    return (prefix + field.upper(), *declared.aliases)
