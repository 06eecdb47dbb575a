from __future__ import annotations

import pytest

from proxy_core.settings import BUILTIN_SERVERS, Server
from tests.app.homes import load_home, told

NAMES = "allowed: letters, digits, '.', '_' and '-', at most 64, and the same as the key above it"
SEED_FORM = """\
# mine
cn:
  name: "cn"
  endpoint: "https://open.bigmodel.cn"
  region: "China"
  api_key: "0123456789abcdef.secret"
  latency_ms: 150.0

international:
  name: "international"
  endpoint: "https://api.z.ai"
  region: "International"
  api_key: "your-international-api-key"
  latency_ms: 80.0
"""


def test_the_form_that_people_know(tmp_path):
    loaded = load_home(tmp_path, servers=SEED_FORM)
    assert [server.name for server in loaded.servers] == ["cn", "international"]
    assert loaded.servers[0] == BUILTIN_SERVERS[1]
    assert [(key.server, key.key, key.place) for key in loaded.found_keys] == [
        ("cn", "0123456789abcdef.secret", ("cn", "api_key"))
    ]
    assert loaded.problems == ()


@pytest.mark.parametrize("text", ["", "# nothing but words\n"])
def test_without_servers_there_are_the_built_in_ones(tmp_path, text):
    assert load_home(tmp_path, servers=text).servers == BUILTIN_SERVERS


@pytest.mark.parametrize(
    ("text", "server"),
    [
        (
            "home:\n  endpoint: my.example:8443/\n  plan: payg\n",
            Server(name="home", endpoint="https://my.example:8443", plan="payg"),
        ),
        ("inter:\n  region: X\n", Server(name="international", endpoint="https://api.z.ai", region="X")),
        (
            "own:\n  anthropic_base: http://a/x\n  openai_base: http://b/y\n",
            Server(name="own", anthropic_base="http://a/x", openai_base="http://b/y"),
        ),
    ],
)
def test_servers_of_ones_own(tmp_path, text, server):
    loaded = load_home(tmp_path, servers=text)
    assert (loaded.servers, loaded.problems) == ((server,), ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cn:\n  endpont: https://a.example\n", "cn.endpont: unknown key; did you mean cn.endpoint?"),
        ("cn:\n  plan: free\n", "cn.plan: 'free' cannot be used; allowed: one of coding, payg"),
        (
            "cn:\n  endpoint: ftp://a\n",
            "cn.endpoint: 'ftp://a' cannot be used; allowed: an http:// or https:// address",
        ),
        ("cn:\n  latency_ms: fast\n", "cn.latency_ms: 'fast' cannot be used; allowed: a number"),
        (
            "cn:\n  name: other\n",
            f"cn.name: 'other' cannot be used; {NAMES}",
        ),
        ("cn:\n  region: 5\n", "cn.region: 5 cannot be used; allowed: text"),
        ("cn: https://a.example\n", "cn: not a server; allowed: keys such as endpoint and region"),
        ("new:\n  region: X\n", "new.endpoint: missing; allowed: an http:// or https:// address"),
        ("proxy-access-key:\n  endpoint: https://a.example\n", "proxy-access-key: this name is taken"),
        (
            "'a b':\n  endpoint: https://a.example\n",
            f"a b: cannot be the name of a server; {NAMES}",
        ),
        ("cn:\n  api_key: two words here\n", "cn.api_key: this is not a key; allowed: letters and digits"),
    ],
)
def test_a_mistake_is_one_clear_problem(tmp_path, text, problem):
    loaded = load_home(tmp_path, servers=text)
    assert told(loaded) == [f"home/servers.yaml: {problem}"]
    assert {server.name for server in loaded.servers} >= {"cn"}
