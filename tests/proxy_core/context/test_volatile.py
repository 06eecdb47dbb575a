"""What changes with every request at the front of the system prompt goes; the same words elsewhere stay."""

from __future__ import annotations

from copy import deepcopy

import pytest

from proxy_core.context.volatile import steady_prefix
from proxy_core.dialects.base import Target
from proxy_core.dialects.table import DIALECTS
from proxy_core.ledger import Stage
from proxy_core.routing.catalogue import model_facts

TARGET = Target("glm-4.6", model_facts("glm-4.6"))
HEADER = "x-anthropic-billing-header: cc_version=2.1.119.47e; cc_entrypoint=sdk-cli; cch=a7754;"
CACHE = {"type": "ephemeral"}
HI = {"role": "user", "content": "hi"}


def text(words: str, **more: object) -> dict[str, object]:
    return {"type": "text", "text": words, **more}


def anthropic(system: object) -> dict[str, object]:
    return {"model": "glm-4.6", "max_tokens": 9, "system": system, "messages": [HI]}


def openai(content: object, role: str = "system") -> dict[str, object]:
    return {"model": "glm-4.6", "messages": [{"role": role, "content": content, "name": "x"}, HI]}


def read(body: dict[str, object]):
    return DIALECTS["anthropic" if "max_tokens" in body else "openai"].read_request(body)


def written(conversation) -> dict[str, object]:
    return DIALECTS[conversation.dialect].write_request(conversation, TARGET).body


@pytest.mark.parametrize(
    ("body", "steady"),
    [
        (anthropic([text(HEADER), text("Be brief.", cache_control=CACHE)]), [text("Be brief.", cache_control=CACHE)]),
        (anthropic([text(f"{HEADER}\nBe brief.", cache_control=CACHE)]), [text("Be brief.", cache_control=CACHE)]),
        (anthropic(f"{HEADER}\n\nBe brief.\n{HEADER}"), [text(f"Be brief.\n{HEADER}")]),
        (anthropic([text(f"\n{HEADER}\r\n\r\n"), text(HEADER), text("Be.")]), [text("Be.")]),
    ],
)
def test_the_line_that_leads_the_system_prompt_goes(body, steady):
    before = deepcopy(body)
    edited = steady_prefix(read(body), len)
    assert written(edited.conversation)["system"] == steady
    assert body == before


@pytest.mark.parametrize(
    ("content", "steady"),
    [
        (f"{HEADER}\n\nBe brief.", "Be brief."),
        ([text(HEADER), text("Be brief.")], "Be brief."),
        ([text(f"{HEADER}\nBe"), text("brief.")], "Be\nbrief."),
    ],
)
@pytest.mark.parametrize("role", ["system", "developer"])
def test_so_it_does_from_a_leading_system_message(content, steady, role):
    edited = steady_prefix(read(openai(content, role)), len)
    assert written(edited.conversation)["messages"] == [{"role": "system", "content": steady, "name": "x"}, HI]


@pytest.mark.parametrize(
    "body",
    [
        anthropic("Be brief."),
        anthropic(f"Be brief.\n{HEADER}\nBe."),
        anthropic([text("Be brief."), text(HEADER)]),
        anthropic([text(HEADER), text(f"{HEADER}\n")]),
        anthropic(None),
        openai("Be brief."),
        openai(HEADER),
        openai(f"{HEADER}\nWhat is this?", "user"),
        openai([]),
    ],
)
def test_all_else_stays_the_very_same_object(body):
    conversation = read(body)
    edited = steady_prefix(conversation, len)
    assert edited.conversation is conversation
    assert edited.cuts == ()


def test_prompts_that_differ_in_the_line_alone_become_equal():
    sent = [anthropic([text(HEADER.replace("a7754", nonce)), text("Be brief.")]) for nonce in ("36ee5", "0aaa9")]
    first, second = [written(steady_prefix(read(body), len).conversation) for body in sent]
    assert first == second


def test_the_cut_names_the_line():
    (cut,) = steady_prefix(read(anthropic([text(HEADER), text("Be brief.")])), len).cuts
    assert (cut.stage, cut.items, cut.saved_tokens) == (Stage.VOLATILE, 1, len(HEADER))
    assert "Claude Code" in cut.note
