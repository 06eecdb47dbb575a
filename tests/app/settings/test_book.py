from __future__ import annotations

import pytest

from app.settings.book import FIRST_TEXT, ServerBook, UnknownServerError
from app.settings.problems import SettingsRefusedError
from proxy_core.settings import BUILTIN_SERVERS, Server
from tests.app.homes import load_home, write_home

HAND_WRITTEN = """\
# my servers
cn:
  # the near one
  endpoint: "https://open.bigmodel.cn"   # quick
  latency_ms: 150.0
inter:
  endpoint: https://api.z.ai
"""


def book(folder, text: str) -> ServerBook:
    loaded = load_home(folder, servers=text)
    return ServerBook(loaded.home, loaded.servers)


def test_the_first_file_says_what_is_built_in(tmp_path):
    home = write_home(tmp_path)
    ServerBook(home, BUILTIN_SERVERS).write_first()
    assert (home / "servers.yaml").read_text() == FIRST_TEXT
    assert (home / "servers.yaml").stat().st_mode & 0o777 == 0o600
    assert load_home(tmp_path).servers == BUILTIN_SERVERS


def test_a_file_that_is_there_is_left_alone(tmp_path):
    book(tmp_path, HAND_WRITTEN).write_first()
    assert (tmp_path / "home" / "servers.yaml").read_text() == HAND_WRITTEN


def test_a_change_keeps_comments_and_order(tmp_path):
    book(tmp_path, HAND_WRITTEN).put(Server(name="cn", endpoint="https://other.example"))
    text = (tmp_path / "home" / "servers.yaml").read_text()
    expected = HAND_WRITTEN.replace("open.bigmodel.cn", "other.example").replace(
        "latency_ms: 150.0\n", "latency_ms: 150.0\n  name: cn\n  plan: coding\n"
    )
    assert text.split() == expected.split()


@pytest.mark.parametrize("text", [HAND_WRITTEN, "# only words\n", ""])
def test_an_added_server_is_there_at_the_next_start_and_no_other_is_lost(tmp_path, text):
    servers = book(tmp_path, text)
    before = set(servers.names())
    servers.put(Server(name="mine", endpoint="https://mine.example", plan="payg"))
    again = {server.name: server for server in load_home(tmp_path).servers}
    assert set(again) == before | {"mine"}
    assert again["mine"] == servers.get("mine") == Server(name="mine", endpoint="https://mine.example", plan="payg")


def test_a_removed_server_is_gone(tmp_path):
    servers = book(tmp_path, HAND_WRITTEN)
    servers.remove("international")
    assert servers.names() == ("cn",)
    assert "# the near one" in (tmp_path / "home" / "servers.yaml").read_text()
    assert [server.name for server in load_home(tmp_path).servers] == ["cn"]


def test_the_last_server_stays(tmp_path):
    servers = book(tmp_path, "cn:\n  plan: payg\n")
    with pytest.raises(SettingsRefusedError):
        servers.remove("cn")
    assert servers.names() == ("cn",)


def test_a_bad_server_is_refused_and_nothing_is_written(tmp_path):
    servers = book(tmp_path, HAND_WRITTEN)
    with pytest.raises(SettingsRefusedError, match=r"bad\.endpoint: 'ftp://x' cannot be used"):
        servers.put(Server(name="bad", endpoint="ftp://x"))
    assert (tmp_path / "home" / "servers.yaml").read_text() == HAND_WRITTEN


def test_names_and_aliases(tmp_path):
    servers = book(tmp_path, "")
    assert servers.get("inter").name == "international"
    with pytest.raises(UnknownServerError, match=r"There is no server 'intrnational'.*Did you mean international\?"):
        servers.get("intrnational")


def test_an_extra_server_is_never_written(tmp_path):
    servers = book(tmp_path, "")
    servers.add_extra(Server(name="demo", endpoint="http://127.0.0.1:1"))
    servers.put(Server(name="mine", endpoint="https://mine.example"))
    assert (servers.names()[-1], servers.is_extra("demo")) == ("demo", True)
    assert "demo" not in (tmp_path / "home" / "servers.yaml").read_text()


def test_a_file_broken_meanwhile_is_set_aside(tmp_path):
    servers = book(tmp_path, HAND_WRITTEN)
    (tmp_path / "home" / "servers.yaml").write_text("cn: [")
    servers.put(Server(name="mine", endpoint="https://mine.example"))
    assert {server.name for server in load_home(tmp_path).servers} == {"cn", "international", "mine"}
    assert len(list((tmp_path / "home").glob("servers.yaml.broken-*"))) == 1
