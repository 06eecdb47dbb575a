from __future__ import annotations

import io
import re
import sys
import types

import pytest

KEY = "0123456789abcdef0123456789abcdef.AbCdEf"


class MemoryKeyring:
    """Stands in for the system's keyring: `keyring.get_keyring()` answers it."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service, user):
        return self.kept.get((service, user))

    def set_password(self, service, user, secret):
        self.kept[service, user] = secret

    def delete_password(self, service, user):
        del self.kept[service, user]


@pytest.fixture
def ring(monkeypatch):
    import keyring

    made = MemoryKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    return made


@pytest.fixture
def piped(monkeypatch):
    """What is piped into the next command."""

    def pipe(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return pipe


def test_without_an_instance_keys_go_to_the_keyring(say, tmp_path, ring, piped):
    piped(KEY + "\n")
    stored = say("keys", "set", "cn", home=tmp_path)
    listed = say("keys", home=tmp_path)
    assert (stored.code, ring.kept) == (0, {("anthropic-proxy", "cn"): KEY})
    assert re.search(r"cn +in the keyring", listed.out)
    assert KEY not in stored.out + stored.err + listed.out
    assert say("keys", "delete", "cn", "--json", home=tmp_path).facts["key"] == "none"
    assert ring.kept == {}


def test_a_key_is_typed_unseen(say, tmp_path, ring, monkeypatch):
    asked = {}
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("typer.prompt", lambda text, **options: asked.update(options) or KEY)
    assert say("keys", "set", "cn", home=tmp_path).code == 0
    assert (asked["hide_input"], ring.kept["anthropic-proxy", "cn"]) == (True, KEY)


def test_a_running_instance_keeps_and_forgets(say, running, piped):
    piped(KEY)
    stored = say("keys", "set", "cn", home=running)
    forgotten = say("keys", "delete", "cn", "--json", home=running)
    assert (stored.code, "held for this run only" in stored.out, "no system keyring" in stored.err) == (0, True, True)
    assert (forgotten.code, forgotten.facts["key"]) == (0, "none")


def test_without_a_keyring_nothing_is_kept_in_clear(say, tmp_path, piped):
    piped(KEY)
    answer = say("keys", "set", "cn", home=tmp_path)
    assert (answer.code, "no system keyring" in answer.err) == (1, True)
    assert KEY not in "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("arguments", "text", "code", "words"),
    [
        (("set", "cnn"), KEY, 2, "Did you mean cn?"),
        (("set", "cn"), "", 1, "No key was given"),
        (("set", "cn"), "two words", 2, "not a key"),
        (("set", "cn", KEY), "", 2, "unexpected extra argument"),
        (("test", "cn"), "", 1, "There is no key for cn."),
        (("delete", "cnn"), "", 2, "Did you mean cn?"),
        (("examine", "cn"), "", 1, "There is no key"),
        (("import",), "", 0, "No key was moved"),
    ],
)
def test_what_is_wrong_is_said(say, tmp_path, ring, piped, arguments, text, code, words):
    piped(text)
    answer = say("keys", *arguments, home=tmp_path)
    assert (answer.code, words in answer.out + answer.err, KEY in answer.out) == (code, True, False)


def test_a_key_is_tried_at_its_server(say, running):
    answer = say("keys", "test", "demo", home=running)
    assert (answer.code, "accepted the key" in answer.out) == (0, True)


def test_keys_in_clear_move_into_the_keyring(say, tmp_path, ring):
    (tmp_path / "servers.yaml").write_text(f"cn:\n  endpoint: https://open.bigmodel.cn\n  api_key: {KEY}\n")
    answer = say("keys", "import", home=tmp_path)
    assert (answer.code, answer.out, ring.kept) == (
        0,
        "Moved into the keyring: cn.\n",
        {("anthropic-proxy", "cn"): KEY},
    )
    assert KEY not in (tmp_path / "servers.yaml").read_text()
