"""Our words for the traffic: one conversation, one answer, one stream of deltas.

Every dialect reads into these and writes out of them (hub and spokes), so a new dialect adds a room and
no branch elsewhere. All values are immutable; an edit makes a new value.

How the same dialect stays lossless: a reader keeps the raw JSON of the request (`Conversation.raw`), of
each message (`Message.raw`) and of each part (`Part.raw`). A writer of the *same* dialect emits `raw` wherever
it is present and renders only what lost it. Whoever edits a part or message builds a new one without `raw`, or with a
`raw` that was edited alike (`context.edits`: cache marks and names survive so), and copies its message in the same
way; nothing else has to be tracked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, TypeAlias

from proxy_core.errors import ProxyError
from proxy_core.jsontypes import JsonObject

Role: TypeAlias = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text, from either side."""

    text: str
    raw: JsonObject | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: either `data` (base64, no prefix) with its `media_type`, or a `url`."""

    media_type: str = ""
    data: str = ""
    url: str = ""
    raw: JsonObject | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A file given to the model: text, base64 data (PDF) or a URL."""

    title: str = ""
    text: str = ""
    media_type: str = ""
    data: str = ""
    url: str = ""
    raw: JsonObject | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Thinking:
    """Reasoning text. `signature` is opaque and belongs to whoever issued it; empty where unknown.

    redacted: the payload of a redacted thinking block (then `text` is empty).
    """

    text: str
    signature: str = ""
    redacted: str = ""
    raw: JsonObject | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool. `arguments` is the JSON text as it came; "" means an empty object."""

    id: str
    name: str
    arguments: str
    raw: JsonObject | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The client's answer to a tool call; `parts` may hold text, pictures and documents."""

    call_id: str
    parts: tuple[ResultPart, ...] = ()
    is_error: bool = False
    raw: JsonObject | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part we have no word for. It survives in its own dialect; across dialects it is named and refused
    or rendered as `text` where the reader could give one."""

    kind: str
    text: str = ""
    raw: JsonObject | None = field(default=None, compare=False, repr=False)


ResultPart: TypeAlias = Text | Image | Document | Unknown
Part: TypeAlias = Text | Image | Document | Thinking | ToolCall | ToolResult | Unknown


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the client sent it: exactly one raw message of the dialect it was read from.

    Tool results are parts of a *user* message. An OpenAI `role:"tool"` message is a user message with one
    ToolResult; merging neighbours is the business of the writer that needs it.
    """

    role: Role
    parts: tuple[Part, ...]
    raw: JsonObject | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call. `schema` is its JSON Schema.

    kind: "function" for every ordinary client tool; otherwise the dialect's own type
    ("web_search_20250305", "bash_20250124", "custom"), which only its own dialect can carry.
    """

    name: str
    description: str = ""
    schema: Mapping[str, object] = field(default_factory=dict)
    kind: str = "function"
    raw: JsonObject | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Which tool must be called: mode "tool" names one. parallel=False allows one call at most."""

    mode: Literal["auto", "any", "none", "tool"] = "auto"
    name: str = ""
    parallel: bool = True


@dataclass(frozen=True, slots=True)
class ThinkingRequest:
    """What the client asked about reasoning. None in any field: not said.

    enabled: True/False where switched, None for "adaptive"; effort: none…max; budget_tokens: Anthropic's.
    """

    enabled: bool | None = None
    effort: str | None = None
    budget_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """The client wants JSON out; `schema` is None for any object."""

    schema: JsonObject | None = None
    name: str = "response"


