"""What belongs to one session of a client, and the gate that ends edits which cost a session the upstream's cache.

An edit of old text has the upstream read everything behind it anew, once. That pays as long as the rest stays in the
cache. Whether it does is seen on the turn after: which part of the prompt before was found in the cache. A session in
which this part is several times well below its own average on turns that edited something ends that edit for itself,
for good: trying again would cost what it is there to save.

To end an edit does not mean to take it back, which would change old text once more. What was sent up to then stays as
it is edited, and only later messages go as they came (`Hold.messages`).

Never judged are turns that have other reasons to miss the cache: a new model, a summary, a client that cut its own
conversation, a long pause; and upstreams that never report cached tokens.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from proxy_core.chat import Conversation, Message, Text, Usage
from proxy_core.context.edits import Edited
from proxy_core.context.environment_blocks import OPENING
from proxy_core.ledger import Ledger, Stage

MAX_SESSIONS = 1_000
MAX_PAUSE_S = 300.0
"""After so long a pause the upstream may have forgotten the prompt by itself; how long it keeps one is not known."""
STRIKES = 3
"""Turns on which an edit cost the cache, more than on which it did not, until it ends."""

_REMINDER = "<system-reminder>"
_FELL_BY = 0.3
_USUAL_SHARE = 0.8
"""Believed of a session that has not shown yet what it gets without edits."""
_LEARNING_RATE = 0.3
_SHRUNK_TO = 0.9
_JUDGED = {Stage.ENVIRONMENT: "Old environment blocks are no longer cut", Stage.PICTURES: "Pictures no longer age"}
"""Not those: without the first the cache never holds, and the last is excused on the turn on which it changes."""


def session_of(conversation: Conversation) -> str:
    """The same digest for each request of a session, and hardly ever for another one.

    Of the user's id, where the client gives one, and the first words of the user's own. Not the system prompt, which
    may carry nonces, nor what clients put around those words and change.
    """
    words = next((words for message in conversation.messages if (words := _own_words(message))), "")
    return hashlib.sha256(f"{conversation.user_id}\0{words}".encode(errors="replace")).hexdigest()[:32]


def _own_words(message: Message) -> str:
    if message.role != "user":
        return ""
    texts = [part.text.partition(OPENING)[0].strip() for part in message.parts if isinstance(part, Text)]
    return "\n".join(text for text in texts if text and not text.startswith(_REMINDER))


def edit_within(conversation: Conversation, messages: int, edit: Callable[[Conversation], Edited]) -> Edited:
    """`edit` applied as if the conversation had ended after so many messages: the rest goes as it came."""
    edited = edit(replace(conversation, messages=conversation.messages[:messages]))
    if not edited.cuts:
        return Edited(conversation)
    whole = (*edited.conversation.messages, *conversation.messages[messages:])
    return replace(edited, conversation=replace(edited.conversation, messages=whole))


@dataclass(frozen=True, slots=True)
class Turn:
    """An answered request, as far as the gate must know it.

    place: whose cache it is: server and model. messages: how many the conversation had. at: seconds, of any clock.
    """

    ledger: Ledger
    usage: Usage
    place: str
    messages: int
    at: float


@dataclass(frozen=True, slots=True)
class Hold:
    """An edit that has ended for a session: only its first `messages` messages are edited. why: a sentence."""

    stage: Stage
    messages: int
    why: str


@dataclass(slots=True)
class _Session:
    """usual: the part of the prompt before that is found in the cache on turns that edit nothing."""

    last: Turn | None = None
    usual: float = _USUAL_SHARE
    reports_cache: bool = False
    strikes: dict[Stage, int] = field(default_factory=dict)
    holds: dict[Stage, Hold] = field(default_factory=dict)


class SessionGates:
    """The gates of the sessions that were last heard of, at most `capacity`."""

    def __init__(self, capacity: int = MAX_SESSIONS) -> None:
        self._capacity = capacity
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def held_back(self, session: str) -> Mapping[Stage, Hold]:
        """The edits that have ended for this session."""
        found = self._sessions.get(session)
        return dict(found.holds) if found else {}

    def observe(self, session: str, turn: Turn) -> tuple[Hold, ...]:
        """Learn from an answered request of the session; the edits that end with it."""
        if not turn.usage.prompt_tokens:
            return ()
        state = self._session(session)
        before, state.last = state.last, turn
        state.reports_cache = state.reports_cache or turn.usage.cached_tokens > 0
        if before is None or not state.reports_cache or _has_other_reasons(before, turn):
            return ()
        share = min(turn.usage.cached_tokens / before.usage.prompt_tokens, 1.0)
        changed = [stage for stage in _JUDGED if _items(turn.ledger, stage) > _items(before.ledger, stage)]
        if not changed:
            state.usual += _LEARNING_RATE * (share - state.usual)
        return tuple([hold for stage in changed if (hold := _judge(state, stage, share, turn)) is not None])

    def _session(self, name: str) -> _Session:
        found = self._sessions.setdefault(name, _Session())
        self._sessions.move_to_end(name)
        if len(self._sessions) > self._capacity:
            self._sessions.popitem(last=False)
        return found


def _judge(state: _Session, stage: Stage, share: float, turn: Turn) -> Hold | None:
    """Count the turn for or against the edit; the hold, once the count is full."""
    has_fallen = share < state.usual - _FELL_BY
    strikes = max(state.strikes.get(stage, 0) + (1 if has_fallen else -1), 0)
    state.strikes[stage] = strikes
    if strikes < STRIKES or stage in state.holds:
        return None
    why = (
        f"{_JUDGED[stage]} in this session: when they were, {share:.0%} of the prompt before came from the server's "
        f"cache, where about {state.usual:.0%} is usual."
    )
    state.holds[stage] = Hold(stage, turn.messages, why)
    return state.holds[stage]


def _has_other_reasons(before: Turn, turn: Turn) -> bool:
    """Whether the cache may have been missed for something that no judged edit did."""
    return (
        turn.place != before.place
        or turn.at - before.at > MAX_PAUSE_S
        or turn.messages < before.messages
        or turn.usage.prompt_tokens < before.usage.prompt_tokens * _SHRUNK_TO
        or any(call.stage is Stage.SUMMARY for call in turn.ledger.side_calls)
        or _items(turn.ledger, Stage.SUMMARY) != _items(before.ledger, Stage.SUMMARY)
    )


def _items(ledger: Ledger, stage: Stage) -> int:
    return sum([cut.items for cut in ledger.cuts if cut.stage is stage])
