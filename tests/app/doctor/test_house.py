from __future__ import annotations

import shutil
from collections import namedtuple

import pytest

from app.control.lock import claim_home
from app.doctor import house
from app.doctor.ground import Grade
from tests.app.doctor.grounds import client, make_ground
from tests.app.runtimes import taken_port

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("probe", "given", "grade", "words"),
    [
        (house.version, {"status": {"version": "0.0.1"}}, "warn", "0.0.1 runs"),
        (house.settings, {"config": "prot: 1\n"}, "fail", "did you mean port?"),
        (house.settings, {"config": "a: [1\n"}, "warn", "set aside"),
        (house.overrides, {"environ": {"PORT": "6000"}}, "warn", "PORT (environment)"),
        (house.exposure, {"config": "host: 0.0.0.0\n"}, "fail", "without an access key"),
        (house.exposure, {"config": "host: 0.0.0.0\nrequire_access_key: true\n"}, "pass", "asks for"),
        (house.port, {"config": "port: 1\n", "client": client(7)}, "pass", "port 7"),
        (house.open_files, {"platform": "win32"}, "skip", "no such limit"),
    ],
)
def test_what_is_wrong_is_found(tmp_path, probe, given, grade, words):
    found = probe(make_ground(tmp_path, **given))
    assert (found.grade, words in found.said, bool(found.remedy)) == (grade, True, grade in ("warn", "fail"))


PROBES = (
    *(house.version, house.data_folder, house.settings, house.overrides, house.left_over, house.second_instance),
    *(house.port, house.exposure, house.disk, house.history, house.logs, house.tables, house.open_files),
)


@pytest.mark.parametrize("probe", PROBES)
def test_a_sound_house_passes(tmp_path, probe):
    assert probe(make_ground(tmp_path)).grade is Grade.PASS


def test_an_open_folder_is_closed(tmp_path):
    ground = make_ground(tmp_path)
    ground.home.chmod(0o755)
    found = house.data_folder(ground)
    assert (found.grade, found.fix()[-22:]) == ("warn", "readable by you alone.")
    assert house.data_folder(ground).grade is Grade.PASS


def test_a_left_over_is_removed_but_not_under_somebody(tmp_path):
    ground = make_ground(tmp_path)
    claim = claim_home(ground.home, "headless")
    (ground.home / "runtime.json").write_text("{}")
    held = house.left_over(ground).grade, house.second_instance(ground).grade
    claim.release()
    (ground.home / "runtime.json").write_text("{}")
    found = house.left_over(ground)
    assert (held, found.grade, "removed" in found.fix()) == (("pass", "fail"), "warn", True)
    assert not (ground.home / "runtime.json").exists()


def test_a_taken_port_is_found(tmp_path):
    holder, port = taken_port()
    with holder:
        found = house.port(make_ground(tmp_path, config=f"port: {port}\n", platform="darwin"))
    assert (found.grade, f"Port {port}" in found.said) == ("fail", True)


@pytest.mark.parametrize(("free", "grade"), [(2**20, "fail"), (500 * 2**20, "warn")])
def test_a_full_disk_is_found(tmp_path, monkeypatch, free, grade):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, free))
    assert house.disk(make_ground(tmp_path)).grade == grade


def test_a_damaged_history_is_found(tmp_path):
    ground = make_ground(tmp_path)
    (ground.home / "stats").mkdir()
    (ground.home / "stats" / "history.db").write_bytes(b"no database" * 1000)
    assert house.history(ground).grade is Grade.FAIL


def test_what_cannot_be_had_is_found(tmp_path, monkeypatch):
    ground = make_ground(tmp_path)
    monkeypatch.setattr(house, "resources", lambda: tmp_path / "nowhere")
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, 256))
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr(house, "_MANY_LOG_BYTES", -1)
    grades = [probe(ground).grade for probe in (house.tables, house.open_files, house.data_folder, house.logs)]
    assert grades == ["fail", "warn", "fail", "warn"]
