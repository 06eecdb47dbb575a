from __future__ import annotations

import pytest

from app.settings.problems import SettingsRefusedError
from app.settings.schema import Settings
from app.settings.store import SettingsStore
from tests.app.homes import load_home

HAND_WRITTEN = """\
# my settings
port: 6001   # not 5000: AirPlay sits there

log_level: INFO
"""


def change(store: SettingsStore, **changes: object) -> tuple[str, ...]:
    before = store.current
    store.use(store.check(changes))
    return store.save(before)


def test_only_what_changed_is_written_and_comments_stay(tmp_path):
    store = SettingsStore(load_home(tmp_path, config=HAND_WRITTEN))
    assert change(store, log_level="DEBUG", host="::1", debug=False) == ()
    path = tmp_path / "home" / "config.yaml"
    assert path.read_text() == HAND_WRITTEN.replace("INFO", "DEBUG") + "host: ::1\n"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "# nothing yet", "# nothing yet\n"])
def test_the_first_change_makes_the_file_and_keeps_its_words(tmp_path, text):
    change(SettingsStore(load_home(tmp_path, config=text)), port=6002)
    lines = (tmp_path / "home" / "config.yaml").read_text().splitlines()
    assert lines == ([text.strip()] if text else []) + ["port: 6002"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("allowed_hosts", ("a.local", "b.local")),
        ("model_map_json", {"a": "b", "on": "1"}),
        ("shutdown_grace", 2.5),
        ("debug", True),
        ("language", "zh_CN"),
        ("cache_dir", "C:\\x: #y"),
        ("autotext_model", "4.6"),
    ],
)
def test_every_kind_of_value_comes_back(tmp_path, field, value):
    change(SettingsStore(load_home(tmp_path)), **{field: value})
    loaded = load_home(tmp_path)
    assert (getattr(loaded.settings, field), loaded.problems) == (value, ())


@pytest.mark.parametrize("above", [{"environ": {"PORT": "6003"}}, {"dotenv": "PORT=6003"}])
def test_what_stands_above_the_file_holds_for_this_run_and_is_not_written(tmp_path, above):
    store = SettingsStore(load_home(tmp_path, config="port: 6001\n", **above))
    assert store.fixed_by("port") != ""
    assert change(store, port=6005, theme="dark") == ("port",)
    assert store.current.port == 6005
    assert (tmp_path / "home" / "config.yaml").read_text() == "port: 6001\ntheme: dark\n"


@pytest.mark.parametrize("port", [6003, 6005])
def test_what_a_flag_said_is_written_once_somebody_sets_it(tmp_path, port):
    store = SettingsStore(load_home(tmp_path, config="port: 6001\n", flags={"port": "6003"}))
    assert (change(store, theme="dark"), store.origin("port").kind) == ((), "flag")
    before = store.current
    store.use(store.check({"port": port}))
    assert store.save(before, asked=["port"]) == ()
    assert store.origin("port").kind == "file"
    assert (tmp_path / "home" / "config.yaml").read_text() == f"port: {port}\ntheme: dark\n"


def test_what_the_file_says_is_not_fixed(tmp_path):
    store = SettingsStore(load_home(tmp_path, config="port: 6001\n"))
    assert (store.fixed_by("port"), store.fixed_by("host")) == ("", "")


def test_what_is_kept_out_is_not_written(tmp_path):
    store = SettingsStore(load_home(tmp_path))
    before = store.current
    store.use(store.check({"current_server": "demo", "port": 6001}))
    store.save(before, ("current_server",))
    assert str(store.origin("current_server")) == "current_server (this run)"
    assert (tmp_path / "home" / "config.yaml").read_text() == "port: 6001\n"


def test_bad_changes_are_all_named_and_nothing_is_taken(tmp_path):
    store = SettingsStore(load_home(tmp_path))
    with pytest.raises(SettingsRefusedError) as refused:
        store.check({"port": "x", "hots": "::1", "theme": "blue"})
    assert {problem.key for problem in refused.value.problems} == {"port", "hots", "theme"}
    assert store.current == Settings()


def test_text_is_taken_as_in_the_environment(tmp_path):
    after = SettingsStore(load_home(tmp_path)).check({"port": "6001", "allowed_hosts": "a, b", "debug": "yes"})
    assert (after.port, after.allowed_hosts, after.debug) == (6001, ("a", "b"), True)


def test_a_file_broken_meanwhile_is_set_aside(tmp_path):
    store = SettingsStore(load_home(tmp_path))
    (tmp_path / "home" / "config.yaml").write_text("- a list\n")
    change(store, port=6002)
    assert (tmp_path / "home" / "config.yaml").read_text() == "port: 6002\n"
    assert len(list((tmp_path / "home").glob("config.yaml.broken-*"))) == 1
