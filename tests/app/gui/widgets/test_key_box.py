"""The key's box: tried, kept, removed, and never shown again."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.gui.widgets.key_box import KeyBox, source_words, trial_words, verdict_words
from app.runtime.keychain import KeySource
from app.secrets import MemoryStore
from proxy_core.settings import BUILTIN_SERVERS, Server
from proxy_core.upstream.doctor import VERDICT_WORDS, Examination, Verdict, VerdictKind
from proxy_core.upstream.trial import KeyTrial
from tests.app.gui.conftest import Bench
from tests.app.runtimes import BrokenStore, make_runtime

KEY = "sk-box-0123456789abcdef"


async def box_for(bench: Bench, qtbot: QtBot, server: str) -> KeyBox:
    box = KeyBox(bench.commands, dark=False)
    qtbot.addWidget(box)
    box.show_server(server)
    await bench.settle()
    return box


def enabled(box: KeyBox) -> tuple[bool, bool, bool]:
    return box.test.isEnabled(), box.save.isEnabled(), box.remove.isEnabled()


async def test_it_offers_what_makes_sense(bench: Bench, qtbot: QtBot) -> None:
    box = await box_for(bench, qtbot, "cn")
    assert (enabled(box), box.field.placeholderText()) == ((False, False, False), "Paste the key here")
    box.field.setText(KEY)
    assert enabled(box) == (True, True, False)
    box.save.click()
    await bench.settle()
    assert (enabled(box), box.field.placeholderText()) == ((True, False, True), "A key is stored")
    assert (box.field.text(), box.outcome.text()) == ("", "The key is stored in your keyring.")
    box.remove.click()
    await bench.settle()
    assert await bench.runtime.secrets.get("cn") is None
    assert enabled(box) == (False, False, False)


async def test_the_demo_accepts_its_own_key(bench: Bench, qtbot: QtBot) -> None:
    box = await box_for(bench, qtbot, "demo")
    box.test.click()
    await bench.settle()
    assert box.outcome.objectName() == "good"
    assert "demo accepted the key" in box.outcome.text()


async def test_a_refused_key_of_the_vendor_is_examined(bench: Bench, qtbot: QtBot, monkeypatch) -> None:
    verdict = Verdict(VerdictKind.REFUSED, None, {})

    async def refuse(_server: Server, _key: str) -> KeyTrial:
        return KeyTrial(False, 401, "Not known.", 10.0)

    async def examine(_key: str) -> Examination:
        return Examination((), verdict)

    monkeypatch.setattr(bench.runtime.proxy, "try_key", refuse)
    monkeypatch.setattr(bench.runtime.proxy, "examine_key", examine)
    box = await box_for(bench, qtbot, "cn")
    box.field.setText(KEY)
    box.test.click()
    await bench.settle()
    assert box.outcome.text() == f"Refused after 10 ms: Not known.\n{verdict.words}"


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_every_verdict_has_its_words(kind: VerdictKind) -> None:
    values = {"host": "api.z.ai", "server": "cn", "plan": "coding", "reason": "why"}
    verdict = Verdict(kind, BUILTIN_SERVERS[0], values)
    assert verdict_words(verdict) == verdict.words == VERDICT_WORDS[kind].format(**values)


async def test_a_key_that_is_none_is_refused_in_words(bench: Bench, qtbot: QtBot) -> None:
    box = await box_for(bench, qtbot, "cn")
    box.field.setText("two words")
    box.save.click()
    await bench.settle()
    assert box.outcome.objectName() == "error"
    assert "not a key" in box.outcome.text()
    assert "two words" not in box.outcome.text()


async def test_without_a_keyring_it_says_so_and_holds_the_key(tmp_path, qtbot: QtBot) -> None:
    bench = Bench(make_runtime(tmp_path, secrets=BrokenStore()))
    box = await box_for(bench, qtbot, "cn")
    box.field.setText(KEY)
    box.save.click()
    await bench.settle()
    assert (box.outcome.objectName(), box.outcome.text()) == ("warning", "The system keyring is locked.")
    assert box.field.placeholderText() == "A key is held for this run"
    assert await bench.runtime.keys.key_of("cn") == KEY
    await bench.runtime.stop()


async def test_turning_to_another_server_forgets_what_was_typed(bench: Bench, qtbot: QtBot) -> None:
    box = await box_for(bench, qtbot, "cn")
    box.field.setText(KEY)
    box.show_server("international")
    await bench.settle()
    assert box.field.text() == ""


class SlowStore(MemoryStore):
    """A keyring that thinks about one server for long."""

    def __init__(self) -> None:
        super().__init__({"cn": KEY})
        self.answer = asyncio.Event()

    async def get(self, user: str) -> str | None:
        if user == "cn":
            await self.answer.wait()
        return await super().get(user)


async def test_a_late_answer_about_another_server_is_not_shown(tmp_path, qtbot: QtBot) -> None:
    store = SlowStore()
    bench = Bench(make_runtime(tmp_path, demo=True, secrets=store))
    box = KeyBox(bench.commands, dark=False)
    qtbot.addWidget(box)
    box.show_server("cn")
    await asyncio.sleep(0.01)
    box._server = "demo"
    store.answer.set()
    await bench.settle()
    assert box.field.placeholderText() == ""
    await bench.runtime.stop()


async def test_the_eye_shows_what_is_typed_and_hides_it_again(bench: Bench, qtbot: QtBot) -> None:
    box = await box_for(bench, qtbot, "cn")
    eye = box.field.actions()[0]
    modes = [box.field.echoMode()]
    for _ in range(2):
        eye.trigger()
        modes.append(box.field.echoMode())
    assert modes == [QLineEdit.EchoMode.Password, QLineEdit.EchoMode.Normal, QLineEdit.EchoMode.Password]


@pytest.mark.parametrize("source", list(KeySource))
def test_every_source_has_its_words(source: KeySource) -> None:
    assert source_words(source)


@pytest.mark.parametrize(
    ("trial", "words"),
    [
        (KeyTrial(True, 200, "cn accepted the key.", 312.4), "cn accepted the key. Answered in 312 ms."),
        (KeyTrial(False, 401, "Token expired.", 1500.0), "Refused after 1.5 s: Token expired."),
    ],
)
def test_what_came_of_a_trial(trial: KeyTrial, words: str) -> None:
    assert trial_words(trial) == words
