"""The root of all settings: what the proxy obeys, and what the program around it adds.

File keys, environment names, flags, the settings dialog and the README table are derived from these fields.
The environment name of a field is its name in capitals plus its aliases. Only the desktop group carries the prefix
ANTHROPIC_PROXY_: LANGUAGE and the like already mean something else in a desktop session.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from proxy_core.settings import Option, ProxySettings, Tokens, option

Language: TypeAlias = Literal["auto", "en", "zh_CN"]
Theme: TypeAlias = Literal["auto", "light", "dark"]
LogLevel: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

DESKTOP_PREFIX = "ANTHROPIC_PROXY_"
ADDRESS_FIELDS = frozenset({"upstream_base", "openai_upstream_base", "outbound_proxy"})

NOT_YET_IN_EFFECT = frozenset(
    {
        "enable_accurate_token_counting",
        "enable_environment_deduplication",
        "enable_message_condensation",
        "image_age_threshold",
        "generate_image_descriptions",
        "image_description_max_tokens",
        "anthropic_expected_tokens",
        "openai_expected_tokens",
        "real_text_model_tokens",
        "real_vision_model_tokens",
        "cache_dir",
    }
)
"""Accepted and checked, so that nobody's file is refused, but nothing reads them yet."""


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

    enable_accurate_token_counting: Annotated[bool, Option(group="context", title="Accurate token counting")] = True
    """Count tokens with the bundled tables instead of guessing from the length."""
    enable_environment_deduplication: Annotated[
        bool, Option(group="context", title="Drop old environment blocks", aliases=("ENABLE_ENV_DEDUPLICATION",))
    ] = True
    """Cut all environment blocks but the newest out of a conversation."""
    enable_message_condensation: Annotated[
        bool, Option(group="context", title="Condense long conversations", aliases=("ENABLE_AI_CONDENSATION",))
    ] = True
    """Summarise the oldest turns when a conversation reaches the model's working ceiling."""
    image_age_threshold: Annotated[int, Field(ge=0, le=1000), Option(group="context", title="Picture age")] = 3
    """Messages after which a picture is replaced by its description; 0 keeps every picture."""
    generate_image_descriptions: Annotated[bool, Option(group="context", title="Describe old pictures")] = True
    """Let the vision model describe pictures that are replaced."""
    image_description_max_tokens: Annotated[
        int, Field(ge=16, le=8192), Option(group="context", title="Length of descriptions", advanced=True)
    ] = 200
    """Most tokens a description may have."""
    anthropic_expected_tokens: Annotated[
        Tokens, Option(group="context", title="Window that Anthropic clients expect", advanced=True)
    ] = 200_000
    """Context window, in tokens, that Anthropic-style clients believe in."""
    openai_expected_tokens: Annotated[
        Tokens, Option(group="context", title="Window that OpenAI clients expect", advanced=True)
    ] = 200_000
    """Context window, in tokens, that OpenAI-style clients believe in."""
    real_text_model_tokens: Annotated[
        Tokens, Option(group="context", title="Real window of the text model", advanced=True)
    ] = 200_000
    """Context window of the text model, in tokens."""
    real_vision_model_tokens: Annotated[
        Tokens, Option(group="context", title="Real window of the vision model", advanced=True)
    ] = 65_536
    """Context window of the vision model, in tokens."""
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
