"""System messages among the others become reminders; everything else stays as the client wrote it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.dialects.anthropic.reminders import fold_system
from proxy_core.dialects.anthropic.requests import read_request, write_request
from proxy_core.dialects.base import Target
from proxy_core.facts import ModelFacts, UpstreamQuirks
from proxy_core.jsontypes import JsonObject

MARK = {"cache_control": {"type": "ephemeral"}}
RESULT = {"type": "tool_result", "tool_use_id": "c1", "content": "noon"}
CALL = {"type": "tool_use", "id": "c1", "name": "now", "input": {}}


def text(words: str, **fields: object) -> JsonObject:
    return {"type": "text", "text": words, **fields}


def reminder(words: str, **fields: object) -> JsonObject:
    return text(f"<system-reminder>\n{words}\n</system-reminder>", **fields)


def from_(role: str) -> Callable[..., JsonObject]:
    return lambda content, **fields: {"role": role, "content": content, **fields}


user, assistant, system = from_("user"), from_("assistant"), from_("system")
HI, YES = user("hi"), assistant("yes")


@pytest.mark.parametrize(
    ("messages", "folded"),
    [
        pytest.param([HI, YES], [HI, YES], id="none"),
        pytest.param([HI, system("S"), YES], [user([text("hi"), reminder("S")]), YES], id="behind a user's"),
        pytest.param([system("S"), HI], [user([reminder("S"), text("hi")])], id="before the first"),
        pytest.param([HI, YES, system("S"), HI], [HI, YES, user([reminder("S"), text("hi")])], id="before a user's"),
        pytest.param([HI, YES, system("S")], [HI, YES, user([reminder("S")])], id="at the end"),
        pytest.param([HI, YES, system("S"), YES], [HI, YES, user([reminder("S")]), YES], id="between an assistant's"),
        pytest.param(
            [HI, assistant([CALL]), system("S"), user([RESULT, text("so")])],
            [HI, assistant([CALL]), user([RESULT, reminder("S"), text("so")])],
            id="between a call and its result",
        ),
        pytest.param(
            [user([RESULT]), system([text("S"), text("T", **MARK)])],
            [user([RESULT, reminder("S\n\nT", **MARK)])],
            id="cached up to there",
        ),
        pytest.param([user("hi", novel=1), system("S")], [user([text("hi"), reminder("S")], novel=1)], id="novel"),
        pytest.param([HI, system("S"), system("T")], [user([text("hi"), reminder("S"), reminder("T")])], id="two"),
        pytest.param([HI, system(" "), system([])], [HI], id="nothing said"),
        pytest.param([user(""), system("S")], [user([reminder("S")])], id="into an empty one"),
        pytest.param([HI, system([{"type": "new"}])], [user([text("hi"), {"type": "new"}])], id="unknown blocks"),
    ],
)
def test_reminders_stand_where_the_system_message_stood(messages: list[JsonObject], folded: list[JsonObject]) -> None:
    assert fold_system(messages) == folded


SAID = st.sampled_from(["a", "b", ""])
MESSAGES = st.lists(st.one_of(SAID.map(user), SAID.map(assistant), SAID.map(system)), max_size=8)


@given(MESSAGES)
def test_no_system_message_is_left_and_no_other_is_touched(messages: list[JsonObject]) -> None:
    folded = fold_system(messages)
    assert "system" not in [message["role"] for message in folded]
    assert [m for m in folded if m["role"] == "assistant"] == [m for m in messages if m["role"] == "assistant"]
    kept = {id(message) for message in messages}
    assert all(id(m) in kept or "<system-reminder>" in str(m["content"]) for m in folded)


@pytest.mark.parametrize(("takes", "roles"), [(True, ["user", "system"]), (False, ["user"])])
def test_the_writer_folds_for_an_upstream_that_wants_it(takes: bool, roles: list[str]) -> None:
    conversation = read_request({"model": "m", "max_tokens": 9, "messages": [HI, system("S")]})
    target = Target("m", ModelFacts("m"), UpstreamQuirks(system_turns=takes))
    messages = write_request(conversation, target).body["messages"]
    assert isinstance(messages, list)
    assert [message["role"] for message in messages] == roles
    assert HI["content"] == "hi"
