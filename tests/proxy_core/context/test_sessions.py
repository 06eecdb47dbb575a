"""Sessions told apart, and the gate that ends an edit where it costs the cache."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_core.chat import Conversation, Message, Text, ToolResult, Usage
from proxy_core.context.environment import drop_old_environments
from proxy_core.context.sessions import MAX_PAUSE_S, STRIKES, SessionGates, Turn, edit_within, session_of
from proxy_core.ledger import Cut, Ledger, SideCall, Stage

ENV = "<environment_details>\nnoon\n</environment_details>"
PROMPT = 10_000


def user(*texts: str) -> Message:
    return Message("user", tuple(Text(text) for text in texts))


def said(*messages: Message, user_id: str = "", system: str = "") -> Conversation:
    return Conversation("openai", "m", messages, system=(Text(system),), user_id=user_id)


HELLO = said(user("hello"))


@pytest.mark.parametrize(
    "same",
    [
        said(user("hello"), Message("assistant", (Text("hi"),)), user("go on")),
        said(user("hello"), system="now it is noon"),
        said(Message("system", (Text("nonce"),)), user("hello")),
        said(user(f"hello\n\n{ENV}")),
        said(user("<system-reminder>\nx\n</system-reminder>", " hello ", ENV)),
        said(user("<system-reminder>\nx\n</system-reminder>"), user("hello")),
        said(Message("user", (ToolResult("c", (Text("x"),)),)), user("hello")),
        replace(HELLO, model="other", stream=True),
    ],
)
def test_a_session_is_known_again(same):
    assert session_of(same) == session_of(HELLO)


@pytest.mark.parametrize("other", [said(user("hallo")), said(user("hello"), user_id="u"), said(), said(user("\ud800"))])
def test_sessions_are_told_apart(other):
    assert session_of(other) != session_of(HELLO)


class Session:
    """One session's turns, with an environment block more to cut on each that edits."""

    def __init__(self) -> None:
        self.gates = SessionGates()
        self.turn = Turn(Ledger(), Usage(), "cn/glm-4.6", 1, 0.0)

    def take(self, cached: float, *stages: Stage, **changes: object) -> tuple[str, ...]:
        """Another turn that finds so much of the prompt before in the cache; what ends with it."""
        cuts = tuple(Cut(stage, 1, 100) for stage in stages)
        ledger = Ledger((*self.turn.ledger.cuts, *cuts))
        usage = Usage(PROMPT - int(cached * PROMPT), int(cached * PROMPT))
        turn = replace(self.turn, ledger=ledger, usage=usage, messages=self.turn.messages + 2, at=self.turn.at + 9)
        self.turn = replace(turn, **changes)
        return tuple(hold.stage for hold in self.gates.observe("s", self.turn))


@pytest.fixture
def session() -> Session:
    started = Session()
    started.take(0.9)
    return started


ENVIRONMENT, PICTURES = Stage.ENVIRONMENT, Stage.PICTURES


def test_an_edit_that_costs_the_cache_several_times_ends_for_good(session):
    told = [session.take(share, ENVIRONMENT) for share in (0.2, 0.1, 0.3)]
    assert told == [(), (), (ENVIRONMENT,)]
    hold = session.gates.held_back("s")[ENVIRONMENT]
    assert hold.messages == session.turn.messages
    assert "30% of the prompt" in hold.why
    assert [session.take(1.0, ENVIRONMENT), session.take(0.0, ENVIRONMENT)] == [(), ()]
    assert session.gates.held_back("s") == {ENVIRONMENT: hold}
    assert session.gates.held_back("other") == {}


@pytest.mark.parametrize(
    ("shares", "stages"),
    [
        ([0.9, 0.8, 0.7, 0.9, 0.6], [ENVIRONMENT]),
        ([0.1, 0.9, 0.1, 0.9, 0.1, 0.9], [ENVIRONMENT]),
        ([0.1, 0.1, 0.1, 0.1], []),
        ([0.0, 0.0, 0.0, 0.0], [Stage.VOLATILE]),
    ],
    ids=["little lost", "now and then", "no edit", "an edit that is never judged"],
)
def test_nothing_ends_without_need(session, shares, stages):
    assert [session.take(share, *stages) for share in shares] == [()] * len(shares)


def test_a_session_is_measured_by_its_own_share(session):
    for _ in range(9):
        session.take(0.3)
    assert [session.take(0.2, ENVIRONMENT) for _ in range(6)] == [()] * 6
    for _ in range(9):
        session.take(1.0)
    assert [session.take(0.65, PICTURES) for _ in range(STRIKES)][-1] == (PICTURES,)


def test_an_upstream_that_reports_no_cache_is_never_judged():
    silent = Session()
    assert [silent.take(0.0, ENVIRONMENT, PICTURES) for _ in range(9)] == [()] * 9


@pytest.mark.parametrize(
    "reason",
    [
        lambda turn: {"place": turn.place + "v"},
        lambda turn: {"at": turn.at + 10 + MAX_PAUSE_S},
        lambda turn: {"messages": turn.messages - 1},
        lambda turn: {"usage": Usage(turn.usage.prompt_tokens * 8 // 10)},
        lambda turn: {"ledger": _with_more(turn.ledger, summary=True)},
        lambda turn: {"ledger": _with_more(turn.ledger, Cut(Stage.SUMMARY, 1, 5))},
    ],
    ids=["model", "pause", "rewound", "shrunk", "summary call", "summary"],
)
def test_turns_with_other_reasons_are_excused(session, reason):
    assert [session.take(0.0, ENVIRONMENT, **reason(session.turn)) for _ in range(6)] == [()] * 6


def _with_more(ledger: Ledger, *cuts: Cut, summary: bool = False) -> Ledger:
    calls = (SideCall(Stage.SUMMARY, "m", Usage()),) if summary else ()
    return replace(ledger, cuts=(*ledger.cuts, *cuts, Cut(ENVIRONMENT, 1, 5)), side_calls=calls)


def test_requests_without_usage_are_not_seen(session):
    before = session.turn
    session.take(0.5, ENVIRONMENT, usage=Usage())
    session.turn = before
    assert [session.take(0.1, ENVIRONMENT) for _ in range(3)][-1] == (ENVIRONMENT,)


@pytest.mark.parametrize(("names", "is_known"), [(("a", "s", "b"), True), (("a", "b"), False)])
def test_only_sessions_not_heard_of_for_long_are_forgotten(names, is_known):
    session = Session()
    session.gates = SessionGates(capacity=2)
    for share in (0.9, 0.0, 0.0, 0.0):
        session.take(share, ENVIRONMENT)
    for name in names:
        session.gates.observe(name, session.turn)
    assert (ENVIRONMENT in session.gates.held_back("s")) == is_known


def test_an_edit_that_has_ended_keeps_what_it_did():
    """What was sent stays byte for byte: only later messages go as they came."""
    spoken = [user(f"{number}\n{ENV}") for number in range(5)]
    sent = drop_old_environments(said(*spoken[:3]), "keep_latest", len).conversation
    later = edit_within(said(*spoken), 3, lambda it: drop_old_environments(it, "keep_latest", len))
    assert later.conversation.messages == (*sent.messages, *spoken[3:])
    assert later.cuts[0].items == 2


def test_with_nothing_to_keep_it_is_the_very_same_object():
    conversation = said(user(ENV), user(ENV))
    edited = edit_within(conversation, 1, lambda it: drop_old_environments(it, "keep_latest", len))
    assert edited.conversation is conversation
