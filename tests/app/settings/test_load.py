from __future__ import annotations

import pytest

from app.settings.load import find_home, has_display
from app.settings.schema import Settings
from tests.app.homes import load_home, told, write_home

LAYERS = [
    {"config": "port: 6001\n"},
    {"dotenv": "PORT=6002\n"},
    {"environ": {"PORT": "6003"}},
    {"flags": {"port": "6004"}},
]


@pytest.mark.parametrize("count", range(5))
def test_each_source_beats_those_before_it(tmp_path, count):
    given: dict[str, object] = {}
    for layer in LAYERS[:count]:
        given |= layer
    loaded = load_home(tmp_path, **given)
    assert loaded.settings.port == 5000 + (1000 + count if count else 0)
    assert loaded.problems == ()


@pytest.mark.parametrize(
    ("source", "origin", "is_fixed"),
    [
        ({"config": "port: 6001\n"}, "port (home/config.yaml)", False),
        ({"dotenv": "PORT=6002\n"}, "PORT (cwd/.env)", True),
        ({"home_dotenv": "PORT=6002\n"}, "PORT (home/.env)", True),
        ({"environ": {"PORT": "6003"}}, "PORT (environment)", True),
        ({"flags": {"port": "6004"}}, "--port (command line)", False),
    ],
)
def test_where_a_value_came_from_is_remembered(tmp_path, source, origin, is_fixed):
    found = load_home(tmp_path, **source).origins["port"]
    assert (str(found).replace(f"{tmp_path}/", ""), found.is_fixed) == (origin, is_fixed)


def test_the_dotenv_of_the_data_folder_counts_only_where_the_current_folder_has_none(tmp_path):
    loaded = load_home(tmp_path, dotenv="PORT=6002\n", home_dotenv="PORT=7000\nHOST=::1\n")
    assert (loaded.settings.port, loaded.settings.host) == (6002, "127.0.0.1")


def test_nothing_said_means_the_defaults(tmp_path):
    loaded = load_home(tmp_path)
    assert loaded.settings == Settings()
    assert (loaded.origins, loaded.problems, loaded.notices, loaded.found_keys) == ({}, (), (), ())


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("HOST", "::1", "host", "::1"),
        ("UPSTREAM_BASE", "https://a.example/api/anthropic/", "upstream_base", "https://a.example/api/anthropic"),
        ("OPENAI_UPSTREAM_BASE", "a.example/v4", "openai_upstream_base", "https://a.example/v4"),
        ("AUTOTEXT_MODEL", "glm-5", "autotext_model", "glm-5"),
        ("AUTOVISION_MODEL", "glm-4.5v", "autovision_model", "glm-4.5v"),
        ("TEXT_ENDPOINT_PREFERENCE", "OpenAI", "text_endpoint_preference", "openai"),
        ("ENABLE_ZAI_THINKING", "off", "enable_zai_thinking", False),
        ("ENABLE_ACCURATE_TOKEN_COUNTING", "0", "enable_accurate_token_counting", False),
        ("ENABLE_ENVIRONMENT_DEDUPLICATION", "no", "enable_environment_deduplication", False),
        ("ENABLE_ENV_DEDUPLICATION", "no", "enable_environment_deduplication", False),
        ("ENABLE_MESSAGE_CONDENSATION", "False", "enable_message_condensation", False),
        ("IMAGE_AGE_THRESHOLD", "5", "image_age_threshold", 5),
        ("GENERATE_IMAGE_DESCRIPTIONS", "NO", "generate_image_descriptions", False),
        ("IMAGE_DESCRIPTION_MAX_TOKENS", "300", "image_description_max_tokens", 300),
        ("REQUEST_TIMEOUT", "120", "request_timeout", 120.0),
        ("STREAM_TIMEOUT", "0.5", "stream_timeout", 0.5),
        ("CONNECT_TIMEOUT", " 7 ", "connect_timeout", 7.0),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("ENABLE_STRUCTURED_LOGGING", "on", "enable_structured_logging", True),
        ("DEBUG", "YES", "debug", True),
        ("MODEL_MAP_JSON", '{"a": "b"}', "model_map_json", {"a": "b"}),
        ("ANTHROPIC_EXPECTED_TOKENS", "100000", "anthropic_expected_tokens", 100_000),
        ("OPENAI_EXPECTED_TOKENS", "100000", "openai_expected_tokens", 100_000),
        ("REAL_TEXT_MODEL_TOKENS", "128000", "real_text_model_tokens", 128_000),
        ("REAL_VISION_MODEL_TOKENS", "65000", "real_vision_model_tokens", 65_000),
        ("CACHE_DIR", "/var/cache/x", "cache_dir", "/var/cache/x"),
        ("MAX_RETRIES", "0", "max_retries", 0),
        ("FORWARD_CLIENT_KEY", "false", "forward_client_key", False),
        ("ALLOWED_HOSTS", "a.local, b.local,", "allowed_hosts", ("a.local", "b.local")),
        ("HTTPS_PROXY", "proxy.local:3128", "outbound_proxy", "http://proxy.local:3128"),
        ("CURRENT_SERVER", "inter", "current_server", "international"),
        ("ANTHROPIC_PROXY_LANGUAGE", "zh_cn", "language", "zh_CN"),
    ],
)
def test_environment_names(tmp_path, name, text, field, value):
    loaded = load_home(tmp_path, environ={name: text})
    assert getattr(loaded.settings, field) == value
    assert loaded.problems == ()


