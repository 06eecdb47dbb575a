"""What the proxy can be told, declared once: type, default, bounds, help and whether it needs a restart.

Everything else (file keys, environment names, command line, settings dialog, README table) is derived from these
declarations. The environment name of a field is its name in capitals, plus the aliases given here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from proxy_core.facts import Currency

Plan: TypeAlias = Literal["coding", "payg"]


class DialectName(StrEnum):
    """The wire languages an upstream can be spoken to in."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"


class Server(BaseModel):
    """A configured upstream. Without explicit addresses they follow from `endpoint` and `plan`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    endpoint: str = ""
    region: str = ""
    plan: Plan = "coding"
    anthropic_base: str = ""
    openai_base: str = ""

    def base(self, dialect: DialectName) -> str:
        """Address of one dialect, without the last part that each request appends and without a slash."""
        root = self.endpoint.rstrip("/")
        if dialect is DialectName.ANTHROPIC:
            return self.anthropic_base.rstrip("/") or f"{root}/api/anthropic"
        paas = "coding/paas" if self.plan == "coding" else "paas"
        return self.openai_base.rstrip("/") or f"{root}/api/{paas}/v4"

    @property
    def currency(self) -> Currency:
        """What this server's prices are in."""
        return "CNY" if "bigmodel.cn" in f"{self.endpoint} {self.anthropic_base} {self.openai_base}" else "USD"


BUILTIN_SERVERS: tuple[Server, ...] = (
    Server(name="international", endpoint="https://api.z.ai", region="International"),
    Server(name="cn", endpoint="https://open.bigmodel.cn", region="China"),
)


@dataclass(frozen=True, slots=True)
class Option:
    """What a declaration says beside type and default. group: the page it is shown on.

    title: the label a form shows. live: applies to the next request; otherwise the listener is bound anew
    (without a restart of the program). aliases: further environment names.
    """

    group: str
    title: str
    live: bool = True
    advanced: bool = False
    aliases: tuple[str, ...] = ()


Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86_400)]
Tokens: TypeAlias = Annotated[int, Field(ge=1_000, le=10_000_000)]
Preference: TypeAlias = Literal["auto", "anthropic", "openai"]
EnvironmentStrategy: TypeAlias = Literal["keep_latest", "merge", "off"]
ImageStrategy: TypeAlias = Literal["route", "describe"]


