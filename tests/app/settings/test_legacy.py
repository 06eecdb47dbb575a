from __future__ import annotations

import pytest

from tests.app.homes import load_home

OLD_CONFIG = """\
servers:
  cn:
    api_key: 0123456789abcdef.cn
  inter:
    api_key: ''
    endpoints: {anthropic: "https://api.z.ai/api/anthropic"}
current_server: inter
"""


@pytest.mark.parametrize(
    ("sources", "server", "place"),
    [
        ({"config": OLD_CONFIG}, "cn", ("servers", "cn", "api_key")),
        ({"config": "server_api_key: 0123456789abcdef.cn\n"}, "international", ("server_api_key",)),
        ({"config": "api_key: 0123456789abcdef.cn\ncurrent_server: cn\n"}, "cn", ("api_key",)),
        ({"config": "proxy_access_key: 0123456789abcdef.cn\n"}, "proxy-access-key", ("proxy_access_key",)),
        ({"dotenv": "SERVER_API_KEY=0123456789abcdef.cn\n"}, "international", ("SERVER_API_KEY",)),
        ({"servers": "inter:\n  api_key: 0123456789abcdef.cn\n"}, "international", ("inter", "api_key")),
    ],
)
def test_keys_in_clear_are_found(tmp_path, sources, server, place):
    loaded = load_home(tmp_path, **sources)
    assert [(key.server, key.key, key.place) for key in loaded.found_keys] == [(server, "0123456789abcdef.cn", place)]
    assert loaded.problems == ()


def test_the_older_name_of_a_server_still_counts(tmp_path):
    assert load_home(tmp_path, config=OLD_CONFIG).settings.current_server == "international"
