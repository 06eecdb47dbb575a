from __future__ import annotations

import pytest

from app.runtime.setup import authority, current_server
from app.settings.book import ServerBook
from app.settings.schema import Settings
from proxy_core.settings import BUILTIN_SERVERS, DialectName, Server


@pytest.fixture
def servers(tmp_path):
    book = ServerBook(tmp_path, BUILTIN_SERVERS)
    book.add_extra(Server(name="demo", endpoint="http://127.0.0.1:1"))
    return book


@pytest.mark.parametrize(
    ("changes", "anthropic", "openai"),
    [
        ({}, "https://api.z.ai/api/anthropic", "https://api.z.ai/api/coding/paas/v4"),
        ({"upstream_base": "https://a/x"}, "https://a/x", "https://api.z.ai/api/coding/paas/v4"),
        ({"openai_upstream_base": "https://o/y"}, "https://api.z.ai/api/anthropic", "https://o/y"),
        (
            {"upstream_base": "https://a/x", "current_server": "cn"},
            "https://a/x",
            "https://open.bigmodel.cn/api/coding/paas/v4",
        ),
        (
            {"upstream_base": "https://a/x", "openai_upstream_base": "https://o/y", "current_server": "demo"},
            "http://127.0.0.1:1/api/anthropic",
            "http://127.0.0.1:1/api/coding/paas/v4",
        ),
    ],
)
def test_addresses_of_the_current_server(servers, changes, anthropic, openai):
    server = current_server(Settings(**changes), servers)
    assert (server.base(DialectName.ANTHROPIC), server.base(DialectName.OPENAI)) == (anthropic, openai)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (("127.0.0.1", 5000), "127.0.0.1:5000"),
        (("0.0.0.0", 5000), "127.0.0.1:5000"),
        (("::", 5000), "[::1]:5000"),
        (("::1", 5000), "[::1]:5000"),
        (("192.168.1.5", 80), "192.168.1.5:80"),
    ],
)
def test_where_clients_on_this_computer_find_it(address, expected):
    assert authority(address) == expected