class ProxySettings(BaseModel):
    """All that the proxy itself obeys. Frozen: a change makes a new value, a request keeps the one it began with."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    host: Annotated[str, Field(min_length=1), Option(group="server", title="Address", live=False)] = "127.0.0.1"
    """Address to listen on. Anything beyond loopback needs an access key."""
    port: Annotated[int, Field(ge=0, le=65_535), Option(group="server", title="Port", live=False)] = 5000
    """Port to listen on; 0 takes any free one."""
    allowed_hosts: Annotated[tuple[str, ...], Option(group="server", title="Further host names", advanced=True)] = ()
    """Host names, beside loopback ones, under which clients may call (Host header), separated by commas."""
    max_body_mb: Annotated[
        int, Field(ge=1, le=1024), Option(group="server", title="Largest request", live=False, advanced=True)
    ] = 64
    """Largest request body in MiB; a larger one gets 413."""

    current_server: Annotated[str, Field(min_length=1), Option(group="upstream", title="Server")] = "international"
    """Name of the server that requests go to."""
    upstream_base: Annotated[str, Option(group="upstream", title="Anthropic-style address", advanced=True)] = ""
    """Overrides the current server's Anthropic-style address, e.g. https://api.z.ai/api/anthropic."""
    openai_upstream_base: Annotated[str, Option(group="upstream", title="OpenAI-style address", advanced=True)] = ""
    """Overrides the current server's OpenAI-style address, e.g. https://api.z.ai/api/coding/paas/v4."""
    forward_client_key: Annotated[bool, Option(group="upstream", title="Use the client's key")] = True
    """Use the client's own key upstream where no key is stored for the server."""
    max_retries: Annotated[int, Field(ge=0, le=10), Option(group="upstream", title="Retries", advanced=True)] = 2
    """Further tries while nothing has reached the client yet; 0 passes every error on."""
    failover_server: Annotated[str, Option(group="upstream", title="Fail-over server", advanced=True)] = ""
    """Name of the server for requests whose own server is down; empty: an error is passed on. Needs a stored key."""
    outbound_proxy: Annotated[
        str,
        Option(group="upstream", title="Outbound HTTP proxy", advanced=True, aliases=("HTTPS_PROXY", "https_proxy")),
    ] = ""
    """HTTP proxy on the way to the server (http://host:port); never used for loopback addresses."""

    autotext_model: Annotated[str, Field(min_length=1), Option(group="models", title="Text model")] = "glm-4.6"
    """Model for text, and for every claude-* or gpt-* name."""
    autovision_model: Annotated[str, Field(min_length=1), Option(group="models", title="Vision model")] = "glm-4.6v"
    """Model for requests with a picture, where the asked one cannot see."""
    fast_model: Annotated[str, Field(min_length=1), Option(group="models", title="Fast model")] = "glm-4.5-air"
    """Model for small names: *haiku*, *mini*, *nano*."""
    text_endpoint_preference: Annotated[Preference, Option(group="models", title="Endpoint for text")] = "auto"
    """Which upstream dialect text goes to: auto, anthropic or openai."""
    model_map_json: Annotated[
        dict[str, str], Option(group="models", title="Model map", advanced=True, aliases=("MODEL_MAP",))
    ] = Field(default_factory=dict)
    """JSON object of client model name to model id, looked at before any other rule."""
    enable_zai_thinking: Annotated[bool, Option(group="models", title="Thinking")] = True
    """Ask models that can think to do so where the client does not say."""

    enable_accurate_token_counting: Annotated[bool, Option(group="context", title="Accurate token counting")] = True
    """Count tokens with the bundled tables instead of guessing from the length."""
    strip_volatile_prefixes: Annotated[bool, Option(group="context", title="Steady beginnings", advanced=True)] = True
    """Take lines that change with every request out of the system prompt, so that the upstream's cache holds."""
    enable_environment_deduplication: Annotated[
        bool, Option(group="context", title="Drop old environment blocks", aliases=("ENABLE_ENV_DEDUPLICATION",))
    ] = True
    """Cut all environment blocks but the newest out of a conversation."""
    environment_deduplication_strategy: Annotated[
        EnvironmentStrategy,
        Option(
            group="context",
            title="Old environment blocks",
            advanced=True,
            aliases=("ENV_DEDUPLICATION_STRATEGY",),
        ),
    ] = "keep_latest"
    """What happens to old blocks: keep_latest cuts them, merge moves lines found nowhere else into the newest, off."""
    image_age_threshold: Annotated[int, Field(ge=0, le=1000), Option(group="context", title="Picture age")] = 3
    """Messages after which a picture is replaced by its description; 0 keeps every picture."""
    image_strategy: Annotated[ImageStrategy, Option(group="context", title="Fresh pictures")] = "route"
    """What happens to fresh pictures: route sends the request to the vision model, describe describes them at once
    for the text model."""
    generate_image_descriptions: Annotated[bool, Option(group="context", title="Describe old pictures")] = True
    """Let the vision model describe pictures that are replaced; otherwise a placeholder stands for them."""
    image_description_max_tokens: Annotated[
        int, Field(ge=16, le=8192), Option(group="context", title="Length of descriptions", advanced=True)
    ] = 200
    """Most tokens a description may have."""
    image_description_timeout: Annotated[
        Seconds, Option(group="context", title="Wait for descriptions", advanced=True)
    ] = 20.0
    """Seconds that a request waits for descriptions; then a placeholder goes, and they are finished meanwhile."""
    description_store_mb: Annotated[
        int, Field(ge=1, le=100_000), Option(group="context", title="Size of the description store", advanced=True)
    ] = 200
    """Most MiB of descriptions and thumbnails that are kept; pinned ones always stay."""
    enable_message_condensation: Annotated[
        bool, Option(group="context", title="Condense long conversations", aliases=("ENABLE_AI_CONDENSATION",))
    ] = True
    """Summarise the oldest turns when a conversation reaches the model's working ceiling."""
    condensation_model: Annotated[str, Option(group="context", title="Model for summaries", advanced=True)] = ""
    """Model that summarises; empty: the one that the conversation goes to, whose cache knows it already."""
    condensation_timeout: Annotated[Seconds, Option(group="context", title="Wait for summaries", advanced=True)] = 60.0
    """Seconds that a request waits for a summary; then it goes as it is."""
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

    request_timeout: Annotated[Seconds, Option(group="timeouts", title="Whole request", advanced=True)] = 300.0
    """Seconds a plain (not streamed) request may take in all."""
    stream_timeout: Annotated[Seconds, Option(group="timeouts", title="Stream idle", advanced=True)] = 300.0
    """Seconds of silence in the middle of a stream before it is given up."""
    first_byte_timeout: Annotated[Seconds, Option(group="timeouts", title="First byte", advanced=True)] = 300.0
    """Seconds to wait for the first byte of an answer."""
    connect_timeout: Annotated[Seconds, Option(group="timeouts", title="Connect", advanced=True)] = 10.0
    """Seconds to wait for a connection to the server."""
    shutdown_grace: Annotated[float, Field(ge=0, le=600), Option(group="timeouts", title="Grace", advanced=True)] = 5.0
    """Seconds that running streams get when the program ends."""


def option(name: str, model: type[BaseModel] = ProxySettings) -> Option:
    """The declaration behind a field. Raises KeyError for an unknown name."""
    for item in model.model_fields[name].metadata:
        if isinstance(item, Option):
            return item
    raise KeyError(name)
