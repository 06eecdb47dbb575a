"""A client's request in every form in which it goes out: as it was routed, repaired, or to another server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from proxy_core.chat import Conversation
from proxy_core.dialects.base import ClientDialect, ReplyContext, UpstreamRequest
from proxy_core.dialects.table import DIALECTS
from proxy_core.pipeline.outgoing import address_request, encode_body, target_of
from proxy_core.pipeline.record import ExchangeRecord
from proxy_core.pipeline.setup import Call, Setup
from proxy_core.pipeline.trimming import Trimmed
from proxy_core.pipeline.turning import Passage
from proxy_core.routing.catalogue import find_model
from proxy_core.routing.route import Route
from proxy_core.settings import ProxySettings
from proxy_core.tokens.scaling import prompt_scale
from proxy_core.upstream.client import Outgoing
from proxy_core.wire.headers import header_text

MOST_REPAIRS = 2
"""So many times one request is changed after a refusal; each time in another way."""
CALL_REPAIR = "tool_choice"
"""The repair that asks once more for a tool call that did not come."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of whom: all that a request is written from. trimmed: how the conversation became what it is."""

    conversation: Conversation
    route: Route
    trimmed: Trimmed


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request as it goes to one server. repairs: the names of what was changed in it after refusals.

    max_retries: further tries of the very same. is_background: it may wait behind others.
    """

    draft: Draft
    ask: Ask
    repairs: tuple[str, ...]
    passage: Passage
    outgoing: Outgoing
    max_retries: int
    is_background: bool

    @property
    def server(self) -> str:
        """The server's name."""
        return self.ask.route.server.name

    def within(self, left_s: float) -> Attempt:
        """The same with so many seconds for all of it."""
        return replace(self, outgoing=replace(self.outgoing, limits=replace(self.outgoing.limits, total_s=left_s)))


OpenContext: TypeAlias = Callable[[Ask, UpstreamRequest, int], ReplyContext]
"""(what is asked, how it was first written, size of that in bytes) → the context of all replies to it."""


class Draft:
    """One client's request, written as often as it has to go out otherwise. ask, repairs: of the newest form."""

    def __init__(
        self, call: Call, setup: Setup, record: ExchangeRecord, ask: Ask, open_context: OpenContext, beat_s: float
    ) -> None:
        self.ask = ask
        self.repairs: tuple[str, ...] = ()
        self.setup = setup
        self.settings = setup.settings
        self.newest: Attempt | None = None
        self._call = call
        self._record = record
        self._open_context = open_context
        self._context: ReplyContext | None = None
        self._beat_s = beat_s

    def adopt(self, attempt: Attempt) -> None:
        """Whatever is written later begins with this form."""
        self.ask, self.repairs = attempt.ask, attempt.repairs

    def write(self, ask: Ask, key: str, repairs: tuple[str, ...] = ()) -> Attempt:
        """The request ready to go to the route's server with its key. Raises BadRequestError for what the route's
        dialect cannot carry."""
        call, route, stream = self._call, ask.route, ask.conversation.stream
        upstream = DIALECTS[route.dialect.value]
        request = upstream.write_request(ask.conversation, target_of(route, self.settings))
        body = encode_body(request.body)
        if self._context is None:
            self._context = self._open_context(ask, request, len(body))
        crossing = call.headers if call.dialect.name == upstream.name else {}
        outgoing = address_request(route, upstream, key, body, self.settings, stream=stream, crossing=crossing)
        demands_call = CALL_REPAIR in request.emulated and self.may_repair(CALL_REPAIR, repairs)
        passage = Passage(
            call,
            route,
            upstream,
            replace(self._context, prompt_scale=scale_of(call.dialect, route, self.settings)),
            self._record,
            _reply_headers(call, route, request, repairs),
            self._beat_s,
            request.restraints,
            key,
            demands_call,
        )
        is_background = route.model == self.settings.fast_model
        self.newest = Attempt(self, ask, repairs, passage, outgoing, self.settings.max_retries, is_background)
        return self.newest

    def may_repair(self, name: str, repairs: tuple[str, ...]) -> bool:
        """Whether a request after these repairs may go out once more after this one. Never if nothing may be tried
        again at all."""
        return self.settings.max_retries > 0 and len(repairs) < MOST_REPAIRS and name not in repairs


def basic_headers(call: Call, route: Route) -> dict[str, str]:
    """What every reply says of itself, whatever became of the request."""
    return {
        "request-id": call.id,
        "x-request-id": call.id,
        "x-proxy-route": header_text(f"{route.server.name}/{route.dialect.value}/{route.model}"),
    }


def scale_of(client: ClientDialect, route: Route, settings: ProxySettings) -> float:
    """By how much this client is told more of its prompt than there is."""
    is_listed = find_model(route.model) is not None
    return prompt_scale(client.name, route.facts, settings, is_listed=is_listed)


def _reply_headers(call: Call, route: Route, request: UpstreamRequest, repairs: tuple[str, ...]) -> dict[str, str]:
    told = {"x-proxy-dropped": request.dropped, "x-proxy-emulated": request.emulated, "x-proxy-repaired": repairs}
    return basic_headers(call, route) | {name: header_text(",".join(words)) for name, words in told.items() if words}
