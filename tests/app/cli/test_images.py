from __future__ import annotations

import asyncio
import io
import sys

import pytest

from app.cli.offline_images import description_store
from app.settings.schema import Settings
from proxy_core.chat import Image
from proxy_core.stores.descriptions import Draft

CAT, DOG = "ab" * 32, "ac" * 32


@pytest.fixture
def home(running, tmp_path, request):
    """The folder of a running instance or of none, with two descriptions."""
    folder = running if request.param == "running" else tmp_path / "home"
    store = description_store(folder, Settings())

    async def fill() -> None:
        for digest, words in ((CAT, "A cat on a mat."), (DOG, "A dog.")):
            await store.put(Draft(digest, words, "glm-4.6v", Image(url="https://example.com/x.png")))
        await store.close()

    asyncio.run(fill())
    return folder


BOTH = pytest.mark.parametrize("home", ["running", "alone"], indirect=True)


@BOTH
def test_descriptions_are_listed_and_shown(say, home):
    listed, found = say("images", "list", home=home), say("images", "list", "cat", "--json", home=home).facts
    shown = say("images", "show", CAT[:4], home=home)
    assert ("A cat on a mat." in listed.out, DOG[:12] in listed.out) == (True, True)
    assert [row["digest"] for row in found["images"]] == [CAT]
    assert shown.out.startswith(f"ID            {CAT}\n")
    assert say("images", "list", "bird", home=home).out == "There are no descriptions.\n"


@BOTH
def test_no_words_of_a_model_steer_the_terminal(say, home):
    assert say("images", "edit", CAT, "--text", "A\x1b]0;cat\x07\x9b2J\ntwo\u3000lines", home=home).code == 0
    listed, shown = say("images", "list", home=home).out, say("images", "show", CAT, home=home).out
    assert shown.endswith("A\\x1b]0;cat\\x07\\x9b2J\ntwo\u3000lines\n")
    assert not {"\x1b", "\x07", "\x9b"} & {*listed, *shown}


@BOTH
def test_descriptions_are_edited_pinned_and_deleted(say, home, monkeypatch):
    edited = say("images", "edit", CAT, "--text", "Two cats.", "--json", home=home).facts["image"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("A wolf.\n"))
    piped = say("images", "edit", DOG, "--json", home=home).facts["image"]
    pinned = say("images", "pin", CAT, "--json", home=home).facts["image"]
    unpinned = say("images", "unpin", CAT, "--json", home=home).facts["image"]
    assert (edited["text"], edited["edited"], piped["text"]) == ("Two cats.", True, "A wolf.")
    assert (pinned["pinned"], unpinned["pinned"]) == (True, False)
    assert say("images", "again", CAT, home=home).code == 0
    for digest in (CAT, DOG):
        assert say("images", "delete", digest, "--yes", home=home).out == "It is deleted.\n"
    assert say("images", "list", "--json", home=home).facts["images"] == []


@BOTH
@pytest.mark.parametrize(("digest", "words"), [("ff", "is described"), ("a", "2 pictures begin with 'a'")])
@pytest.mark.parametrize("verb", ["show", "pin", "delete"])
def test_what_is_not_there_is_said(say, home, verb, digest, words):
    answer = say("images", verb, digest, home=home)
    assert (answer.code, words in answer.err) == (2, True)
