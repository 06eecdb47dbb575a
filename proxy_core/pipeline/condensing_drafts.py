"""One request's conversation on its way to being condensed, and the order for a summary of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from proxy_core.chat import Conversation, with_messages
from proxy_core.context.ceilings import Ceiling, window_of
from proxy_core.context.condensing import apply_summary, plan, summary_message
from proxy_core.context.summary_prompt import summary_request, transcript_request
from proxy_core.pipeline.outgoing import target_of
from proxy_core.pipeline.setup import Setup
from proxy_core.routing.route import Route, choose_route
from proxy_core.stores.summaries import StoredSummary

_SUMMARISER_SHARE = 0.9
"""How much of the summarising model's window the covered turns may take: the rest is for what it writes."""


@dataclass(frozen=True, slots=True)
class Talk:
    """trimmed: the conversation after all edits before this one, as it would be sent.

    digests: of the turns as the client sent them; digests[i] covers those up to messages[first + i].
    """

    trimmed: Conversation
    digests: tuple[str, ...]
    first: int
    route: Route
    key: str
    setup: Setup
    ceiling: Ceiling

    def end_of(self, summary: StoredSummary) -> int:
        """Index of the first message that the summary does not cover; 0: its turns are not these."""
        return self.first + self.digests.index(summary.digest) + 1 if summary.digest in self.digests else 0

    def digests_from(self, end: int) -> Sequence[str]:
        """Of everything that covers more than the messages before `end`."""
        return self.digests[max(0, end - self.first) :]


@dataclass(frozen=True, slots=True)
class Draft:
    """A conversation as it goes out: with `summary` in place of the messages before `end`, or whole."""

    conversation: Conversation
    summary: StoredSummary | None = None
    end: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """A summary to be made. digest: of the turns that it will stand for."""

    digest: str
    request: Conversation
    route: Route


def with_summary(talk: Talk, summary: StoredSummary) -> Draft:
    """The summary in its place; whole where it would not make the conversation smaller."""
    end = talk.end_of(summary)
    conversation = apply_summary(talk.trimmed, end, summary.text)
    return Draft(talk.trimmed) if conversation is talk.trimmed else Draft(conversation, summary, end)


def alone(conversation: Conversation, summary: StoredSummary) -> Conversation:
    """Nothing but the summary, to be counted."""
    return replace(conversation, messages=(summary_message(summary.text),), system=(), tools=())


def order_summary(talk: Talk, draft: Draft, tokens: int, *, is_urgent: bool) -> Order | None:
    """What to ask of whom; None where it is not worth it. tokens: of the draft. Raises ProxyError.

    A summary that stands in the draft already is summarised with the turns behind it.
    """
    end = plan(draft.conversation, tokens, talk.ceiling, is_urgent=is_urgent)
    if end is None:
        return None
    route = _summariser(talk, draft.conversation, end)
    most = int(window_of(route.facts, talk.setup.settings) * _SUMMARISER_SHARE)
    end = plan(draft.conversation, tokens, talk.ceiling, is_urgent=is_urgent, most_tokens=most)
    if end is None:
        return None
    covered = end if draft.summary is None else draft.end + end - talk.first - 1
    return Order(talk.digests[covered - talk.first - 1], _request(talk, draft.conversation, end, route), route)


def _summariser(talk: Talk, conversation: Conversation, end: int) -> Route:
    """The configured model; without one the model that these turns were last sent to, which is another one than
    the request's where only that holds a picture."""
    model = talk.setup.settings.condensation_model
    asked = transcript_request(conversation, end, model) if model else _until(conversation, end)
    return choose_route(asked, talk.setup.settings, talk.route.server, talk.setup.discovered)


def _request(talk: Talk, conversation: Conversation, end: int, route: Route) -> Conversation:
    settings = talk.setup.settings
    knows_it = not settings.condensation_model or route.model == talk.route.model
    if not knows_it:
        return transcript_request(conversation, end, route.model)
    return summary_request(conversation, end, default_thinking=target_of(route, settings).default_thinking)


def _until(conversation: Conversation, end: int) -> Conversation:
    return with_messages(conversation, conversation.messages[:end])
