from __future__ import annotations

import json

import pytest

from app.doctor import neighbours
from tests.app.doctor.grounds import client, make_ground

HERE = "http://localhost:5000"


@pytest.mark.parametrize(
    ("probe", "given", "grade"),
    [
        (neighbours.client_settings, {}, "pass"),
        (neighbours.client_settings, {"environ": {"ANTHROPIC_BASE_URL": HERE}, "client": client()}, "pass"),
        (neighbours.client_settings, {"environ": {"OPENAI_BASE_URL": HERE}, "client": client(6000)}, "warn"),
        (neighbours.client_settings, {"environ": {"OPENAI_BASE_URL": "http://localhost:x"}}, "warn"),
        (neighbours.client_settings, {"environ": {"OPENAI_BASE_URL": "https://api.example"}}, "pass"),
        (neighbours.dead_end, {}, "pass"),
        (neighbours.dead_end, {"environ": {"ANTHROPIC_BASE_URL": HERE}}, "fail"),
        (neighbours.dead_end, {"environ": {"ANTHROPIC_BASE_URL": HERE}, "client": client()}, "pass"),
        (neighbours.autostart, {}, "pass"),
    ],
)
def test_what_is_wrong_is_found(tmp_path, probe, given, grade):
    found = probe(make_ground(tmp_path, **given))
    assert (found.grade, bool(found.remedy)) == (grade, grade in ("warn", "fail"))


@pytest.mark.parametrize(
    ("text", "grade"), [(json.dumps({"env": {"ANTHROPIC_BASE_URL": HERE}}), "fail"), ("{", "pass")]
)
def test_settings_of_a_client_are_read(tmp_path, text, grade):
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "settings.json").write_text(text)
    assert neighbours.dead_end(make_ground(tmp_path)).grade == grade


@pytest.mark.parametrize(("command", "grade"), [("/nowhere/anthropic-proxy", "warn"), ("sh -c true", "pass")])
def test_what_starts_at_login_is_looked_for(tmp_path, command, grade):
    path = tmp_path / ".config" / "autostart" / "anthropic-proxy.desktop"
    path.parent.mkdir(parents=True)
    path.write_text(f"[Desktop Entry]\nExec={command}\n")
    found = neighbours.autostart(make_ground(tmp_path))
    assert found.grade == grade
    if found.fix is not None:
        assert ("removed" in found.fix(), path.exists()) == (True, False)


@pytest.mark.parametrize(
    ("missing", "display", "host", "grade"),
    [
        (True, True, True, "skip"),
        (False, False, True, "skip"),
        (False, True, False, "warn"),
        (False, True, True, "pass"),
    ],
)
def test_whether_the_tray_program_can_run(tmp_path, monkeypatch, missing, display, host, grade):
    monkeypatch.setattr(neighbours, "find_spec", lambda _: None if missing else object())
    monkeypatch.setattr(neighbours, "has_display", lambda: display)
    monkeypatch.setattr(neighbours, "_has_tray_host", lambda: host)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/gdbus")
    assert neighbours.desktop(make_ground(tmp_path)).grade == grade
