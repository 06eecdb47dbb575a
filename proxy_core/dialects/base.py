"""What every dialect must be able to do; `pipeline` knows nothing else about them.

Every dialect has a side for clients; those that upstreams speak as well have more (`Dialect`).

Reading and writing are sans-I/O: an event goes in, a list of deltas comes out, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Protocol

from proxy_core.chat import Answer, Conversation, Delta
from proxy_core.dialects.restraint import UNRESTRAINED, Restraints
from proxy_core.errors import ProxyError, UpstreamError
from proxy_core.facts import ModelFacts, UpstreamQuirks
from proxy_core.jsontypes import JsonObject
from proxy_core.tokens.scaling import scale_tokens
from proxy_core.wire.sse import SseEvent


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request is going, as far as a request writer must know.

    model: the id as the upstream shall see it. default_thinking: what to say about thinking when the client
    said nothing (None: say nothing).
    """

    model: str
    facts: ModelFacts
    quirks: UpstreamQuirks = field(default_factory=UpstreamQuirks)
    default_thinking: bool | None = None


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """A body ready to be sent. dropped: fields left out that only tune (x-proxy-dropped).

    emulated: fields that the upstream does not have and that were asked for in words instead (x-proxy-emulated).
    restraints: what has to be done to the answer, because the upstream was not asked for it or will not do it.
    """

    body: JsonObject
    dropped: tuple[str, ...] = ()
    emulated: tuple[str, ...] = ()
    restraints: Restraints = UNRESTRAINED


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """What an answer writer must know beside the answer itself.

    model: the name the client asked for, which it is told back. estimate_prompt: prompt tokens as counted
    here, asked only when the upstream's stream starts without usage. fresh_id: unique text for ids the upstream did
    not give. created: unix seconds. wants_usage: the OpenAI client asked for a usage chunk.
    request_id: our id of the call, as its header tells it, for errors told in mid-stream. headers: the client's own of
    its dialect (versions, betas), names in lower case.
    echo: what the dialect's own reader kept for its writer (`Conversation.echo`), which nobody else understands: some
    dialects repeat half of the request in the answer, or call a tool otherwise than the upstream does. Not the
    whole conversation, which would keep its pictures in memory for as long as the stream runs.
    prompt_scale: by how much the client is told more of its prompt than there is (`tokens.scaling`). Writers are given
    scaled figures; relays and `touch_answer` scale what they pass on; nobody scales what they say the deltas are.
    """

    model: str
    fresh_id: str
    created: int
    wants_usage: bool = False
    estimate_prompt: Callable[[], int] = field(default=lambda: 0)
    echo: object = None
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    prompt_scale: float = 1.0

    def told_prompt(self) -> int:
        """`estimate_prompt` as the client is told it."""
        return scale_tokens(self.estimate_prompt(), self.prompt_scale)


class StreamReader(Protocol):
    """Upstream events in, deltas out. Never raises on odd input: what it cannot understand becomes `Failed`."""

    def read(self, event: SseEvent) -> list[Delta]:
        """The deltas that this event means, in order; after `Finished` or `Failed`: nothing."""
        ...

    def close(self) -> list[Delta]:
        """The body ended: nothing if a proper end was seen, else what ends the stream honestly."""
        ...


class StreamWriter(Protocol):
    """Deltas in, the client's bytes out: complete SSE events only."""

    def write(self, delta: Delta) -> bytes:
        """Bytes for this delta, possibly none."""
        ...


class StreamRelay(Protocol):
    """Same dialect on both sides: events go through as they came, merely read on the way."""

    def relay(self, event: SseEvent) -> tuple[bytes, list[Delta]]:
        """The bytes to pass on (`event.raw` unless something has to change) and what they mean."""
        ...

    def close(self) -> tuple[bytes, list[Delta]]:
        """The body ended: an error event in this dialect unless a proper end was seen."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDialect:
    """One wire language as clients speak it, as a bundle of functions; a row of `table.CLIENT_DIALECTS`.

    read_request      parsed body → Conversation; BadRequestError names the field
    write_answer      Answer → whole reply
    open_writer       a StreamWriter for one client stream
    write_error       (error, request id) → the envelope of this dialect
    status_of         (error) → the HTTP status that goes with it: SDKs of different dialects expect different ones
    starts_with_usage its streams name the size of the prompt in their first event: worth counting meanwhile
    """

    name: str
    read_request: Callable[[JsonObject], Conversation]
    write_answer: Callable[[Answer, ReplyContext], JsonObject]
    open_writer: Callable[[ReplyContext], StreamWriter]
    write_error: Callable[[ProxyError, str], JsonObject]
    status_of: Callable[[ProxyError], int] = attrgetter("status")
    starts_with_usage: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect(ClientDialect):
    """A language that upstreams speak, too; a row of `table.DIALECTS`, under a name out of `DialectName`.

    write_request     Conversation → upstream body; raw parts survive where the dialect is the same
    read_answer       parsed whole reply → Answer; UpstreamError if it is none
    touch_answer      same dialect: the upstream's own reply with only what must change changed
    open_reader       a StreamReader for one upstream stream
    open_relay        a StreamRelay for one stream of the same dialect on both sides
    read_error        (status, body bytes, headers, unix seconds now) → UpstreamError
    credential        (key) → the one header that carries it upstream
    path              what is appended to the server's base address of this dialect
    headers           fixed headers the upstream of this dialect wants
    """

    path: str
    headers: Mapping[str, str]
    credential: Callable[[str], tuple[str, str]]
    write_request: Callable[[Conversation, Target], UpstreamRequest]
    read_answer: Callable[[JsonObject], Answer]
    touch_answer: Callable[[JsonObject, ReplyContext], JsonObject]
    open_reader: Callable[[], StreamReader]
    open_relay: Callable[[ReplyContext], StreamRelay]
    read_error: Callable[[int, bytes, Mapping[str, str], float], UpstreamError]