@dataclass(frozen=True, slots=True)
class Sampling:
    """What tunes the model. None: not said."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """One request, read. `dialect` names the room it came from and therefore whose `raw` it carries.

    system: the Anthropic top-level system prompt; system messages inside `messages` stay where they stood.
    wants_usage: an OpenAI client that set stream_options.include_usage.
    dropped: names of fields that only tune and that the reader could not keep (x-proxy-dropped).
    echo: what the answer writer of the same dialect must know of the request; opaque to all others, and small.
    """

    dialect: str
    model: str
    messages: tuple[Message, ...]
    system: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    sampling: Sampling = Sampling()
    thinking: ThinkingRequest | None = None
    json_format: JsonFormat | None = None
    stream: bool = False
    wants_usage: bool = False
    user_id: str = ""
    dropped: tuple[str, ...] = ()
    echo: object = field(default=None, compare=False, repr=False)
    raw: JsonObject = field(default_factory=dict, compare=False, repr=False)


def all_parts(conversation: Conversation) -> list[Part]:
    """Every part of every message, tool results opened, in order."""
    found: list[Part] = []
    for message in conversation.messages:
        for part in message.parts:
            found.append(part)
            if isinstance(part, ToolResult):
                found.extend(part.parts)
    return found


def has_images(conversation: Conversation) -> bool:
    """Whether a picture stands anywhere, tool results included."""
    return any(isinstance(part, Image) for part in all_parts(conversation))


class StopReason(StrEnum):
    """Why the model stopped."""

    END_TURN = "end_turn"
    MAX_TOKENS = "max_tokens"
    STOP_SEQUENCE = "stop_sequence"
    TOOL_USE = "tool_use"
    PAUSE_TURN = "pause_turn"
    REFUSAL = "refusal"
    CONTEXT_EXCEEDED = "context_exceeded"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the upstream reported them. `input_tokens` excludes both cache figures (they are disjoint)."""

    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int | None = None

    @property
    def prompt_tokens(self) -> int:
        """The whole prompt, cache included."""
        return self.input_tokens + self.cached_tokens + self.cache_write_tokens


AnswerPart: TypeAlias = Text | Thinking | ToolCall


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole reply, or a folded stream.

    extras: what the reader kept for the answer writer of the same dialect, as `Conversation.echo` is for requests.
    """

    id: str
    model: str
    parts: tuple[AnswerPart, ...]
    stop: StopReason
    usage: Usage = Usage()
    stop_sequence: str | None = None
    created: int | None = None
    extras: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Started:
    """First delta of every stream. usage is what the upstream claimed at the start, if anything; extras as in
    `Answer`."""

    id: str
    model: str
    usage: Usage | None = None
    created: int | None = None
    extras: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More visible text."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """More reasoning. signature/redacted arrive at most once per block, after its text."""

    text: str = ""
    signature: str = ""
    redacted: str = ""


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """A tool call begins; `index` counts calls from 0 in the order they begin."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """More of a call's arguments (a fragment of JSON text)."""

    index: int
    fragment: str


@dataclass(frozen=True, slots=True)
class BlockEnded:
    """The block that was open is complete. Readers of dialects without this notion may leave it out."""


@dataclass(frozen=True, slots=True)
class UsageDelta:
    """Usage so far; a later one replaces an earlier one."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Stopped:
    """The model is done; usage may still follow."""

    reason: StopReason
    sequence: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The stream is complete. Only a reader that saw a proper end emits it, once, as its last delta.

    extras: as in `Answer`, all of them; None: there are none but those of `Started`.
    """

    extras: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The stream broke: the client must see an error and never a normal end. Last delta of its stream."""

    error: ProxyError


@dataclass(frozen=True, slots=True)
class Pinged:
    """The upstream is alive but has nothing to say."""


Delta: TypeAlias = (
    Started
    | TextDelta
    | ThinkingDelta
    | ToolCallStarted
    | ToolCallDelta
    | BlockEnded
    | UsageDelta
    | Stopped
    | Finished
    | Failed
    | Pinged
)


def merge_usage(old: Usage, new: Usage) -> Usage:
    """`new` over `old`: figures that `new` leaves at zero keep what was said before."""
    return Usage(
        input_tokens=new.input_tokens or old.input_tokens,
        cached_tokens=new.cached_tokens or old.cached_tokens,
        cache_write_tokens=new.cache_write_tokens or old.cache_write_tokens,
        output_tokens=new.output_tokens or old.output_tokens,
        thinking_tokens=old.thinking_tokens if new.thinking_tokens is None else new.thinking_tokens,
    )


def with_messages(conversation: Conversation, messages: tuple[Message, ...]) -> Conversation:
    """The same request with other messages; unchanged messages keep their raw form."""
    return replace(conversation, messages=messages)