def test_names_of_the_desktop_session_are_not_ours(tmp_path):
    loaded = load_home(tmp_path, environ={"LANGUAGE": "de:en", "THEME": "Adwaita"})
    assert loaded.settings == Settings()
    assert loaded.problems == ()


@pytest.mark.parametrize("empty", ["", "   "])
def test_an_empty_name_counts_as_not_set(tmp_path, empty):
    loaded = load_home(tmp_path, environ={"PORT": empty, "SERVER_API_KEY": empty, "PROXY_ACCESS_KEY": empty})
    assert (loaded.settings.port, loaded.problems) == (5000, ())
    assert (loaded.secrets.server_api_key, loaded.secrets.proxy_access_key) == (None, None)


@pytest.mark.parametrize(
    ("sources", "problem"),
    [
        (
            {"environ": {"TEXT_ENDPOINT_PREFERENCE": "foo"}},
            "environment: TEXT_ENDPOINT_PREFERENCE: 'foo' cannot be used; allowed: one of auto, anthropic, openai",
        ),
        (
            {"environ": {"TEXT_ENDPOINT_PREFERENCE": "open-ai"}},
            "environment: TEXT_ENDPOINT_PREFERENCE: 'open-ai' cannot be used; "
            "allowed: one of auto, anthropic, openai; did you mean openai?",
        ),
        (
            {"config": "prot: 6000\n"},
            "home/config.yaml: prot: unknown key; did you mean port?",
        ),
        (
            {"config": "port: 66000\n"},
            "home/config.yaml: port: 66000 cannot be used; allowed: a whole number from 0 to 65535",
        ),
        (
            {"config": "port: true\n"},
            "home/config.yaml: port: True cannot be used; allowed: a whole number from 0 to 65535",
        ),
        (
            {"config": "debug: [1]\n"},
            "home/config.yaml: debug: [1] cannot be used; allowed: true or false (also 1/0, yes/no, on/off)",
        ),
        (
            {"dotenv": "HOTS=::1\nPORT=6000\n"},
            "cwd/.env: HOTS: unknown key; did you mean HOST?",
        ),
        (
            {"dotenv": "PORT=6000\nwhat is this\n"},
            "cwd/.env: line 2: not understood; allowed: NAME=value",
        ),
        (
            {"dotenv": "PORT=many\n"},
            "cwd/.env: PORT: 'many' cannot be used; allowed: a whole number from 0 to 65535",
        ),
        (
            {"flags": {"port": "x"}},
            "command line: --port: 'x' cannot be used; allowed: a whole number from 0 to 65535",
        ),
        (
            {"environ": {"REQUEST_TIMEOUT": "0"}},
            "environment: REQUEST_TIMEOUT: '0' cannot be used; allowed: a number above 0 to 86400",
        ),
        (
            {"environ": {"MODEL_MAP_JSON": '{"a":'}},
            "environment: MODEL_MAP_JSON: '{\"a\":' cannot be used; "
            'allowed: a JSON object of text to text, such as {"gpt-4o": "glm-4.6"}',
        ),
        (
            {"environ": {"UPSTREAM_BASE": "ftp://a.example"}},
            "environment: UPSTREAM_BASE: 'ftp://a.example' cannot be used; allowed: an http:// or https:// address",
        ),
        (
            {"environ": {"HTTPS_PROXY": "socks5://u:pw@a.example"}},
            "environment: HTTPS_PROXY: is not a usable address; allowed: an http:// or https:// address",
        ),
        (
            {"environ": {"CURRENT_SERVER": "intl"}},
            "environment: CURRENT_SERVER: 'intl' is no server; allowed: one of international, cn",
        ),
        (
            {"config": "failover_server: chn\n"},
            "home/config.yaml: failover_server: 'chn' is no server; allowed: one of international, cn; "
            "did you mean cn?",
        ),
        (
            {"config": "current_server: internatonal\n"},
            "home/config.yaml: current_server: 'internatonal' is no server; allowed: one of international, cn; "
            "did you mean international?",
        ),
        (
            {"flags": {"current_server": "demo"}},
            "command line: --server: 'demo' is there only with --demo; allowed: one of international, cn",
        ),
        (
            {"environ": {"SERVER_API_KEY_FILE": "/nowhere/key"}},
            "environment: SERVER_API_KEY_FILE: the file /nowhere/key cannot be read: No such file or directory; "
            "allowed: a file with the key",
        ),
    ],
)
def test_a_mistake_is_one_clear_problem_and_the_default_holds(tmp_path, sources, problem):
    loaded = load_home(tmp_path, **sources)
    assert told(loaded) == [problem]
    assert loaded.settings.model_copy(update={"port": 5000}) == Settings()


