from __future__ import annotations

import re

import pytest

from app.settings.blanking import blank_key
from app.settings.yamlfile import EDIT_LOCK
from tests.app.homes import load_home

KEY = "0123456789abcdef.Secret"

FILES = {
    "servers": (
        f"# mine\ncn:\n  region: China # near\n  api_key: '{KEY}' # do not share\n",
        "# mine\ncn:\n  region: China # near\n  api_key: '' # do not share\n",
    ),
    "config": (
        f"port: 6001 # odd\nservers:\n  cn: {{api_key: {KEY}}}\n",
        "port: 6001 # odd\nservers:\n  cn: {api_key: ''}\n",
    ),
    "dotenv": (
        f"# mine\nHOST=::1\n\nexport SERVER_API_KEY='{KEY}' # secret\n# end\nPORT=6001",
        "# mine\nHOST=::1\n\nSERVER_API_KEY=\n# end\nPORT=6001",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_key_is_blanked_and_the_rest_stays(tmp_path, name):
    before, after = FILES[name]
    [found] = load_home(tmp_path, **{name: before}).found_keys
    blank_key(found)
    assert re.sub(" {2,}#", " #", found.source.read_text()) == after  # comments keep their column
    assert {path.name for path in found.source.parent.iterdir()} - {EDIT_LOCK} == {found.source.name}
    again = load_home(tmp_path)
    assert (again.found_keys, again.problems, again.secrets.server_api_key) == ((), (), None)


def test_a_key_that_is_gone_already_does_no_harm(tmp_path):
    [found] = load_home(tmp_path, servers=f"cn:\n  api_key: {KEY}\n").found_keys
    found.source.write_text("international: {}\n")
    blank_key(found)
    assert found.source.read_text() == "international: {}\n"
