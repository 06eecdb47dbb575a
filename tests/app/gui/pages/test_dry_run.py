"""The dry run over the real runtime: what it shows of a request, and what it says of one that is none."""

from __future__ import annotations

import json

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.gui.pages.dry_run import MOST_SHOWN, DryRunPage, describe_preview, read_body
from proxy_core.errors import BadRequestError
from proxy_core.ledger import Cut, Ledger, Stage
from proxy_core.pipeline.preview import Preview
from tests.app.gui.conftest import Bench

LONG = "word " * MOST_SHOWN
BODY = {"model": "glm-4.6", "max_tokens": 9, "messages": [{"role": "user", "content": LONG}]}


@pytest.fixture
def page(bench: Bench, qtbot: QtBot) -> DryRunPage:
    page = DryRunPage(bench.commands)
    qtbot.addWidget(page)
    return page


async def attempt(page: DryRunPage, bench: Bench, text: str) -> str:
    page.body.setPlainText(text)
    page.run.click()
    await bench.settle()
    assert page.run.isEnabled()
    return page.outcome.text()


@pytest.mark.parametrize("dialect", [0, 1])
async def test_it_shows_where_a_request_would_go_and_what_is_left_of_it(page, bench: Bench, dialect: int) -> None:
    page.dialect.setCurrentIndex(dialect)
    outcome = await attempt(page, bench, json.dumps(BODY))
    assert outcome.startswith("demo/") and "nothing taken off" in outcome
    assert f"… ({len(LONG)})" in page.result.toPlainText()
    page.copy.click()
    assert json.loads(QGuiApplication.clipboard().text())["messages"] == BODY["messages"]


async def test_a_request_that_would_be_refused_is_told_as_to_its_client(page: DryRunPage, bench: Bench) -> None:
    assert "messages" in await attempt(page, bench, '{"model": "glm-4.6"}')
    assert page.outcome.objectName() == "error"
    assert not page.copy.isEnabled()
    assert bench.failures == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1,\n oops}', "This is not JSON: see line 2, column 2."),
        ("", "This is not JSON: see line 1, column 1."),
        ("[1]", "The body of a request is a JSON object, in braces."),
        ("[" * 100_000, "This JSON is nested too deeply."),
    ],
)
def test_what_is_no_request_is_told_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match="JSON") as raised:
        read_body(text)
    assert str(raised.value) == words


async def test_the_ledger_is_told_line_by_line(page: DryRunPage, bench: Bench) -> None:
    preview = await bench.runtime.dry_run("anthropic", BODY)
    cuts = (Cut(Stage.ENVIRONMENT, 3, 1_200), Cut(Stage.PICTURES, 1, 800, 100, "one placeholder"))
    ledger = Ledger(cuts, tokens_before=5_000, why_held_back=("Summaries stay off.",))
    assert describe_preview(Preview({}, ledger, preview.route)).splitlines()[1:] == [
        "5.0k tokens, 3.1k after the edits: 1.9k saved",
        "environment blocks: 1.2k tokens removed, 0 put in",
        "pictures: 800 tokens removed, 100 put in (one placeholder)",
        "Summaries stay off.",
    ]


async def test_the_page_refuses_what_the_library_refuses(bench: Bench) -> None:
    with pytest.raises(BadRequestError):
        await bench.runtime.dry_run("anthropic", {"messages": 3})