def test_a_bad_value_leaves_the_one_below_it(tmp_path):
    loaded = load_home(tmp_path, config="port: 6001\n", environ={"PORT": "x"})
    assert loaded.settings.port == 6001
    assert len(loaded.problems) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config", b"port: [1\n"),
        ("config", b"- a\n- b\n"),
        ("config", b"host: \xff\xfe\n"),
        ("config", b"port: 1\nport: 2\n"),
        ("servers", b"cn: {\n"),
        ("servers", b"just words\n"),
        ("home_dotenv", b"PORT=\xff\n"),
    ],
)
def test_a_file_that_does_not_parse_is_set_aside_and_said_once(tmp_path, name, content):
    loaded = load_home(tmp_path, **{name: content})
    aside = [path for path in loaded.home.iterdir() if ".broken-" in path.name]
    assert [path.read_bytes() for path in aside] == [content]
    assert (len(loaded.notices), loaded.problems, loaded.settings) == (1, (), Settings())
    assert aside[0].name in loaded.notices[0]


def test_files_set_aside_in_the_same_second_are_all_kept(tmp_path):
    for text in ("[", "{", "]"):
        load_home(tmp_path, config=text)
    assert len([path for path in (tmp_path / "home").iterdir() if ".broken-" in path.name]) == 3


def test_an_unreadable_dotenv_of_the_current_folder_is_not_ours_to_rename(tmp_path):
    loaded = load_home(tmp_path, dotenv=b"PORT=\xff\n")
    assert told(loaded) == ["cwd/.env: file: cannot be read: it is not UTF-8 text"]
    assert (tmp_path / "cwd" / ".env").exists()


def test_the_dotenv_of_another_program_is_left_alone(tmp_path):
    loaded = load_home(tmp_path, dotenv="DATABASE_URL=postgres://x\n")
    assert loaded.problems == ()
    assert loaded.notices == (f"{tmp_path}/cwd/.env names no setting of this program and is not used.",)


def test_names_of_the_older_program_are_said_not_refused(tmp_path):
    loaded = load_home(tmp_path, config="current_model: glm-4.6\n", dotenv="RETRY_BACKOFF=1\nCOMPOSE_PROJECT_NAME=x\n")
    assert loaded.problems == ()
    assert ["current_model" in loaded.notices[0], "RETRY_BACKOFF" in loaded.notices[1]] == [True, True]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    loaded = load_home(tmp_path, config=b"\xef\xbb\xbfport: 6001\r\n", dotenv=b"\xef\xbb\xbfHOST=::1\r\n")
    assert (loaded.settings.port, loaded.settings.host, loaded.problems) == (6001, "::1", ())


def test_dotenv_values_may_name_others(tmp_path):
    loaded = load_home(tmp_path, dotenv="export HOST=${WHERE}\nPORT='6001' # here\n", environ={"WHERE": "::1"})
    assert (loaded.settings.host, loaded.settings.port) == ("::1", 6001)


@pytest.mark.parametrize(
    ("flags", "config", "current", "key_server"),
    [
        ({}, "", "demo", "international"),
        ({}, "current_server: cn\n", "demo", "cn"),
        ({"current_server": "cn"}, "", "cn", "cn"),
    ],
)
def test_demo_is_the_current_server_unless_another_is_asked_for(tmp_path, flags, config, current, key_server):
    loaded = load_home(tmp_path, flags=flags, config=config, demo=True)
    assert (loaded.settings.current_server, loaded.key_server) == (current, key_server)
    assert loaded.problems == ()


@pytest.mark.parametrize(
    ("flag", "environ", "dotenv", "expected"),
    [
        ("/flag", {"ANTHROPIC_PROXY_HOME": "/env"}, "", "/flag"),
        (None, {"ANTHROPIC_PROXY_HOME": "/env"}, "ANTHROPIC_PROXY_HOME=/dotenv", "/env"),
        (None, {}, "ANTHROPIC_PROXY_HOME=/dotenv", "/dotenv"),
        (None, {"ANTHROPIC_PROXY_HOME": "~/x"}, "", "~/x"),
        (None, {}, "", "~/.anthropic-proxy"),
    ],
)
def test_where_the_data_folder_is(tmp_path, monkeypatch, flag, environ, dotenv, expected):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".env").write_text(dotenv)
    assert str(find_home(flag, tmp_path, environ)) == expected.replace("~", str(tmp_path))


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({"QT_QPA_PLATFORM": "offscreen"}, True),
        ({"QT_QPA_PLATFORM": "xcb"}, False),
    ],
)
def test_display(monkeypatch, environ, expected):
    monkeypatch.setattr("sys.platform", "linux")
    assert has_display(environ) is expected


def test_an_unreadable_config_is_a_problem(tmp_path):
    home = write_home(tmp_path)
    (home / "config.yaml").mkdir()
    assert told(load_home(tmp_path)) == ["home/config.yaml: file: cannot be read: Is a directory"]


@pytest.mark.parametrize(("written", "settled"), [("inter", "international"), ("chn", ""), ('""', "")])
def test_a_fail_over_server_is_one_there_is_or_none(tmp_path, written, settled):
    loaded = load_home(tmp_path, config=f"failover_server: {written}\n")
    assert loaded.settings.failover_server == settled
