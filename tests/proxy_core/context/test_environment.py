"""Old environment blocks go, as each client writes them; whatever else looks like one stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_core.context.environment import drop_old_environments
from proxy_core.context.environment_blocks import find_blocks
from proxy_core.dialects.base import Target
from proxy_core.dialects.table import CLIENT_DIALECTS, DIALECTS
from proxy_core.ledger import Stage
from proxy_core.routing.catalogue import model_facts

TARGET = Target("glm-4.6", model_facts("glm-4.6"))
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
ASKED = {"role": "assistant", "content": "", "tool_calls": [CALL]}
USED = {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "look", "input": {}}]}
SAID = {"role": "assistant", "content": "ok"}


def block(*lines: str) -> str:
    return "\n".join(["<environment_details>", *lines, "</environment_details>"])


LISTED = block("# Current Workspace Directory (/home/ann/app) Files", "a.py")
LISTED_BY_CLINE = block("# Current Working Directory (/home/ann/app) Files", "a.py")
CLINE = block("# JetBrains Visible Files", "a.py", "", "# Context Window Usage", "12,345 / 204.8K tokens used (6%)")
ROO = block("# VSCode Open Tabs", "a.py", "", "# Current Time", "User time zone: UTC", "", "# Current Cost", "$0.12")
NEWEST = block("# Current Time", "noon")


def read(dialect: str, *messages: dict[str, object]):
    return CLIENT_DIALECTS[dialect].read_request({"model": "glm-4.6", "max_tokens": 9, "messages": list(messages)})


def sent(dialect: str, *messages: dict[str, object], strategy: str = "keep_latest"):
    """The messages as the upstream of the same dialect gets them."""
    edited = drop_old_environments(read(dialect, *messages), strategy, len).conversation
    return DIALECTS[dialect].write_request(edited, TARGET).body["messages"]


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def text(words: str, **more: object) -> dict[str, object]:
    return {"type": "text", "text": words, **more}


def result(content: object) -> dict[str, object]:
    return {"type": "tool_result", "tool_use_id": "c1", "content": content}


def tool(content: object) -> dict[str, object]:
    return {"role": "tool", "tool_call_id": "c1", "content": content}


LAST = [SAID, user(f"go on\n\n{NEWEST}")]

FORMS = [
    pytest.param("openai", [user(f"do\n\n{ROO}")], [user("do")], id="string"),
    pytest.param("openai", [user(f"do\r\n{CLINE}\r\nthen that")], [user("do\n\nthen that")], id="amid"),
    pytest.param("openai", [user(f"do{ROO}then that")], [user("do\n\nthen that")], id="without whitespace"),
    pytest.param("openai", [user([text("do"), text(ROO)])], [user([text("do")])], id="its own part"),
    pytest.param("anthropic", [user([text(f"do\n{ROO}", x=1)])], [user([text("do", x=1)])], id="end of a part"),
    pytest.param("anthropic", [user(ROO)], [user(".")], id="alone in a string"),
    pytest.param("openai", [user([text(CLINE)])], [user([text(".")])], id="alone in a list"),
    pytest.param("openai", [user(f"{ROO}\n\n{CLINE}")], [user(".")], id="two side by side"),
    pytest.param(
        "openai", [user("do\n<environment_details>noon</environment_details>")], [user("do")], id="on one line"
    ),
    pytest.param("openai", [ASKED, tool("42"), user(ROO)], [ASKED, tool("42"), user(".")], id="behind tool messages"),
    pytest.param("openai", [ASKED, tool(f"42\n\n{ROO}")], [ASKED, tool("42")], id="in a tool message"),
    pytest.param(
        "anthropic", [USED, user([result("42"), text(ROO)])], [USED, user([result("42")])], id="behind a result"
    ),
    pytest.param(
        "anthropic", [USED, user([result(f"42\n{ROO}")])], [USED, user([result("42")])], id="in a result's string"
    ),
    pytest.param(
        "anthropic",
        [USED, user([result([text("42"), text(ROO)])])],
        [USED, user([result([text("42")])])],
        id="in a result's list",
    ),
    pytest.param("anthropic", [USED, user([result([text(ROO)])])], [USED, user([result([text(".")])])], id="a result"),
    pytest.param(
        "openai",
        [user(f"mind <environment_details> and\n<environment_details>\n{ROO}")],
        [user("mind <environment_details> and\n<environment_details>")],
        id="behind tags without an end",
    ),
    pytest.param("openai", [user(f"do\n{block('a', ROO, 'b')}")], [user("do")], id="with another one within"),
    pytest.param("openai", [user(f"do\n{block('```', 'x', '```')}")], [user("do")], id="with a fence within"),
]


@pytest.mark.parametrize(("dialect", "messages", "expected"), FORMS)
def test_an_old_block_goes(dialect, messages, expected):
    assert sent(dialect, *messages, *LAST) == [*expected, *LAST]


KEPT = [
    pytest.param(user(f"```\n{ROO}\n```"), id="fence"),
    pytest.param(user(f"~~~~ md\n{ROO}\n~~~\n~~~~"), id="long fence"),
    pytest.param(user(f"````\n```\n{ROO}\n````"), id="fence within a fence"),
    pytest.param(user(f"- as in\n  ```xml\n{ROO}"), id="open fence"),
    pytest.param(user("> " + ROO.replace("\n", "\n> ")), id="quote"),
    pytest.param(user("   > " + ROO.replace("\n", "\n   > ")), id="indented quote"),
    pytest.param(user(f"`{ROO}`"), id="inline code over lines"),
    pytest.param(user("Cut `<environment_details>x</environment_details>` out"), id="inline code"),
    pytest.param(user('Cut "' + ROO + '\nand this" out'), id="behind a quotation mark"),
    pytest.param(user("Cut '\n" + ROO + "' out"), id="before a quotation mark"),
    pytest.param(user("What <environment_details> opens, </environment_details> closes."), id="sentence"),
    pytest.param(user("<environment_details> opens.\nIts end is </environment_details>"), id="sentences"),
    pytest.param(user(ROO.removesuffix("</environment_details>")), id="unterminated"),
    pytest.param(user(f"</environment_details>\n{ROO.removesuffix('</environment_details>')}"), id="wrong way round"),
    pytest.param(user(f"do\n{block('```')}"), id="ends in a fence that began within"),
    pytest.param(user("1 | " + ROO.replace("\n", "\n2 | ")), id="numbered lines"),
    pytest.param({"role": "assistant", "content": f"It says\n{ROO}"}, id="answer"),
    pytest.param({"role": "system", "content": f"It says\n{ROO}"}, id="system"),
    pytest.param(user(f"do\n{LISTED}"), id="Roo's listing"),
    pytest.param(user(f"do\n{LISTED_BY_CLINE}"), id="Cline's listing"),
]


@pytest.mark.parametrize("message", KEPT)
def test_what_is_no_old_block_stays(message):
    conversation = read("openai", message, *LAST)
    edited = drop_old_environments(conversation, "keep_latest", len)
    assert edited.conversation is conversation
    assert edited.cuts == ()


def test_what_a_tool_showed_stays():
    shown = tool(f"# Log\n{ROO}\nend of log")
    assert sent("openai", ASKED, shown, *LAST)[1] == shown


def test_the_newest_turn_keeps_what_its_tools_said():
    turn = [ASKED, tool(f"log\n{ROO}"), tool(f"log\n{CLINE}"), user(NEWEST)]
    assert sent("openai", user(f"do\n{ROO}"), *turn) == [user("do"), *turn]
    assert sent("openai", *turn, *LAST)[1] == tool("log")


@pytest.mark.parametrize(
    ("blocks", "kept"),
    [
        ([LISTED, ROO, NEWEST], [0, 2]),
        ([LISTED, LISTED, NEWEST], [0, 1, 2]),
        ([LISTED, LISTED, LISTED, NEWEST], [0, 2, 3]),
        ([LISTED, LISTED, LISTED], [0, 2]),
        ([LISTED, ROO, LISTED, ROO, LISTED, ROO], [0, 2, 4, 5]),
        ([ROO, LISTED, ROO, LISTED, ROO], [1, 3, 4]),
    ],
)
def test_the_first_listing_stays_and_each_that_is_not_soon_told_anew(blocks, kept):
    turns = [message for found in blocks for message in (user(f"a\n{found}"), SAID)]
    assert [n for n, message in enumerate(sent("openai", *turns)[::2]) if find_blocks(message["content"])] == kept


def test_off_changes_nothing():
    conversation = read("openai", user(ROO), *LAST)
    assert drop_old_environments(conversation, "off", len).conversation is conversation


def test_the_cut_says_what_it_saved():
    edited = drop_old_environments(read("openai", user(ROO), user(CLINE), *LAST), "keep_latest", len)
    (cut,) = edited.cuts
    assert (cut.stage, cut.items, cut.saved_tokens) == (Stage.ENVIRONMENT, 2, len(ROO) + len(CLINE))


def test_merge_carries_what_only_old_blocks_say_into_the_newest():
    old = block("# Open", "a.py", "b.py", "", "# Current Cost", "$0.01", "# Terminals", "```", "npm", "```")
    newest = block("# Open", "a.py")
    got = sent("openai", user(f"do\n{LISTED}"), SAID, user(f"do\n{old}"), SAID, user(newest), strategy="merge")
    assert [message["content"] for message in got[::2]] == [
        f"do\n{LISTED}",
        "do",
        block("# Open", "a.py", "", "# Earlier", "b.py", "npm"),
    ]


def test_merge_with_nothing_new_leaves_the_newest_alone():
    edited = drop_old_environments(read("openai", user(NEWEST), *LAST), "merge", len)
    assert edited.conversation.messages[-1] == read("openai", *LAST).messages[-1]
    assert edited.cuts[0].added_tokens == 0


def test_the_same_is_cut_for_codex():
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": ROO}]}
    body = {"model": "glm-4.6", "input": [item, {**item, "content": NEWEST}]}
    conversation = CLIENT_DIALECTS["responses"].read_request(body)
    edited = drop_old_environments(conversation, "keep_latest", len).conversation
    assert [message.parts[0].text for message in edited.messages] == [".", NEWEST]
    assert replace(edited, messages=conversation.messages) == conversation


@pytest.mark.parametrize(
    "hostile",
    [
        "<environment_details>" * 50_000,
        "<environment_details>\n" * 50_000,
        "<environment_details>\n" * 25_000 + "</environment_details>\n" * 25_000,
        "</environment_details>" * 50_000,
        "</environment_details>" + "<environment_details>x" * 40_000 + "</environment_details>",
        "<environment_details>" + " " * 1_000_000 + "x</environment_details>",
        "```\n" * 250_000 + "</environment_details>",
        " \t" * 500_000 + "</environment_details>",
        "`" * 1_000_000 + "</environment_details>",
        "> " * 500_000 + "</environment_details>",
    ],
    ids=range(10),
)
def test_hostile_texts_are_read_in_one_pass(hostile):
    """A quadratic way through any of these would take minutes."""
    assert len(find_blocks(hostile)) <= 1
