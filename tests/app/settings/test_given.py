from __future__ import annotations

import pytest

from tests.app.homes import load_home, told

KEY = "0123456789abcdef.Secret"


@pytest.mark.parametrize("name", ["SERVER_API_KEY", "PROXY_ACCESS_KEY"])
@pytest.mark.parametrize("source", ["environ", "dotenv", "file"])
def test_keys_come_from_the_environment_dotenv_and_mounted_files(tmp_path, name, source):
    (tmp_path / "key").write_text(f"{KEY}\n")
    sources = {
        "environ": {"environ": {name: KEY}},
        "dotenv": {"dotenv": f"{name}={KEY}\n"},
        "file": {"environ": {f"{name}_FILE": str(tmp_path / "key")}},
    }
    loaded = load_home(tmp_path, **sources[source])
    given = {"SERVER_API_KEY": loaded.secrets.server_api_key, "PROXY_ACCESS_KEY": loaded.secrets.proxy_access_key}
    assert given == {"SERVER_API_KEY": None, "PROXY_ACCESS_KEY": None, name: KEY}
    assert loaded.problems == ()


@pytest.mark.parametrize("source", ["environ", "dotenv", "file"])
def test_the_shared_store_comes_from_there_too_and_shows_nowhere(tmp_path, source):
    url = "redis://:hunter2@cache:6379/0"
    (tmp_path / "url").write_text(f"{url}\n")
    sources = {
        "environ": {"environ": {"SHARED_STORE": url}},
        "dotenv": {"dotenv": f"SHARED_STORE={url}\n"},
        "file": {"environ": {"SHARED_STORE_FILE": str(tmp_path / "url")}},
    }
    loaded = load_home(tmp_path, **sources[source])
    assert (loaded.secrets.shared_store, loaded.problems) == (url, ())
    assert "hunter2" not in repr(loaded)


def test_what_is_no_shared_store_is_a_problem_that_does_not_repeat_it(tmp_path):
    loaded = load_home(tmp_path, environ={"SHARED_STORE": "http://:hunter2@cache"})
    (said,) = told(loaded)
    assert "must begin with redis://" in said
    assert "hunter2" not in said
    assert loaded.secrets.shared_store == ""


def test_the_environment_beats_dotenv(tmp_path):
    loaded = load_home(tmp_path, environ={"SERVER_API_KEY": "from-environ-1"}, dotenv="SERVER_API_KEY=from-dotenv-1\n")
    assert loaded.secrets.server_api_key == "from-environ-1"
    assert loaded.secrets.server_key_origin == "SERVER_API_KEY (environment)"


def test_keys_show_nowhere(tmp_path):
    servers = f"cn:\n  api_key: {KEY}\n"
    environ = {"SERVER_API_KEY": KEY, "PROXY_ACCESS_KEY": KEY}
    loaded = load_home(tmp_path, servers=servers, environ=environ, config=f"server_api_key: {KEY}\n")
    assert len(loaded.found_keys) == 2
    assert KEY not in repr(loaded) + str(loaded.found_keys) + str(loaded.secrets)


@pytest.mark.parametrize("key", ["two words", "schlüssel", "a\tb"])
def test_what_cannot_be_a_key_is_a_problem_that_does_not_repeat_it(tmp_path, key):
    loaded = load_home(tmp_path, environ={"SERVER_API_KEY": key})
    assert told(loaded) == [
        "environment: SERVER_API_KEY: this cannot be a key; allowed: printable ASCII without spaces"
    ]
    assert loaded.secrets.server_api_key is None


@pytest.mark.parametrize(
    "text", ["your_z_ai_api_key", "your-cn-api-key", "***", "<key>", "changeme", "sk-...", "YOUR_API_KEY"]
)
def test_a_placeholder_is_no_key(tmp_path, text):
    loaded = load_home(tmp_path, environ={"SERVER_API_KEY": text}, servers=f"cn:\n  api_key: '{text}'\n")
    assert (loaded.secrets.server_api_key, loaded.found_keys, loaded.problems) == (None, (), ())
    assert loaded.notices == ("SERVER_API_KEY (environment) holds a placeholder, not a key; it is not used.",)


@pytest.mark.parametrize("environ", [{"PROXY_ACCESS_KEY_FILE": "/nowhere"}, {"PROXY_ACCESS_KEY": "two words"}])
def test_a_broken_access_key_locks_the_door(tmp_path, environ):
    loaded = load_home(tmp_path, environ=environ)
    assert len(loaded.problems) == 1
    assert len(loaded.secrets.proxy_access_key or "") > 30


def test_an_empty_key_file_is_a_problem(tmp_path):
    (tmp_path / "key").write_text("\n")
    loaded = load_home(tmp_path, environ={"SERVER_API_KEY_FILE": str(tmp_path / "key")})
    assert [problem.key for problem in loaded.problems] == ["SERVER_API_KEY_FILE"]
