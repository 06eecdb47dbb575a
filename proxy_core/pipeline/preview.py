"""What would become of a request, without sending anything."""

from __future__ import annotations

from dataclasses import dataclass, replace

from proxy_core.dialects.base import Dialect, Target
from proxy_core.jsontypes import JsonObject
from proxy_core.ledger import Ledger
from proxy_core.pipeline.prompt_count import PromptCounter
from proxy_core.pipeline.setup import Setup
from proxy_core.pipeline.trimming import Trimmer
from proxy_core.routing.route import Route, choose_route


@dataclass(frozen=True, slots=True)
class Preview:
    """body: the request after all edits, still in the client's dialect. ledger: what they did. route: where to."""

    body: JsonObject
    ledger: Ledger
    route: Route

    @property
    def route_text(self) -> str:
        """Server, dialect and model, and why."""
        route = self.route
        return f"{route.server.name}/{route.dialect.value}/{route.model} ({route.reason})"


async def preview_request(
    dialect: Dialect, body: JsonObject, setup: Setup, trimmer: Trimmer, counter: PromptCounter
) -> Preview:
    """The request as it would be edited and routed by what is known now: no model is asked, no session remembers it.

    Raises BadRequestError and UnknownModelError, as for a real request.
    """
    conversation = dialect.read_request(body)
    choose_route(conversation, setup.settings, setup.server, setup.discovered)
    trimmed = await trimmer.preview(conversation, setup)
    route = choose_route(trimmed.conversation, setup.settings, setup.server, setup.discovered)
    trimmed = await trimmer.preview_condensed(trimmed, route, setup)
    before = await counter.count(conversation, route.model)
    edited = dialect.write_request(trimmed.conversation, Target(conversation.model, route.facts)).body
    return Preview(edited, replace(trimmed.ledger, tokens_before=before), route)
